import type { Clock } from '@peerai/core-protocol';

/** The one time of the world, seen through a wall clock that is off. Durations are true. */
export interface SkewedClock extends Clock {
  /** Milliseconds that are added to the true time. */
  skewMs: number;
}

export function skewed(clock: Clock): SkewedClock {
  const own: SkewedClock = {
    skewMs: 0,
    nowMs: () => clock.nowMs() + own.skewMs,
    elapsedMs: () => clock.elapsedMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    deadline: (ms, parent) => clock.deadline(ms, parent),
  };
  return own;
}
