import { type CryptoProvider, type EntryBody, type Identity, type Key } from '@peerai/core-protocol';
import { encodeEntryBehindHash, noPrevious } from './entry.ts';
import { appendLeaf, type CompactRange, emptyRange, leafHash, rootOf } from './merkle.ts';
import { signCheckpoint } from './note.ts';
import { encodeEntryRow, encodeHead, entryKey, headKey } from './rows.ts';
import { addToTails, type GrowingTails, growingTails, type Tails } from './tiles.ts';

/** Everything that appending needs to know; replaced as a whole once a commit is on disk. */
export interface LogState {
  readonly range: CompactRange;
  readonly tails: Tails;
  readonly last: Uint8Array;
  readonly note: string;
}

export function emptyState(crypto: CryptoProvider, identity: Identity): LogState {
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
  const row = encodeEntryRow({ leaf, bytes });
  return { range: grow(crypto, range, growing, { leaf, row }, rows), last: leaf, tails: growing };
}

/** The same with tails of the caller's own, which grow in place: 256 hashes are not copied for each entry of many. */
function grow(
  crypto: CryptoProvider,
  range: CompactRange,
  tails: GrowingTails,
  { leaf, row }: { readonly leaf: Uint8Array; readonly row: Uint8Array },
  rows: Map<Key, Uint8Array>,
): CompactRange {
  rows.set(entryKey(range.size), row);
  const tileRoots: Uint8Array[] = [];
  const next = appendLeaf(crypto, range, leaf, tileRoots);
  addToTails(tails, { leaf, size: next.size, tileRoots }, rows);
  return next;
}

/** The state with these entries, signed once, and the rows that make it durable. Pure: nothing happens until they are committed. */
export function extend(
  deps: { readonly crypto: CryptoProvider; readonly identity: Identity },
  state: LogState,
  entries: readonly EntryBody[],
  timeMs: number,
): { readonly state: LogState; readonly rows: ReadonlyMap<Key, Uint8Array> } {
  const { crypto, identity } = deps;
  const rows = new Map<Key, Uint8Array>();
  let { range, last } = state;
  const tails = growingTails(state.tails);
  for (const { kind, body } of entries) {
    const row = encodeEntryBehindHash(identity.publicKey, { seq: range.size, previous: last, kind, timeMs, body });
    // The zero before the entry is what a leaf is hashed with: see `leafHash`. Then the hash takes the place of it.
    last = crypto.sha256(row.subarray(31));
    row.set(last);
    range = grow(crypto, range, tails, { leaf: last, row }, rows);
  }
  const note = signCheckpoint(crypto, identity, range.size, rootOf(crypto, range));
  rows.set(headKey, encodeHead({ version: 1, size: range.size, note, range: range.hashes, last }));
  return { state: { range, tails, last, note }, rows };
}
