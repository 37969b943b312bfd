/** What arrived and was not yet taken: one reader, in order, then the end or the error. Bounded by whoever pushes. */
export interface Inbox {
  push(message: Uint8Array): void;
  /** No more will come. */
  end(): void;
  /** No more will come, and the reader hears why after it took what is here. */
  fail(error: Error): void;
  readonly messages: number;
  /** The reader has left: everything here and to come counts as taken. */
  discard(): void;
  /** A fresh iterator each time; leaving a loop early loses nothing. */
  iterator(): AsyncIterator<Uint8Array>;
}

/** @param taken - called with each message as the reader takes it. */
export function createInbox(taken: (message: Uint8Array) => void): Inbox {
  const queue: Uint8Array[] = [];
  const waiting: PromiseWithResolvers<IteratorResult<Uint8Array>>[] = [];
  let ended = false;
  let failure: Error | undefined;
  let discarding = false;
  const done = { done: true, value: undefined } as const;

  function settle(): void {
    for (const waiter of waiting.splice(0)) {
      if (failure === undefined) waiter.resolve(done);
      else waiter.reject(failure);
    }
  }

  return {
    push(message) {
      if (ended || failure !== undefined) return;
      const waiter = waiting.shift();
      if (discarding) {
        taken(message);
        return;
      }
      if (waiter === undefined) {
        queue.push(message);
        return;
      }
      waiter.resolve({ done: false, value: message });
      taken(message);
    },
    end() {
      ended = true;
      settle();
    },
    fail(error) {
      if (ended || failure !== undefined) return;
      failure = error;
      settle();
    },
    get messages() {
      return queue.length;
    },
    discard() {
      discarding = true;
      for (const message of queue.splice(0)) taken(message);
    },
    iterator: () => ({
      next() {
        const message = queue.shift();
        if (message !== undefined) {
          taken(message);
          return Promise.resolve({ done: false, value: message });
        }
        if (failure !== undefined) return Promise.reject(failure);
        if (ended) return Promise.resolve(done);
        const waiter = Promise.withResolvers<IteratorResult<Uint8Array>>();
        waiting.push(waiter);
        return waiter.promise;
      },
      return: () => Promise.resolve(done),
    }),
  };
}
