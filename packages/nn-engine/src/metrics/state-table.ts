import { type Clock, type CoreErrorCode, type CryptoProvider, PeerAiError, type PeerId } from '@peerai/core-protocol';

import { limits } from '../limits.ts';
import { openState, type SignedState } from './signed-state.ts';

/** The newest state of each peer, while it is not stale. */
export interface StateTable {
  /**
   * Takes a peer's signed state.
   *
   * Throws INVALID_FORMAT, INVALID_SIGNATURE, EXPIRED (too old), CLOCK_SKEW (from the future), REPLAY_DETECTED (not newer than the last one of
   * its peer), LIMIT_REACHED (a new peer while as many as may be have a state).
   */
  accept(bytes: Uint8Array): SignedState;
  /** States that are not stale now, by peer id. */
  current(): readonly SignedState[];
}

export function createStateTable({
  crypto,
  clock,
}: {
  readonly crypto: CryptoProvider;
  readonly clock: Pick<Clock, 'nowMs'>;
}): StateTable {
  const states = new Map<PeerId, SignedState>();
  const isStale = ({ timeMs }: SignedState): boolean => clock.nowMs() - timeMs > limits.stateAgeMsMax;
  const dropStale = (): void => {
    for (const [peer, state] of states) if (isStale(state)) states.delete(peer);
  };
  return {
    accept(bytes) {
      const state = openState(crypto, bytes);
      if (isStale(state)) throw refused('EXPIRED', 'This state is too old.');
      if (state.timeMs - clock.nowMs() > limits.stateAheadMsMax)
        throw refused('CLOCK_SKEW', 'This state is yet to come.');
      dropStale();
      const last = states.get(state.peer);
      if (last !== undefined && (state.sequence <= last.sequence || state.timeMs < last.timeMs))
        throw refused('REPLAY_DETECTED', 'A newer state of this peer is here already.');
      if (last === undefined && states.size >= limits.statePeersMax)
        throw refused('LIMIT_REACHED', `States of ${limits.statePeersMax} peers are here already.`);
      states.set(state.peer, state);
      return state;
    },
    current() {
      dropStale();
      return [...states.values()].sort((a, b) => (a.peer < b.peer ? -1 : 1));
    },
  };
}

const refused = (code: CoreErrorCode, text: string): PeerAiError<CoreErrorCode> => new PeerAiError(code, text);
