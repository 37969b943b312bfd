import type { Clock } from '@peerai/core-protocol';

/** One value that many watch: whoever waits hears that it changed, and reads what it is then. */
export interface Board<T> {
  readonly current: T;
  set(value: T): void;
  /** Resolves at the next change, or after `ms`. Rejects when the signal fires. */
  changed(clock: Clock, ms: number, signal: AbortSignal): Promise<void>;
}

export function createBoard<T>(first: T): Board<T> {
  let current = first;
  let next = Promise.withResolvers<void>();
  return {
    get current() {
      return current;
    },
    set(value) {
      current = value;
      const { resolve } = next;
      next = Promise.withResolvers();
      resolve();
    },
    async changed(clock, ms, signal) {
      const over = new AbortController();
      try {
        await Promise.race([next.promise, clock.sleep(ms, AbortSignal.any([signal, over.signal]))]);
      } finally {
        over.abort();
      }
    },
  };
}
