import type { Clock, Store } from '@peerai/core-protocol';

/** The same store, each commit late by so many milliseconds, in order: what happens while the disk writes becomes visible. */
export function slowStore(store: Store, clock: Pick<Clock, 'sleep'>, commitMs: number): Store {
  return {
    get: (key) => store.get(key),
    range: (from, to, options) => store.range(from, to, options),
    put: (key, value) => store.put(key, value),
    room: (name) => slowStore(store.room(name), clock, commitMs),
    async commit(changes) {
      await clock.sleep(commitMs);
      await store.commit(changes);
    },
  };
}
