import type { Clock } from './ports/index.ts';

export interface BucketSize {
  /** What may come at once. */
  readonly burst: number;
  readonly perMinute: number;
}

/** So many at once, and so many a minute. */
export interface TokenBucket {
  /** Takes one token and says 0, or takes none and says after how many milliseconds there is one. */
  take(): number;
}

/** One token; a millisecond brings `perMinute` of these, so whole milliseconds give whole numbers. */
const partsEach = 60_000;

export function createTokenBucket(clock: Pick<Clock, 'elapsedMs'>, { burst, perMinute }: BucketSize): TokenBucket {
  let parts = burst * partsEach;
  let atMs = clock.elapsedMs();
  return {
    take() {
      const nowMs = clock.elapsedMs();
      parts = Math.min(burst * partsEach, parts + (nowMs - atMs) * perMinute);
      atMs = nowMs;
      if (parts < partsEach) return Math.ceil((partsEach - parts) / perMinute);
      parts -= partsEach;
      return 0;
    },
  };
}
