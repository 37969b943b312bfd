import { type Change, type Clock, PeerAiError, type Row, type Store } from '@peerai/core-protocol';
import { MemoryStore } from '@peerai/core-protocol/testing';
import type { Dice } from './dice.ts';

/**
 * Bugs to plant, to see that they are caught: a disk that says "written" before it is, an inbox that forgets what it has handled, an outbox
 * that hands out the newest letter first.
 */
export const mutants = ['skips-fsync', 'forgets-inbox-marks', 'reverses-outbox'] as const;
export type Mutant = (typeof mutants)[number];

/** What outlives a process: one file, and the life that writes it now. */
export interface Disk {
  /** A new process opens the file; the one before writes nothing any more. */
  open(): Store;
  /** As kill -9: of what was not yet synced some is on the disk and some is not, in the order of its writing. */
  kill(): Promise<void>;
}
export interface DiskOptions {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly mutant?: Mutant | undefined;
  /** Hears of all that came onto the disk, in order. */
  readonly written: (changes: readonly Change[]) => void;
}

/** Longest time that a sync takes, milliseconds. */
const syncMsMax = 12;

/** How long a disk that does not sync keeps what it was given in memory only, milliseconds. */
const unsyncedMs = 5_000;

interface Waiting {
  readonly changes: readonly Change[];
  readonly settle: (applied: Promise<void>) => void;
}
interface Life {
  alive: boolean;
  waiting: readonly Waiting[];
  syncing: boolean;
}

export function createDisk({ clock, dice, mutant, written }: DiskOptions): Disk {
  const file = new MemoryStore();
  let life: Life = { alive: false, waiting: [], syncing: false };
  let unsynced: readonly { readonly atMs: number; readonly undo: readonly Change[] }[] = [];
  /** At once: the memory store's commit is done, or refused, when it returns. */
  const apply = async (changes: readonly Change[]): Promise<void> => {
    const kept = mutant === 'forgets-inbox-marks' ? changes.filter(({ key }) => !isInboxMark(key)) : changes;
    await file.commit(kept);
    written(kept);
  };
  /** Group commit: one sync takes all that was written while the one before was under way. */
  const sync = async (own: Life): Promise<void> => {
    own.syncing = true;
    while (own.alive && own.waiting.length > 0) {
      await clock.sleep(dice.below(syncMsMax));
      if (!own.alive) return;
      const group = own.waiting;
      own.waiting = [];
      for (const one of group) one.settle(apply(one.changes));
    }
    own.syncing = false;
  };
  const pretend = async (changes: readonly Change[]): Promise<void> => {
    const undo = await Promise.all(changes.map(async ({ key }) => ({ key, value: await valueOf(file, key) })));
    const atMs = clock.elapsedMs();
    unsynced = [...unsynced.filter((one) => atMs - one.atMs < unsyncedMs), { atMs, undo }];
    await apply(changes);
  };
  const commit = async (own: Life, changes: readonly Change[]): Promise<void> => {
    if (!own.alive) throw new PeerAiError('STORE_BROKEN', 'this process was killed');
    if (mutant === 'skips-fsync') return pretend(changes);
    const synced = Promise.withResolvers<void>();
    own.waiting = [...own.waiting, { changes, settle: synced.resolve }];
    if (!own.syncing) void sync(own);
    await synced.promise;
  };
  const view = (store: Store, own: Life): Store => ({
    get: (key) => store.get(key),
    range: (from, to, options) =>
      mutant === 'reverses-outbox' && from.startsWith('out/')
        ? newestFirst(store, from, to, options)
        : store.range(from, to, options),
    put: (key, value) => store.put(key, value),
    room: (name) => view(store.room(name), own),
    commit: (changes) => commit(own, changes),
  });
  return {
    open() {
      life.alive = false;
      life = { alive: true, waiting: [], syncing: false };
      return view(file, life);
    },
    async kill() {
      const { waiting } = life;
      life.alive = false;
      const reached = waiting.slice(0, dice.below(waiting.length + 1));
      // What builds on a commit that was refused is refused as well; nobody is there to hear it.
      await Promise.all(reached.map(({ changes }) => apply(changes).catch(() => undefined)));
      const nowMs = clock.elapsedMs();
      for (const { atMs, undo } of unsynced.toReversed()) if (nowMs - atMs < unsyncedMs) await file.commit(undo);
      unsynced = [];
    },
  };
}

/** A mark that a letter was handled, of the messenger's room: `in/<sender>/<message>`. */
const isInboxMark = (fullKey: string): boolean => /\0in\/12D3[^/]+\/[0-9a-f]{32}$/.test(fullKey);

function newestFirst(store: Store, ...[from, to, options]: Parameters<Store['range']>): AsyncIterable<Row> {
  return store.range(from, to, { ...options, reverse: !options?.reverse });
}

/** A change's key begins with the names of its rooms, each ended by NUL. */
async function valueOf(file: Store, fullKey: string): Promise<Uint8Array | undefined> {
  const parts = fullKey.split('\0');
  const key = parts.pop() ?? '';
  return parts.reduce<Store>((store, room) => store.room(room), file).get(key);
}
