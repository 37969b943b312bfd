import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Deed } from '@peerai/ledger/reputation';
import type { ControlEvent } from '../control/events.ts';

/** A deed and whose it is. */
export interface SeenDeed {
  readonly peer: PeerId;
  readonly deed: Deed;
  readonly id: string;
}

/** What a peer's own events say of others; most say nothing. */
export function deedIn(event: ControlEvent, self: PeerId): SeenDeed | undefined {
  if (event.type === 'receipt-signed') {
    const { provider, consumer, lease, n } = event.receipt;
    const id = `receipt/${provider}/${lease}/${n}`;
    if (consumer === self) return { peer: provider as PeerId, deed: 'answered', id };
    return { peer: consumer as PeerId, deed: 'signed-for', id };
  }
  if (event.type === 'task-changed' && event.task.direction === 'given') {
    const { peerId, status, id } = event.task;
    const deed = taskDeeds[status];
    return deed === undefined ? undefined : { peer: peerId as PeerId, deed, id: `task/${peerId}/${id}` };
  }
  if (event.type === 'lease-changed') {
    const { peerId, state, steps, id } = event.lease;
    const deed = state === 'disputed' ? 'disputed' : state === 'settled' && steps > 0 ? 'lease-settled' : undefined;
    return deed === undefined ? undefined : { peer: peerId as PeerId, deed, id: `lease/${id}` };
  }
  if (event.type === 'market-changed') {
    const { peerId, state, answers, agreed, id } = event.lease;
    const deed = state === 'disputed' ? 'disputed' : agreed && answers > 0 ? 'lease-settled' : undefined;
    return deed === undefined ? undefined : { peer: peerId as PeerId, deed, id: `lease/${id}` };
  }
  return undefined;
}
const taskDeeds: Readonly<Record<string, Deed | undefined>> = {
  completed: 'task-done',
  failed: 'undelivered',
  timeout: 'timed-out',
  rejected: 'refused',
};

/** What an answer that failed says of who gave it. Who is away, or may not be asked, has done nothing wrong. */
export function deedOf(error: unknown): Deed | undefined {
  return PeerAiError.is(error) ? errorDeeds[error.code] : undefined;
}
const errorDeeds: Readonly<Record<string, Deed | undefined>> = {
  QUEUE_FULL: 'refused',
  TOO_MANY: 'refused',
  TIMEOUT: 'timed-out',
  PEER_LOST: 'undelivered',
  ANSWER_INTERRUPTED: 'undelivered',
  ENGINE_FAILED: 'undelivered',
  HASH_MISMATCH: 'wrong-work',
  INVALID_SIGNATURE: 'forgery',
};
