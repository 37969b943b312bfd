import { concatBytes, type Key, PeerAiError, type Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { appendLeaf, emptyRange, type Hasher, rootOf, type SubtreeReader, tileLevels } from './merkle.ts';
import { decodeEntryRow, entryKey, entryRows, tileKey } from './rows.ts';

/**
 * The right edge of the tree by level: `tails[0]` the newest leaf hashes that fill no tile yet, `tails[k]` the roots of full tiles of level k − 1.
 * Tiles of level 0 are stored when full (their hashes stand in the entry rows before), higher ones with every hash that joins them.
 */
export type Tails = readonly (readonly Uint8Array[])[];

const bits = BigInt(tileLevels);

/** Tails that grow in place, for many leaves at once; nobody else may hold them. */
export type GrowingTails = Uint8Array[][];
export const growingTails = (tails: Tails): GrowingTails => tails.map((hashes) => [...hashes]);

/** A leaf and what it completes, as `appendLeaf` told. */
export interface NewLeaf {
  readonly leaf: Uint8Array;
  /** Leaves with this one. */
  readonly size: bigint;
  readonly tileRoots: readonly Uint8Array[];
}

/** One more leaf in the tails, and into `changed` every tile that has to be written. */
export function addToTails(
  tails: GrowingTails,
  { leaf, size, tileRoots }: NewLeaf,
  changed: Map<Key, Uint8Array>,
): void {
  let hash: Uint8Array | undefined = leaf;
  for (let level = 0; hash !== undefined; level += 1) {
    const hashes: Uint8Array[] = (tails[level] ??= []);
    hashes.push(hash);
    const isFull = hashes.length === limits.tileHashes;
    if (level > 0 || isFull) {
      const index = ((size >> (bits * BigInt(level))) - 1n) >> bits;
      changed.set(tileKey(level, index), concatBytes(...hashes));
    }
    if (!isFull) return;
    tails[level] = [];
    hash = tileRoots[level];
  }
}

/** Root of a complete subtree; the count of hashes is a power of two. */
function fold(crypto: Hasher, hashes: readonly Uint8Array[]): Uint8Array {
  return rootOf(
    crypto,
    hashes.reduce((range, hash) => appendLeaf(crypto, range, hash), emptyRange),
  );
}

export function splitHashes(tile: Uint8Array): Uint8Array[] {
  return Array.from({ length: tile.length / 32 }, (_, index) => tile.slice(index * 32, index * 32 + 32));
}

/** Reads subtrees out of tiles and, where none is full yet, out of entry rows: one or two reads a hash. Throws LEDGER_DAMAGED. */
export function subtreeReader(crypto: Hasher, store: Store): SubtreeReader {
  return async (level, index) => {
    const tileLevel = Math.floor(level / 8);
    const inside = BigInt(level % 8);
    const first = index << inside;
    const count = 1 << (level % 8);
    const tile = await store.get(tileKey(tileLevel, first >> bits));
    const start = Number(first & 255n);
    const hashes =
      tile === undefined && tileLevel === 0
        ? await leavesOf(store, first, count)
        : splitHashes(tile ?? new Uint8Array()).slice(start, start + count);
    if (hashes.length !== count) {
      throw new PeerAiError('LEDGER_DAMAGED', 'hashes of the log are missing', {
        index: first << BigInt(8 * tileLevel),
      });
    }
    return fold(crypto, hashes);
  };
}

async function leavesOf(store: Store, from: bigint, count: number): Promise<Uint8Array[]> {
  const leaves: Uint8Array[] = [];
  for await (const { value } of store.range(entryKey(from), entryRows.to, { limit: count })) {
    leaves.push(decodeEntryRow(value).leaf);
  }
  return leaves;
}
