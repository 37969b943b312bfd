import {
  type CryptoProvider,
  equalBytes,
  type Identity,
  type Key,
  PeerAiError,
  type PeerId,
  type Store,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { checkEntry } from '../log/check.ts';
import { damaged } from '../log/damaged.ts';
import { noPrevious } from '../log/entry.ts';
import { emptyRange, leafHash, rootOf } from '../log/merkle.ts';
import { openCheckpoint, signCheckpoint, type TreeHead } from '../log/note.ts';
import { allRows, decodeEntryRow, decodeHead, encodeHead, entryKey, entryRows, headKey } from '../log/rows.ts';
import { addEntry, type LogState } from '../log/state.ts';
import { verifyLog } from '../log/verify-log.ts';
import { bare } from '../witness/equivocation.ts';

export interface RepairDeps {
  /** The room of the damaged log. Nobody else may write to it meanwhile. */
  readonly store: Store;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
}
/** A copy of our log that somebody kept: a checkpoint we signed, and all entries it speaks of. */
export interface RepairSource {
  readonly note: string;
  readonly entries: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}
export interface Repair {
  /** Entries of the log as it is now. */
  readonly size: bigint;
  /** Entries that were missing or changed. */
  readonly restored: number;
}

/**
 * Puts a damaged log back together in one commit, out of a copy, or without one out of its own rows where only what follows from its entries was damaged.
 * The copy has to be whole under a checkpoint of our own signature; where our own newest checkpoint can still be read the result has to be under that as
 * well, so nothing that was signed is taken back. Entries that came after the copy are ours as long as they are intact. Opens the log again afterwards:
 * what was open before is behind it.
 * Throws PROOF_WRONG (the copy is not what was signed, or two checkpoints of ours contradict each other), NOT_OUR_LOG, LEDGER_DAMAGED (`details.index`:
 * an entry that neither side has), INVALID_SIGNATURE, INVALID_FORMAT, what the store throws.
 */
export async function repairLog(deps: RepairDeps, source?: RepairSource): Promise<Repair> {
  const { store, crypto, identity } = deps;
  const copy = source === undefined ? undefined : await readCopy(deps, source);
  const copied = copy?.head.size ?? 0n;
  const own = await readOwn(deps);
  const size = own.head?.size;
  if (copy === undefined && size === undefined) throw damaged(0n, 'nothing that can be read here says what was signed');
  const rows = new Map<Key, Uint8Array>();
  let edge: Omit<LogState, 'note'> = { range: emptyRange, tails: [], last: noPrevious };
  for (let index = 0n; index < copied || index < (size ?? own.size); index = edge.range.size) {
    if (index === size) checkRoot(crypto, edge, own.head);
    const bytes = copy?.entries[Number(index)] ?? own.entry(index);
    if (bytes === undefined) throw damaged(index, 'neither this log nor the copy has the entry');
    if (index >= copied) checkEntry(bytes, { index, previous: edge.last, origin: identity.peer });
    edge = addEntry(crypto, edge, bytes, rows);
  }
  const { range, last } = edge;
  if (range.size === size) checkRoot(crypto, edge, own.head);
  const signed = [own.head?.note, source?.note].find(
    (note) => note !== undefined && openCheckpoint(crypto, note).size === range.size,
  );
  const note =
    signed === undefined ? signCheckpoint(crypto, identity, range.size, rootOf(crypto, range)) : bare(crypto, signed);
  rows.set(headKey, encodeHead({ version: 1, size: range.size, note, range: range.hashes, last }));
  return { size: range.size, restored: await replaceRows(store, rows) };
}

async function readCopy(
  { crypto, identity }: RepairDeps,
  { note, entries }: RepairSource,
): Promise<{ readonly head: TreeHead; readonly entries: readonly Uint8Array[] }> {
  const head = openCheckpoint(crypto, note);
  if (head.origin !== identity.peer)
    throw new PeerAiError<LedgerErrorCode>('NOT_OUR_LOG', `this copy is of the log of ${head.origin}`, {
      origin: head.origin,
    });
  const all: Uint8Array[] = [];
  for await (const bytes of entries) all.push(bytes);
  const { ok, firstBad } = await verifyLog(crypto, { note, entries: all });
  if (!ok)
    throw new PeerAiError<LedgerErrorCode>(
      'PROOF_WRONG',
      `entry ${firstBad?.index} of the copy is not as it was signed`,
      {
        index: firstBad?.index,
      },
    );
  return { head, entries: all };
}

/** What can still be read: entries whose bytes are those that were hashed, and the newest checkpoint. */
async function readOwn({ store, crypto, identity }: RepairDeps) {
  const rows = new Map<Key, Uint8Array>();
  /** The one after the last of which anything is left. */
  let size = 0n;
  for await (const { key, value } of store.range(entryRows.from, entryRows.to)) {
    const { leaf, bytes } = decodeEntryRow(value);
    if (equalBytes(leaf, leafHash(crypto, bytes))) rows.set(key, bytes);
    if (isPlace.test(key)) size = BigInt(`0x${key.slice(2)}`) + 1n;
  }
  const value = await store.get(headKey);
  const head = value === undefined ? undefined : signedIn(crypto, value, identity.peer);
  return { head, size, entry: (index: bigint) => rows.get(entryKey(index)) };
}

const isPlace = /^e\/[0-9a-f]{16}$/u;

/** A checkpoint of ours as it was signed. */
type SignedHead = TreeHead & { readonly note: string };

/** The checkpoint in a head whose other fields may be damaged: it vouches for itself. Throws NOT_OUR_LOG. */
function signedIn(crypto: CryptoProvider, value: Uint8Array, origin: PeerId): SignedHead | undefined {
  const whole = attempt(() => decodeHead(value).note);
  const text = new TextDecoder().decode(value);
  const [found] = /^[^\n]+\n\d{1,19}\n[^\n]+\n\n— [^\n]+\n/u.exec(text.slice(text.indexOf(`${origin}\n`))) ?? [];
  const note = whole ?? found;
  const head = note === undefined ? undefined : attempt(() => openCheckpoint(crypto, note));
  if (note === undefined || head === undefined) return undefined;
  if (head.origin === origin) return { ...head, note };
  throw new PeerAiError<LedgerErrorCode>('NOT_OUR_LOG', `this log belongs to ${head.origin}`, { origin: head.origin });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function checkRoot(crypto: CryptoProvider, { range }: Omit<LogState, 'note'>, head: SignedHead | undefined): void {
  if (head === undefined || equalBytes(rootOf(crypto, range), head.root)) return;
  throw new PeerAiError<LedgerErrorCode>(
    'PROOF_WRONG',
    `with this copy the log would not be what was signed at ${head.size} entries`,
    { size: head.size },
  );
}

/** Makes the room hold exactly these rows; counts entries that changed. */
async function replaceRows(store: Store, rows: ReadonlyMap<Key, Uint8Array>): Promise<number> {
  const missing = new Map(rows);
  const changes = [];
  let restored = 0;
  const isEntry = (key: Key): boolean => key.startsWith(entryRows.from);
  for await (const { key, value } of store.range(allRows.from, allRows.to)) {
    const wanted = missing.get(key);
    missing.delete(key);
    if (wanted !== undefined && equalBytes(wanted, value)) continue;
    changes.push(store.put(key, wanted));
    if (isEntry(key)) restored += 1;
  }
  for (const [key, value] of missing) {
    changes.push(store.put(key, value));
    if (isEntry(key)) restored += 1;
  }
  if (changes.length > 0) await store.commit(changes);
  return restored;
}
