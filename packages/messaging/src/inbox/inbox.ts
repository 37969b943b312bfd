import {
  type Change,
  type Clock,
  type CryptoProvider,
  type Logger,
  type Messenger,
  type Opened,
  PeerAiError,
  type PeerId,
  ReplayWindow,
  type Store,
} from '@peerai/core-protocol';
import { type Letter, openLetter } from '../letter.ts';
import { limits } from '../limits.ts';
import type { DeliveryAnswer } from '../protocol.ts';
import { expiryKey, markKey, takenMark } from '../rows.ts';
import { createMarks } from './marks.ts';

type Handler = (message: Opened, signal: AbortSignal) => Promise<readonly Change[]>;

export interface InboxDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly self: PeerId;
}
/** Takes letters in: each is handled once, whatever happens to the answer. */
export interface Inbox {
  handle: Messenger['handle'];
  /** Throws what a later attempt may get past: CLOCK_SKEW, REPLAY_DETECTED, LIMIT_REACHED, TIMEOUT, HANDLER_FAILED, what the store throws. */
  take(from: PeerId, letter: Uint8Array, signal: AbortSignal): Promise<DeliveryAnswer>;
  /** When every letter that is being taken is committed or refused. */
  idle(): Promise<void>;
}

/** What another attempt with the same content can never get past. */
const finalCodes = [
  'UNKNOWN_KIND',
  'REFUSED',
  'EXPIRED',
  'INVALID_FORMAT',
  'INVALID_SIGNATURE',
  'INVALID_VERSION',
  'WRONG_RECIPIENT',
  'LIMIT_EXCEEDED',
  'KEY_REFUSED',
];

export function createInbox(deps: InboxDeps): Inbox {
  const handlers = new Map<string, Handler>();
  const replay = new ReplayWindow();
  const marks = createMarks(deps);
  const turns = new Map<PeerId, Promise<unknown>>();
  return {
    handle: (kind, handler) => {
      if (handlers.has(kind)) throw new PeerAiError('REFUSED', `messages of kind ${kind} are handled already`);
      handlers.set(kind, handler);
      return { [Symbol.dispose]: () => void handlers.delete(kind) };
    },
    take: async (from, bytes, signal) => {
      try {
        const letter = openLetter({ ...deps, replay }, bytes, from);
        return await inTurn(turns, from, () => takeOnce(deps, marks, handlers, letter, signal));
      } catch (error) {
        if (!PeerAiError.is(error, ...finalCodes)) {
          deps.logger.warn('message-not-taken', { from, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
          throw error;
        }
        return { outcome: 'refused', code: error.code };
      }
    },
    idle: async () => {
      await Promise.allSettled(turns.values());
    },
  };
}

async function takeOnce(
  { store, clock }: InboxDeps,
  marks: ReturnType<typeof createMarks>,
  handlers: ReadonlyMap<string, Handler>,
  letter: Letter,
  signal: AbortSignal,
): Promise<DeliveryAnswer> {
  const { sender, id, kind, expiresMs } = letter;
  signal.throwIfAborted();
  if ((await store.get(markKey(sender, id))) !== undefined) return { outcome: 'taken', code: undefined };
  const handler = handlers.get(kind);
  if (handler === undefined) throw new PeerAiError('UNKNOWN_KIND', `messages of kind ${kind} are not handled here`);
  await marks.makeRoom(sender);
  const changes = await runHandler(clock, handler, letter, signal);
  await store.commit([
    ...changes,
    store.put(markKey(sender, id), takenMark),
    store.put(expiryKey(expiresMs, sender, id), takenMark),
  ]);
  marks.added(sender);
  return { outcome: 'taken', code: undefined };
}

/** Throws REFUSED and INVALID_FORMAT as the handler does, TIMEOUT and ABORTED; HANDLER_FAILED for all else, which says nothing of it to the sender. */
async function runHandler(
  clock: Clock,
  handler: Handler,
  letter: Letter,
  signal: AbortSignal,
): Promise<readonly Change[]> {
  const done = new AbortController();
  const limit = clock.deadline(limits.handlerMsMax, AbortSignal.any([signal, done.signal]));
  try {
    const { expiresMs: _, ...opened } = letter;
    const ended = new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => reject(limit.reason as Error), { once: true });
    });
    return await Promise.race([handler(opened, limit), ended]);
  } catch (cause) {
    if (limit.aborted || PeerAiError.is(cause, 'REFUSED', 'INVALID_FORMAT')) throw cause;
    throw new PeerAiError('HANDLER_FAILED', 'the message could not be handled now', {}, { cause });
  } finally {
    done.abort();
  }
}

/** One letter of a sender after another; a repeated one waits for the first and then finds its mark. */
async function inTurn<T>(turns: Map<PeerId, Promise<unknown>>, peer: PeerId, work: () => Promise<T>): Promise<T> {
  const mine = (turns.get(peer) ?? Promise.resolve()).then(work, work);
  turns.set(peer, mine);
  try {
    return await mine;
  } finally {
    if (turns.get(peer) === mine) turns.delete(peer);
  }
}
