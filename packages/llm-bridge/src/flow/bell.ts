/** Wakes everybody who waits; who comes after the ring waits for the next. */
export interface Bell {
  ring(): void;
  /** Take this before looking at the state, await it after: then no ring is missed. */
  next(): Promise<void>;
}

export function createBell(): Bell {
  let waiting: PromiseWithResolvers<void> | undefined;
  return {
    ring() {
      waiting?.resolve();
      waiting = undefined;
    },
    next() {
      waiting ??= Promise.withResolvers<void>();
      return waiting.promise;
    },
  };
}
