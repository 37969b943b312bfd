import { type CryptoProvider, equalBytes, type PeerId, type Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { checksAside } from './aside.ts';
import { checkHead, checkRow, type Verification, type VerifyOptions } from './check.ts';
import { damaged, damageOf, orDamaged } from './damaged.ts';
import type { CompactRange } from './merkle.ts';
import { advance, startProgress } from './progress.ts';
import { allRows, decodeEntryRow, decodeHead, entryRows, type Head, headKey, tileRows } from './rows.ts';
import { addToTails, type GrowingTails } from './tiles.ts';

export interface StoredLog {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly origin: PeerId;
}

/**
 * Checks a log in its room, every stored byte of it, in one snapshot: entries (place, previous hash, own hash), receipts (both signatures,
 * running totals), the root against the signed checkpoint, tiles. The first bad entry is named. Reads only, so it also works on a log that
 * `openLedger` refuses. Throws NOT_OUR_LOG, and what the store or the signal throws.
 */
export async function verifyLedger(log: StoredLog, options: VerifyOptions = {}): Promise<Verification> {
  const { verifyAside } = options;
  if (verifyAside !== undefined) {
    const aside = checksAside(log.crypto, verifyAside, {
      together: limits.signaturesTogether,
      underWayMax: limits.signaturesAsideMax,
    });
    const found = await verifyRows({ ...log, crypto: aside.crypto }, options, () => aside.hasRoom());
    if ((await aside.allHold()) && found.ok) return found;
    // Which entry is the first bad one is found in order.
  }
  return verifyRows(log, options, undefined);
}

async function verifyRows(
  log: StoredLog,
  options: VerifyOptions,
  hasRoom: (() => Promise<void> | undefined) | undefined,
): Promise<Verification> {
  const progress = startProgress(log.crypto, log.origin);
  const size = await sizeHint(log.store);
  const counts = () => ({ checked: progress.range.size, receipts: progress.receipts.count, rounds: progress.rounds });
  const report = (at: bigint): void => options.onProgress?.(at, size > at ? size : at);
  try {
    const checked = await checkRows(log, progress, {
      report,
      signal: options.signal,
      hasRoom,
      checkEntry: options.checkEntry,
    });
    options.onProgress?.(checked, checked);
    return { ok: true, size: checked, ...counts() };
  } catch (error) {
    const firstBad = damageOf(error);
    if (firstBad === undefined) throw error;
    return { ok: false, size, ...counts(), firstBad };
  }
}

async function checkRows(
  { store, crypto, origin }: StoredLog,
  progress: ReturnType<typeof startProgress>,
  {
    report,
    signal,
    hasRoom,
    checkEntry,
  }: {
    readonly report: (checked: bigint) => void;
    readonly signal: AbortSignal | undefined;
    /** Before a row: what has to be waited for, so that not too much is checked aside. */
    readonly hasRoom: (() => Promise<void> | undefined) | undefined;
    readonly checkEntry: VerifyOptions['checkEntry'];
  },
): Promise<bigint> {
  /** SHA-256 of each tile as it should be. */
  const tiles = new Map<string, Uint8Array>();
  const changed = new Map<string, Uint8Array>();
  const tails: GrowingTails = [];
  let head: Head | undefined;
  for await (const { key, value } of store.range(allRows.from, allRows.to)) {
    signal?.throwIfAborted();
    const full = hasRoom?.();
    if (full !== undefined) await full;
    const index = progress.range.size;
    if (key.startsWith(entryRows.from)) {
      const row = decodeEntryRow(value);
      const entry = checkRow(crypto, key, row, { index, previous: progress.previous, origin });
      if (checkEntry !== undefined) orDamaged(index, () => checkEntry(entry));
      advance(crypto, progress, entry, row.leaf);
      addToTails(tails, { leaf: row.leaf, size: progress.range.size, tileRoots: progress.tileRoots }, changed);
      for (const [tile, hashes] of changed) tiles.set(tile, crypto.sha256(hashes));
      changed.clear();
      if (progress.range.size % BigInt(limits.tileHashes) === 0n) report(progress.range.size);
    } else if (key === headKey) {
      head = checkHead(crypto, value, origin, index);
      compareHead(progress, head);
    } else if (key.startsWith(tileRows.from) && tiles.has(key)) {
      if (!equalBytes(tiles.get(key) ?? value, crypto.sha256(value)))
        throw damaged(tileStart(key), `the tile ${key} is changed`);
      tiles.delete(key);
    } else {
      throw damaged(index, `a row that no log has: ${key}`);
    }
  }
  if (head === undefined && progress.range.size > 0n) throw damaged(progress.range.size, 'the head is missing');
  for (const [tile] of tiles) throw damaged(tileStart(tile), `the tile ${tile} is missing`);
  return progress.range.size;
}

function compareHead(
  { range, previous }: { readonly range: CompactRange; readonly previous: Uint8Array },
  head: Head,
): void {
  if (range.size < head.size) throw damaged(range.size, 'the entry is missing');
  if (range.size > head.size) throw damaged(head.size, 'there are more entries than were signed');
  const place = range.hashes.findIndex((hash, index) => !equalBytes(hash, head.range[index] ?? new Uint8Array()));
  if (place >= 0) {
    const [from, to] = subtreeBounds(range.size, place);
    throw damaged(from, `the entries ${from} to ${to - 1n} are not those that were signed`);
  }
  if (range.size > 0n && !equalBytes(previous, head.last))
    throw damaged(range.size - 1n, 'the head names another newest entry');
}

/** First leaf, and the one after the last, of the subtree at this place of a compact range. */
function subtreeBounds(size: bigint, place: number): readonly [bigint, bigint] {
  let from = 0n;
  let left = place;
  for (let width = 1n << 63n; width > 0n; width >>= 1n) {
    if ((size & width) === 0n) continue;
    if (left === 0) return [from, from + width];
    from += width;
    left -= 1;
  }
  return [from, size];
}

/** First entry under a tile, from its key. */
function tileStart(key: string): bigint {
  const [, level = '0', index = '0'] = key.split('/');
  return BigInt(`0x${index}`) << (8n * (BigInt(`0x${level}`) + 1n));
}

/** For progress only: what the head claims before anything is checked. */
async function sizeHint(store: Store): Promise<bigint> {
  try {
    const value = await store.get(headKey);
    return value === undefined ? 0n : decodeHead(value).size;
  } catch {
    return 0n;
  }
}
