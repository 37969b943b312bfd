import {
  type Change,
  type Clock,
  type CryptoProvider,
  type Identity,
  PeerAiError,
  type PeerId,
  type Store,
} from '@peerai/core-protocol';
import { collect, under } from '../rows.ts';
import { createTurns } from '../turns.ts';
import { type Charter, openCharter } from './charter.ts';
import { type Entry, openEntry } from './entry.ts';
import { limits } from './limits.ts';
import { createReplica, type Replica } from './replica.ts';
import { charterKey, forgottenCodec, forgottenKey, logKey } from './rows.ts';
import { note, type OpenVector, placeIn, type Vector } from './vector.ts';

export interface BookDeps {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly identity: Identity;
}
export interface Held {
  readonly author: PeerId;
  readonly life: number;
  readonly place: number;
  readonly size: number;
}
/** One document at hand: what is on disk, and the same put together. */
export interface Document {
  readonly charter: Charter;
  readonly replica: Replica;
  readonly vector: OpenVector;
  /** Its entries by their keys. */
  readonly held: Map<string, Held>;
  /** The life in which this peer writes since it started. */
  readonly life: number | undefined;
}
/** Documents on disk, opened when they are used; what is at hand is always what is on disk. All but `charters` is for a document's turn. */
export interface Book {
  charters(): Promise<readonly Charter[]>;
  /** Throws DOCUMENT_UNKNOWN. */
  open(id: string): Promise<Document>;
  find(id: string): Promise<Document | undefined>;
  /** Entries that are to be kept, with what they replace taken out, in one commit. */
  keep(document: Document, entries: readonly Entry[], change?: { readonly life?: number }): Promise<void>;
  charter(charter: Charter): Promise<void>;
  /** Entries that the other side lacks, in each author's order, so many as one frame takes. */
  missing(document: Document, theirs: Vector, of?: PeerId): Promise<readonly Entry[]>;
  forget(id: string): Promise<void>;
  isForgotten(id: string): Promise<boolean>;
  /** What is at hand of it is not what is on disk: read again when it is used next. */
  drop(id: string): void;
  inTurn<T>(id: string, work: () => Promise<T>): Promise<T>;
  idle(): Promise<void>;
}

export const sizeOf = ({ held }: Document): number => [...held.values()].reduce((sum, { size }) => sum + size, 0);
/** Entries of an author, in order. */
export const heldOf = ({ held }: Document, author: PeerId): readonly Held[] =>
  [...held.values()].filter((one) => one.author === author);

export function createBook(deps: BookDeps): Book {
  const { store, crypto, clock } = deps;
  const turns = createTurns();
  const documents = new Map<string, Document>();
  const read = async (id: string): Promise<Document | undefined> => {
    const bytes = await store.get(charterKey(id));
    if (bytes === undefined) return undefined;
    const document: Document = {
      charter: openCharter(crypto, bytes),
      replica: createReplica(),
      vector: new Map(),
      held: new Map(),
      life: undefined,
    };
    for await (const { key, value } of store.range(...under(`log/${id}`))) {
      const entry = openEntry(crypto, value);
      document.replica.apply(entry.update);
      hold(document, key, entry);
    }
    return document;
  };
  const find = async (id: string): Promise<Document | undefined> => {
    const known = documents.get(id) ?? (await read(id));
    if (known !== undefined) documents.set(id, known);
    return known;
  };
  return {
    find,
    charters: async () =>
      (await collect(store.range(...under('charter')))).map(({ value }) => openCharter(crypto, value)),
    open: async (id) => {
      const document = await find(id);
      if (document === undefined) throw new PeerAiError('DOCUMENT_UNKNOWN', 'there is no such document here');
      return document;
    },
    keep: async (document, entries, change = {}) => {
      const { id } = document.charter;
      if (entries.length === 0) return;
      const room = entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const gone = [...document.held.values()].filter((one) => entries.some((entry) => covers(entry, one)));
      const all = [...documents.values()].reduce((sum, one) => sum + sizeOf(one), 0);
      if (all + room - gone.reduce((sum, { size }) => sum + size, 0) > limits.bytesMax) {
        documents.delete(id);
        throw new PeerAiError('LIMIT_REACHED', `all documents together have at most ${limits.bytesMax} bytes`);
      }
      const rows = new Map<string, Change>();
      for (const entry of entries) {
        const key = logKey(id, entry.author, entry.life, entry.place);
        for (const covered of coveredBy(document, entry)) {
          document.held.delete(covered);
          rows.set(covered, store.put(covered));
        }
        rows.set(key, store.put(key, entry.bytes));
        hold(document, key, entry);
      }
      // Whatever comes of the commit, what is at hand afterwards is read from disk or is what was written.
      documents.delete(id);
      await store.commit([...rows.values()]);
      documents.set(id, { ...document, ...change });
    },
    charter: async (charter) => {
      const known = await find(charter.id);
      documents.delete(charter.id);
      await store.commit([store.put(charterKey(charter.id), charter.bytes)]);
      if (known !== undefined) documents.set(charter.id, { ...known, charter });
    },
    missing: async (document, theirs, of) => {
      const found: Entry[] = [];
      let room: number = limits.batchBytesMax;
      for (const [key, { author, life, place, size }] of [...document.held].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (place <= placeIn(theirs, author, life) || (of !== undefined && author !== of)) continue;
        if (found.length >= limits.batchEntriesMax || (found.length > 0 && size > room)) break;
        const bytes = await store.get(key);
        if (bytes === undefined) continue;
        room -= size;
        found.push(openEntry(crypto, bytes));
      }
      return found;
    },
    forget: async (id) => {
      documents.delete(id);
      const rows = await collect(store.range(...under(`log/${id}`)));
      const posted = await collect(store.range(...under(`posted/${id}`)));
      const old = await collect(store.range(...under('forgotten')));
      const times = old.map(({ key, value }) => ({ key, atMs: forgottenCodec.decode(value).atMs }));
      const gone = times
        .toSorted((a, b) => a.atMs - b.atMs)
        .slice(0, Math.max(0, old.length + 1 - limits.forgottenMax));
      await store.commit([
        ...[...rows, ...posted, ...gone].map(({ key }) => store.put(key)),
        store.put(charterKey(id)),
        store.put(forgottenKey(id), forgottenCodec.encode({ atMs: clock.nowMs() })),
      ]);
    },
    isForgotten: async (id) => (await store.get(forgottenKey(id))) !== undefined,
    drop: (id) => void documents.delete(id),
    inTurn: turns.run,
    idle: turns.idle,
  };
}

function hold(document: Document, key: string, entry: Entry): void {
  const { author, life, place } = entry;
  note(document.vector, entry);
  document.held.set(key, { author, life, place, size: entry.bytes.length });
}

/** Keys of the entries that this one stands for. */
function coveredBy(document: Document, entry: Entry): readonly string[] {
  if (entry.covers.length === 0) return [];
  return [...document.held].filter(([, one]) => covers(entry, one)).map(([key]) => key);
}

/** Whether an entry stands for another that is here. */
export const covers = (entry: Entry, one: Held): boolean =>
  one.author === entry.author && entry.covers.some(({ life, place }) => life === one.life && one.place <= place);
