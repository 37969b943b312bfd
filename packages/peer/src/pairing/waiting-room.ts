import { type Clock, PeerAiError } from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import type { Device } from './devices.ts';
import type { PendingPairing } from './pairing.schema.ts';

export type Decision = 'accepted' | 'rejected' | 'expired';

/** A device as it introduced itself, before somebody said "They match". */
export type Offer = Pick<Device, 'peer' | 'name' | 'allow' | 'addresses' | 'lease'>;

/** One pairing between "the screens show four emoji" and its end. */
export interface Waiting {
  readonly view: PendingPairing;
  /** The joiner, on the inviter's side. */
  readonly offer: Offer | undefined;
  /** Aborts, with the decision in its reason, when the pairing has ended. */
  readonly ended: AbortSignal;
  /** Ends it, once; a later word changes nothing. */
  end(decision: Decision): void;
  /**
   * Ends it as accepted after `keep` made it durable; meanwhile it cannot expire. Throws PAIRING_GONE when it has ended or is being accepted,
   * and what `keep` throws: then it waits on.
   */
  accept(keep: () => Promise<void>): Promise<void>;
}

/** Pairings that wait for people, and the last ones that ended. */
export interface WaitingRoom {
  list(): readonly PendingPairing[];
  find(id: string): Waiting | undefined;
  /** Throws TOO_MANY_PAIRINGS. */
  checkRoom(): void;
  /** Waits from now on, ten minutes at most. Throws TOO_MANY_PAIRINGS. */
  add(view: Omit<PendingPairing, 'state' | 'sinceMs'>, offer?: Offer): Waiting;
}

export function createWaitingRoom(
  { clock, events }: { readonly clock: Clock; readonly events: EventHub },
  stopping: AbortSignal,
): WaitingRoom {
  const all = new Map<string, Waiting>();
  const checkRoom = (): void => {
    const count = [...all.values()].filter(({ view }) => view.state === 'waiting').length;
    if (count >= limits.pairingsWaitingMax)
      throw new PeerAiError('TOO_MANY_PAIRINGS', `${count} pairings already wait for an answer`);
  };
  return {
    list: () => [...all.values()].map(({ view }) => view),
    find: (id) => all.get(id),
    checkRoom,
    add(facts, offer) {
      checkRoom();
      for (const [id, { view }] of all) {
        if (view.state !== 'waiting' && all.size >= limits.pairingsWaitingMax) all.delete(id);
      }
      const tell = (pairing: PendingPairing): void => events.emit({ type: 'pairing-changed', pairing });
      const waiting = createWaiting({ ...facts, state: 'waiting', sinceMs: clock.nowMs() }, offer, tell);
      all.set(facts.id, waiting);
      tell(waiting.view);
      void clock.sleep(limits.pairingWaitMs, AbortSignal.any([stopping, waiting.ended])).then(
        () => waiting.end('expired'),
        () => undefined,
      );
      return waiting;
    },
  };
}

function createWaiting(
  first: PendingPairing,
  offer: Offer | undefined,
  tell: (pairing: PendingPairing) => void,
): Waiting {
  const ended = new AbortController();
  let view = first;
  let accepting = false;
  let endAfter: Decision | undefined;
  const conclude = (state: Decision): void => {
    view = { ...view, state };
    tell(view);
    ended.abort(state);
  };
  return {
    get view() {
      return view;
    },
    offer,
    ended: ended.signal,
    end(decision) {
      if (accepting) endAfter ??= decision;
      else if (view.state === 'waiting') conclude(decision);
    },
    async accept(keep) {
      if (accepting || view.state !== 'waiting') throw gone(view.id);
      accepting = true;
      try {
        await keep();
      } catch (error) {
        accepting = false;
        if (endAfter !== undefined) conclude(endAfter);
        throw error;
      }
      accepting = false;
      conclude('accepted');
    },
  };
}

export function gone(id: string): PeerAiError {
  return new PeerAiError('PAIRING_GONE', 'this pairing has ended', { id });
}
