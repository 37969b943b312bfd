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

export function createTokenBucket(clock: Pick<Clock, 'elapsedMs'>, { burst, perMinute }: BucketSize): TokenBucket {
  let tokens = burst;
  let atMs = clock.elapsedMs();
  return {
    take() {
      const nowMs = clock.elapsedMs();
      tokens = Math.min(burst, tokens + ((nowMs - atMs) * perMinute) / 60_000);
      atMs = nowMs;
      if (tokens < 1) return Math.ceil(((1 - tokens) * 60_000) / perMinute);
      tokens -= 1;
      return 0;
    },
  };
}
