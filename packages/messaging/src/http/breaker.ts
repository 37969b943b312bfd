import { type Clock, PeerAiError } from '@peerai/core-protocol';
import { httpLimits } from './limits.ts';

/** Keeps a sender from knocking at a door that nobody opens. */
export interface Breaker {
  /**
   * Runs one call and counts how it ended. While the breaker is open it throws PEER_UNREACHABLE with `retryAfterMs` at once; afterwards a few
   * trial calls run at a time, the first success closes it, the first failure opens it again.
   */
  run<T>(call: () => Promise<T>): Promise<T>;
  readonly state: 'closed' | 'open' | 'trying';
}

export function createBreaker(clock: Pick<Clock, 'elapsedMs'>): Breaker {
  let failures = 0;
  let openUntilMs: number | undefined;
  let trials = 0;
  const stateNow = (): Breaker['state'] =>
    openUntilMs === undefined ? 'closed' : clock.elapsedMs() < openUntilMs ? 'open' : 'trying';
  const refuse = (): never => {
    const retryAfterMs = Math.max(0, (openUntilMs ?? 0) - clock.elapsedMs());
    throw new PeerAiError('PEER_UNREACHABLE', 'this peer failed too often; it is tried again later', { retryAfterMs });
  };
  const failed = (): void => {
    failures += 1;
    if (failures >= httpLimits.breakerFailuresMax || openUntilMs !== undefined) {
      openUntilMs = clock.elapsedMs() + httpLimits.breakerOpenMs;
    }
  };
  return {
    get state() {
      return stateNow();
    },
    async run(call) {
      const state = stateNow();
      if (state === 'open' || trials >= httpLimits.breakerTrialsMax) refuse();
      if (state === 'trying') trials += 1;
      try {
        const result = await call();
        failures = 0;
        openUntilMs = undefined;
        return result;
      } catch (error) {
        failed();
        throw error;
      } finally {
        if (state === 'trying') trials -= 1;
      }
    },
  };
}
