import { equalBytes } from '@peerai/core-protocol';
import type { CryptoProvider } from '@peerai/core-protocol';

/** The one primitive this file asks for. */
export type Hasher = Pick<CryptoProvider, 'sha256'>;

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** SHA-256(0x00 ‖ entry). RFC 6962 section 2.1. */
export const leafHash = (crypto: Hasher, entry: Uint8Array): Uint8Array => crypto.sha256(leafPrefix, entry);
/** Where two hashes are put together; a call is over before the next begins. */
const pair = Uint8Array.of(...nodePrefix, ...new Uint8Array(64));

/** SHA-256(0x01 ‖ left ‖ right). RFC 6962 section 2.1. */
export function nodeHash(crypto: Hasher, left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== 32 || right.length !== 32) return crypto.sha256(nodePrefix, left, right);
  pair.set(left, 1);
  pair.set(right, 33);
  return crypto.sha256(pair);
}

/** Levels of the tree between a tile and the one above it: a tile has 2^8 hashes. */
export const tileLevels = 8;

/** What appending needs of a tree: the roots of its complete subtrees, largest first, one for each set bit of `size`. */
export interface CompactRange {
  readonly size: bigint;
  readonly hashes: readonly Uint8Array[];
}
export const emptyRange: CompactRange = { size: 0n, hashes: [] };

/**
 * One leaf more: a hash for each trailing one bit of the size, one on average.
 * @param tileRoots - gets the roots of the subtrees of 2^8, 2^16, … leaves that this leaf completes.
 */
export function appendLeaf(
  crypto: Hasher,
  range: CompactRange,
  leaf: Uint8Array,
  tileRoots?: Uint8Array[],
): CompactRange {
  const hashes = [...range.hashes];
  pushLeaf(crypto, hashes, range.size, leaf, tileRoots);
  return { size: range.size + 1n, hashes };
}

/** The same on hashes of the caller's own, which grow in place. */
export function pushLeaf(
  crypto: Hasher,
  hashes: Uint8Array[],
  size: bigint,
  leaf: Uint8Array,
  tileRoots?: Uint8Array[],
): void {
  let right = leaf;
  let level = 0;
  for (let bits = size; (bits & 1n) === 1n; bits >>= 1n) {
    right = nodeHash(crypto, hashes.pop() ?? leaf, right);
    level += 1;
    if (level % tileLevels === 0) tileRoots?.push(right);
  }
  hashes.push(right);
}

/** The Merkle tree hash; of an empty tree SHA-256 of nothing. */
export function rootOf(crypto: Hasher, range: CompactRange): Uint8Array {
  return (
    range.hashes.reduceRight<Uint8Array | undefined>(
      (right, left) => (right === undefined ? left : nodeHash(crypto, left, right)),
      undefined,
    ) ?? crypto.sha256()
  );
}

/** How many subtrees a tree of this size has: the set bits. */
export function subtreeCount(size: bigint): number {
  let count = 0;
  for (let bits = size; bits > 0n; bits >>= 1n) if ((bits & 1n) === 1n) count += 1;
  return count;
}

/** Gives the root of the complete subtree of 2^level leaves that starts at leaf `index · 2^level`. */
export type SubtreeReader = (level: number, index: bigint) => Promise<Uint8Array>;

/** PATH(index, D[size]) of RFC 6962 section 2.1.1: the sibling of the leaf first. Needs index < size. */
export async function inclusionPath(
  crypto: Hasher,
  read: SubtreeReader,
  index: bigint,
  size: bigint,
): Promise<Uint8Array[]> {
  const path: Uint8Array[] = [];
  let from = 0n;
  let to = size;
  while (to - from > 1n) {
    const middle = from + splitPoint(to - from);
    if (index < middle) {
      path.push(await rangeHash(crypto, read, middle, to));
      to = middle;
    } else {
      path.push(await rangeHash(crypto, read, from, middle));
      from = middle;
    }
  }
  return path.toReversed();
}

/** PROOF(size1, D[size2]) of RFC 6962 section 2.1.2. Needs 0 < size1 ≤ size2. */
export async function consistencyPath(
  crypto: Hasher,
  read: SubtreeReader,
  size1: bigint,
  size2: bigint,
): Promise<Uint8Array[]> {
  const path: Uint8Array[] = [];
  let from = 0n;
  let to = size2;
  let whole = true;
  while (size1 !== to) {
    const middle = from + splitPoint(to - from);
    if (size1 <= middle) {
      path.push(await rangeHash(crypto, read, middle, to));
      to = middle;
    } else {
      path.push(await rangeHash(crypto, read, from, middle));
      from = middle;
      whole = false;
    }
  }
  if (!whole) path.push(await rangeHash(crypto, read, from, to));
  return path.toReversed();
}

/** MTH(D[0:size]): the root as it was when the log had so many entries. Needs 0 < size ≤ entries. */
export async function rootAt(crypto: Hasher, read: SubtreeReader, size: bigint): Promise<Uint8Array> {
  return rangeHash(crypto, read, 0n, size);
}

/** RFC 9162 section 2.1.3.2 (the same trees as RFC 6962, the check written out). Never throws. */
export function verifyInclusion(
  crypto: Hasher,
  proof: {
    readonly index: bigint;
    readonly size: bigint;
    readonly leaf: Uint8Array;
    readonly root: Uint8Array;
    readonly path: readonly Uint8Array[];
  },
): boolean {
  const { index, size, leaf, root, path } = proof;
  if (index < 0n || index >= size || leaf.length !== 32) return false;
  let [first, last] = [index, size - 1n];
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0n || sibling.length !== 32) return false;
    const isRight = (first & 1n) === 1n || first === last;
    hash = isRight ? nodeHash(crypto, sibling, hash) : nodeHash(crypto, hash, sibling);
    if (isRight) [first, last] = skipZeros(first, last);
    first >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equalBytes(hash, root);
}

/** RFC 9162 section 2.1.4.2. A tree of no leaves proves nothing: `size1` 0 is refused. Never throws. */
export function verifyConsistency(
  crypto: Hasher,
  proof: {
    readonly size1: bigint;
    readonly size2: bigint;
    readonly root1: Uint8Array;
    readonly root2: Uint8Array;
    readonly path: readonly Uint8Array[];
  },
): boolean {
  const { size1, size2, root1, root2 } = proof;
  if (size1 <= 0n || size1 > size2) return false;
  if (size1 === size2) return proof.path.length === 0 && equalBytes(root1, root2);
  const path = (size1 & (size1 - 1n)) === 0n ? [root1, ...proof.path] : proof.path;
  const [start, ...rest] = path;
  if (start === undefined || proof.path.length === 0 || start.length !== 32) return false;
  let [first, last] = [size1 - 1n, size2 - 1n];
  while ((first & 1n) === 1n) [first, last] = [first >> 1n, last >> 1n];
  let [hash1, hash2] = [start, start];
  for (const sibling of rest) {
    if (last === 0n || sibling.length !== 32) return false;
    if ((first & 1n) === 1n || first === last) {
      hash1 = nodeHash(crypto, sibling, hash1);
      hash2 = nodeHash(crypto, sibling, hash2);
      [first, last] = skipZeros(first, last);
    } else {
      hash2 = nodeHash(crypto, hash2, sibling);
    }
    first >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equalBytes(hash1, root1) && equalBytes(hash2, root2);
}

function skipZeros(first: bigint, last: bigint): [bigint, bigint] {
  let [left, right] = [first, last];
  while ((left & 1n) === 0n && left !== 0n) [left, right] = [left >> 1n, right >> 1n];
  return [left, right];
}

/** The largest power of two below `count`. */
function splitPoint(count: bigint): bigint {
  return 1n << BigInt((count - 1n).toString(2).length - 1);
}

/** MTH(D[from:to]); `from` is a multiple of the smallest power of two that is not below the count. */
async function rangeHash(crypto: Hasher, read: SubtreeReader, from: bigint, to: bigint): Promise<Uint8Array> {
  const count = to - from;
  if ((count & (count - 1n)) === 0n) {
    const level = count.toString(2).length - 1;
    return read(level, from >> BigInt(level));
  }
  const middle = from + splitPoint(count);
  const left = await rangeHash(crypto, read, from, middle);
  return nodeHash(crypto, left, await rangeHash(crypto, read, middle, to));
}
