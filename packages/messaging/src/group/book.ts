import { type Change, type PeerId, PeerAiError, type Store } from '@peerai/core-protocol';
import { collect, under } from '../rows.ts';
import { limits } from './limits.ts';
import { type GroupState, type Mls, membersOf } from './mls.ts';
import { groupCodec, groupKey, parkCodec, parkKey } from './rows.ts';

/** One group as it stands on disk; replaced, never changed. */
export interface Entry {
  readonly state: GroupState;
  readonly sent: number;
  readonly taken: ReadonlyMap<PeerId, number>;
  readonly leaving: ReadonlySet<PeerId>;
}
export interface Letter {
  readonly sender: PeerId;
  readonly place: number;
  readonly data: Uint8Array;
}
interface Parked extends Letter {
  readonly key: string;
}
/** The groups of this peer: read from disk once, then at hand; what is at hand is always what is on disk. */
export interface Book {
  ids(): Promise<readonly string[]>;
  get(id: string): Promise<Entry | undefined>;
  /** Writes one group and whatever belongs to the same step, all or nothing; `undefined` deletes it with what waits for it. */
  write(id: string, entry: Entry | undefined, changes: readonly Change[]): Promise<void>;
  /** Keeps a letter until its group has come as far. Throws REFUSED when too many of this sender wait. */
  park(group: string, epoch: bigint, letter: Letter, nowMs: number): Promise<void>;
  parked(group: string): Promise<readonly Parked[]>;
  /** Forgets letters whose change never came. */
  sweep(nowMs: number): Promise<void>;
  /** One step of a group after the other. */
  inTurn<T>(id: string, work: () => Promise<T>): Promise<T>;
}

export function createBook(store: Store, mls: Mls): Book {
  const entries = new Map<string, Entry>();
  const turns = new Map<string, Promise<unknown>>();
  const parked = async (group: string): Promise<readonly Parked[]> => {
    const rows = await collect(store.range(...under(`park/${group}`)));
    return rows.map(({ key, value }) => {
      const sender = key.split('/')[2] as PeerId;
      const { place, data } = parkCodec.decode(value);
      return { key, sender, place, data };
    });
  };
  return {
    parked,
    ids: async () => (await collect(store.range(...under('group')))).map(({ key }) => key.slice('group/'.length)),
    get: async (id) => {
      const known = entries.get(id);
      if (known !== undefined) return known;
      const bytes = await store.get(groupKey(id));
      if (bytes === undefined) return undefined;
      const entry = decodeEntry(mls, bytes);
      entries.set(id, entry);
      return entry;
    },
    write: async (id, entry, changes) => {
      // Whatever comes of the commit, what is at hand afterwards is read from disk or is what was written.
      entries.delete(id);
      if (entry === undefined) {
        const letters = (await parked(id)).map(({ key }) => store.put(key));
        await store.commit([...changes, ...letters, store.put(groupKey(id))]);
        return;
      }
      await store.commit([...changes, store.put(groupKey(id), encodeEntry(mls, entry))]);
      entries.set(id, entry);
    },
    park: async (group, epoch, { sender, place, data }, nowMs) => {
      const rows = await collect(store.range('park/', 'park0'));
      const theirs = rows.filter(({ key }) => key.split('/')[2] === sender);
      const bytes = theirs.reduce((sum, { value }) => sum + value.length, data.length);
      if (theirs.length >= limits.parkedPerSenderMax || bytes > limits.parkedBytesPerSenderMax) {
        throw new PeerAiError('REFUSED', 'too many letters of this peer wait for a change of their group');
      }
      await store.commit([
        store.put(parkKey(group, sender, epoch, place), parkCodec.encode({ data, place, atMs: nowMs })),
      ]);
    },
    sweep: async (nowMs) => {
      const rows = await collect(store.range('park/', 'park0'));
      const old = rows.filter(({ value }) => parkCodec.decode(value).atMs < nowMs - limits.parkedMsMax);
      if (old.length > 0) await store.commit(old.map(({ key }) => store.put(key)));
    },
    inTurn: async (id, work) => {
      const mine = (turns.get(id) ?? Promise.resolve()).then(work, work);
      turns.set(id, mine);
      try {
        return await mine;
      } finally {
        if (turns.get(id) === mine) turns.delete(id);
      }
    },
  };
}

function encodeEntry(mls: Mls, { state, sent, taken, leaving }: Entry): Uint8Array {
  const members = new Set<string>(membersOf(state));
  return groupCodec.encode({
    state: mls.encode(state),
    sent,
    taken: [...taken].filter(([peer]) => members.has(peer)).map(([peer, place]) => ({ peer, place })),
    leaving: [...leaving].filter((peer) => members.has(peer)),
  });
}

function decodeEntry(mls: Mls, bytes: Uint8Array): Entry {
  const { state, sent, taken, leaving } = groupCodec.decode(bytes);
  return {
    state: mls.decode(state),
    sent,
    taken: new Map(taken.map(({ peer, place }) => [peer as PeerId, place])),
    leaving: new Set(leaving as readonly PeerId[]),
  };
}
