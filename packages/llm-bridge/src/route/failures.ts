import type { Clock } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** Who failed lately, by any key (a peer, a peer and its model). */
export interface Failures {
  note(key: string): void;
  /** Within `limits.failureMemoryMs`. */
  count(key: string): number;
  /** It answered: earlier failures do not count any more. */
  forgive(key: string): void;
}

export function createFailures(clock: Pick<Clock, 'elapsedMs'>): Failures {
  const times = new Map<string, readonly number[]>();
  const recent = (key: string): readonly number[] =>
    (times.get(key) ?? []).filter((atMs) => clock.elapsedMs() - atMs < limits.failureMemoryMs);
  return {
    note(key) {
      const all = [...recent(key), clock.elapsedMs()].slice(-limits.failuresPerKeyMax);
      times.delete(key);
      times.set(key, all);
      const [oldest] = times;
      if (times.size > limits.failureKeysMax && oldest !== undefined) times.delete(oldest[0]);
    },
    count: (key) => recent(key).length,
    forgive: (key) => void times.delete(key),
  };
}
