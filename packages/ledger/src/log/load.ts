import { type CryptoProvider, equalBytes, type PeerId, type Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { checkHead, checkRow } from './check.ts';
import { damaged } from './damaged.ts';
import { noPrevious } from './entry.ts';
import { appendLeaf, type CompactRange, subtreeCount } from './merkle.ts';
import { allRows, decodeEntryRow, entryKey, entryRows, type Head, headKey, tileKey } from './rows.ts';
import type { LogState } from './state.ts';
import { splitHashes } from './tiles.ts';

/**
 * The fast check on opening: the checkpoint's signature, the root, and the newest entries (up to 255) one by one. The rest is `verify`'s.
 * `undefined` where there is no log yet. Throws LEDGER_DAMAGED with `details.index`, NOT_OUR_LOG.
 */
export async function loadState(crypto: CryptoProvider, store: Store, origin: PeerId): Promise<LogState | undefined> {
  const value = await store.get(headKey);
  if (value === undefined) {
    for await (const { key } of store.range(allRows.from, allRows.to, { limit: 1 })) {
      throw damaged(0n, `there is a row ${key} but no head`);
    }
    return undefined;
  }
  const head = checkHead(crypto, value, origin, 0n);
  return { ...(await loadEdge(crypto, store, head, origin)), note: head.note };
}

/** The right edge of a stored log whose head was checked: its newest entries (up to 255) one by one, and the open tiles. Throws LEDGER_DAMAGED. */
export async function loadEdge(
  crypto: CryptoProvider,
  store: Store,
  head: Head,
  origin: PeerId,
): Promise<Omit<LogState, 'note'>> {
  const { range, leaves } = await checkNewest(crypto, store, head, origin);
  return { range, tails: [leaves, ...(await higherTails(store, head.size))], last: head.last };
}

async function checkNewest(
  crypto: CryptoProvider,
  store: Store,
  head: Head,
  origin: PeerId,
): Promise<{ readonly range: CompactRange; readonly leaves: readonly Uint8Array[] }> {
  const from = head.size - (head.size % BigInt(limits.tileHashes));
  const leaves: Uint8Array[] = [];
  let range: CompactRange = { size: from, hashes: head.range.slice(0, subtreeCount(from)) };
  let previous = await leafBefore(store, from);
  for await (const { key, value } of store.range(entryKey(from), entryRows.to)) {
    const index = range.size;
    if (index === head.size) throw damaged(index, 'there are more entries than were signed');
    const row = decodeEntryRow(value);
    checkRow(crypto, key, row, { index, previous, origin });
    range = appendLeaf(crypto, range, row.leaf);
    leaves.push(row.leaf);
    previous = row.leaf;
  }
  if (range.size !== head.size) throw damaged(range.size, 'the entry is missing');
  const isSame = range.hashes.every((hash, index) => equalBytes(hash, head.range[index] ?? noPrevious));
  if (!isSame || !equalBytes(previous, head.last)) {
    throw damaged(from, 'the newest entries are not those that were signed');
  }
  return { range, leaves };
}

async function leafBefore(store: Store, from: bigint): Promise<Uint8Array> {
  if (from === 0n) return noPrevious;
  const value = await store.get(entryKey(from - 1n));
  if (value === undefined) throw damaged(from - 1n, 'the entry is missing');
  return decodeEntryRow(value).leaf;
}

async function higherTails(store: Store, size: bigint): Promise<Uint8Array[][]> {
  const tails: Uint8Array[][] = [];
  for (let hashes = size >> 8n, level = 1; hashes > 0n; hashes >>= 8n, level += 1) {
    const count = Number(hashes & 255n);
    const tile = count === 0 ? new Uint8Array() : await store.get(tileKey(level, hashes >> 8n));
    if (tile?.length !== count * 32) throw damaged(0n, `the tile of level ${level} is not whole`);
    tails.push(splitHashes(tile));
  }
  return tails;
}
