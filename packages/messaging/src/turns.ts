export interface Turns {
  readonly run: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  readonly idle: () => Promise<void>;
}

/** One piece of work of a name after another, in the order of asking; what one throws does not stop the next. */
export function createTurns(): Turns {
  const turns = new Map<string, Promise<unknown>>();
  return {
    run: async (name, work) => {
      const mine = (turns.get(name) ?? Promise.resolve()).then(work, work);
      turns.set(name, mine);
      try {
        return await mine;
      } finally {
        if (turns.get(name) === mine) turns.delete(name);
      }
    },
    idle: async () => {
      await Promise.allSettled(turns.values());
    },
  };
}
