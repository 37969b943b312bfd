/** Work on one name runs one after another; other names do not wait. */
export interface Locks {
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(name, work) {
      const before = tails.get(name) ?? Promise.resolve();
      const mine = before.then(work, work);
      tails.set(name, mine);
      const forget = (): void => {
        if (tails.get(name) === mine) tails.delete(name);
      };
      mine.then(forget, forget);
      return mine;
    },
  };
}

/** Wakes those who wait for something to change under a name. */
export interface Bell {
  /** Rings so far, of all names: read it, look at the world, then wait with it, and no ring in between is missed. */
  readonly rings: number;
  ring(name: string): void;
  /** Resolves at the next ring of this name, at once if there was any since `seen`. Throws the signal's reason when it fires first. */
  next(name: string, seen: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  const waiting = new Map<string, Set<() => void>>();
  let rings = 0;
  return {
    get rings() {
      return rings;
    },
    ring(name) {
      rings += 1;
      const all = waiting.get(name) ?? [];
      waiting.delete(name);
      for (const wake of all) wake();
    },
    next: async (name, seen, signal) => {
      signal.throwIfAborted();
      if (rings !== seen) return;
      await new Promise<void>((resolve, reject) => {
        const all = waiting.get(name) ?? new Set();
        waiting.set(name, all);
        const wake = (): void => {
          signal.removeEventListener('abort', stop);
          resolve();
        };
        const stop = (): void => {
          all.delete(wake);
          if (all.size === 0 && waiting.get(name) === all) waiting.delete(name);
          reject(signal.reason as Error);
        };
        all.add(wake);
        signal.addEventListener('abort', stop, { once: true });
      });
    },
  };
}
