import { type Change, PeerAiError, type Store } from '@peerai/core-protocol';
import { MemoryStore } from '@peerai/core-protocol/testing';

/** How a disk may lie; such a disk must be caught. */
export type DiskFault = 'none' | 'loses-last-commit';

/** What outlives a process: one file, and the life that writes it now. */
export interface Disk {
  /** A new process opens the file; the one before writes nothing any more. */
  open(): Store;
  /** As kill -9. */
  kill(): Promise<void>;
}

export function createDisk(fault: DiskFault): Disk {
  const file = new MemoryStore();
  let life = { alive: false };
  let undoLast: readonly Change[] = [];
  const commit = async (own: { readonly alive: boolean }, changes: readonly Change[]): Promise<void> => {
    if (!own.alive) throw new PeerAiError('STORE_BROKEN', 'this process was killed');
    if (fault === 'loses-last-commit')
      undoLast = await Promise.all(changes.map(async ({ key }) => ({ key, value: await valueOf(file, key) })));
    await file.commit(changes);
  };
  const view = (store: Store, own: { readonly alive: boolean }): Store => ({
    get: (key) => store.get(key),
    range: (from, to, options) => store.range(from, to, options),
    put: (key, value) => store.put(key, value),
    room: (name) => view(store.room(name), own),
    commit: (changes) => commit(own, changes),
  });
  return {
    open() {
      life.alive = false;
      life = { alive: true };
      return view(file, life);
    },
    async kill() {
      life.alive = false;
      await file.commit(undoLast);
      undoLast = [];
    },
  };
}

/** A change's key begins with the names of its rooms, each ended by NUL. */
async function valueOf(file: Store, fullKey: string): Promise<Uint8Array | undefined> {
  const parts = fullKey.split('\0');
  const key = parts.pop() ?? '';
  return parts.reduce<Store>((store, room) => store.room(room), file).get(key);
}
