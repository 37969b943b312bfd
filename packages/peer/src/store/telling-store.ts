import type { Change, Store } from '@peerai/core-protocol';

/** The same store; `committed` hears of each commit that succeeded. */
export function tellingStore(store: Store, committed: (changes: readonly Change[]) => void): Store {
  return {
    get: (key) => store.get(key),
    range: (from, to, options) => store.range(from, to, options),
    put: (key, value) => store.put(key, value),
    room: (name) => tellingStore(store.room(name), committed),
    async commit(changes) {
      await store.commit(changes);
      committed(changes);
    },
  };
}
