import {
  type Change,
  type CryptoProvider,
  type EntryBody,
  equalBytes,
  type Identity,
  type Key,
  PeerAiError,
} from '@peerai/core-protocol';
import { damaged } from './damaged.ts';
import { noPrevious } from './entry.ts';
import { groupRows } from './group-rows.ts';
import { loadState } from './load.ts';
import { appendLeaf, type CompactRange, emptyRange, leafHash, pushLeaf, rootOf } from './merkle.ts';
import { signCheckpoint } from './note.ts';
import type { LedgerDeps } from './open.ts';
import { encodeEntryRow, encodeHead, entryKey, headKey } from './rows.ts';
import { addToTails, growingTails, type Tails } from './tiles.ts';

/** Everything that appending needs to know; replaced as a whole once a commit is on disk. */
export interface LogState {
  readonly range: CompactRange;
  readonly tails: Tails;
  readonly last: Uint8Array;
  readonly note: string;
}

function emptyState(crypto: CryptoProvider, identity: Identity): LogState {
  const note = signCheckpoint(crypto, identity, 0n, rootOf(crypto, emptyRange));
  return { range: emptyRange, tails: [], last: noPrevious, note };
}

/** The right edge after one more entry, whose row and tiles go into `rows`. */
export function addEntry(
  crypto: CryptoProvider,
  { range, tails }: Omit<LogState, 'note'>,
  bytes: Uint8Array,
  rows: Map<Key, Uint8Array>,
): Omit<LogState, 'note'> {
  const growing = growingTails(tails);
  const leaf = leafHash(crypto, bytes);
  rows.set(entryKey(range.size), encodeEntryRow({ leaf, bytes }));
  const tileRoots: Uint8Array[] = [];
  const next = appendLeaf(crypto, range, leaf, tileRoots);
  addToTails(growing, { leaf, size: next.size, tileRoots }, rows);
  return { range: next, last: leaf, tails: growing };
}

/** The state with these entries, signed once, and the changes that make it durable, the head last. Pure: nothing happens until they are committed. */
function extend(
  { crypto, identity, store }: Pick<LedgerDeps, 'crypto' | 'identity' | 'store'>,
  state: LogState,
  entries: readonly EntryBody[],
  timeMs: number,
): { readonly state: LogState; readonly changes: Change[]; readonly head: Uint8Array } {
  const changes: Change[] = [];
  const tiles = new Map<Key, Uint8Array>();
  // Grown in place: nothing is copied for each entry of many.
  const tails = growingTails(state.tails);
  const hashes = [...state.range.hashes];
  const tileRoots: Uint8Array[] = [];
  let { last } = state;
  let { size } = state.range;
  const nextRow = groupRows(identity.publicKey, entries, timeMs);
  for (const entry of entries) {
    const row = nextRow(entry, size, last);
    // The zero before the entry is what a leaf is hashed with: see `leafHash`. Then the hash takes the place of it.
    last = crypto.sha256(row.subarray(31));
    row.set(last);
    changes.push(store.put(entryKey(size), row));
    pushLeaf(crypto, hashes, size, last, tileRoots);
    size += 1n;
    addToTails(tails, { leaf: last, size, tileRoots }, tiles);
    if (tileRoots.length > 0) tileRoots.length = 0;
  }
  for (const [key, tile] of tiles) changes.push(store.put(key, tile));
  const range: CompactRange = { size, hashes };
  const note = signCheckpoint(crypto, identity, size, rootOf(crypto, range));
  const head = encodeHead({ version: 1, size, note, range: hashes, last });
  return { state: { range, tails, last, note }, changes, head };
}

/** Entries that are on their way to the disk. */
export interface Group {
  /** Place of the first of them. */
  readonly first: bigint;
  /** Rejects when nothing of it was written, as it is when a group before it was not. */
  readonly written: Promise<void>;
  /** The log is on disk up to here; called once it is, in order. */
  keep(): void;
}

/** A state and the row it is kept in. */
interface Edge {
  readonly state: LogState;
  readonly head: Uint8Array | undefined;
}

/** The right edge of a log: as it is on disk, and, beyond that, as it will be when all that was begun is. */
export interface LogEnd {
  /** As it is on disk. */
  readonly state: LogState;
  /** Why nothing can be appended, ever: what is on disk is not what was written. */
  readonly damage: PeerAiError | undefined;
  /** Reads it anew; nothing may be under way. Throws LEDGER_DAMAGED, which is then its `damage`, NOT_OUR_LOG. */
  load(): Promise<void>;
  /** Hands a group to the store that builds on the one begun before, whether that is on disk yet or not: the store looks. Throws `damage`. */
  begin(entries: readonly EntryBody[], alongside: readonly Change[]): Group;
  /**
   * After a group failed and nothing is under way any more: back to what is on disk; gives its size. Where that is not what was kept last, the log
   * is read anew, and has a `damage` if that fails. Never throws.
   */
  goBack(): Promise<bigint>;
}

export function createLogEnd(deps: LedgerDeps): LogEnd {
  const { crypto, store, identity, clock } = deps;
  let kept: Edge = { state: emptyState(crypto, identity), head: undefined };
  let begun = kept;
  let damage: PeerAiError | undefined;
  const load = async (): Promise<void> => {
    try {
      const head = await store.get(headKey);
      kept = { state: (await loadState(crypto, store, identity.peer)) ?? kept.state, head };
      damage = undefined;
    } catch (error) {
      if (PeerAiError.is(error, 'LEDGER_DAMAGED')) damage = error;
      throw error;
    } finally {
      begun = kept;
    }
  };
  return {
    get state() {
      return kept.state;
    },
    get damage() {
      return damage;
    },
    load,
    begin(entries, alongside) {
      if (damage !== undefined) throw damage;
      const before = begun;
      const { state, changes, head } = extend(deps, before.state, entries, Math.max(0, Math.trunc(clock.nowMs())));
      changes.push({ ...store.put(headKey, head), expected: { value: before.head } }, ...alongside);
      const after = { state, head };
      begun = after;
      return {
        first: before.state.range.size,
        written: store.commit(changes),
        keep() {
          kept = after;
        },
      };
    },
    async goBack() {
      begun = kept;
      const { size } = kept.state.range;
      try {
        const head = await store.get(headKey);
        const isKept = head === undefined || kept.head === undefined ? head === kept.head : equalBytes(head, kept.head);
        if (!isKept) await load();
        const left = kept.head === undefined ? 0n : kept.state.range.size;
        if (left < size) damage = damaged(left, 'the entry was there before');
      } catch {
        // Damaged, which is said to the next append, or a store that is broken says that itself.
      }
      return kept.state.range.size;
    },
  };
}
