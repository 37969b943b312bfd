import { type CryptoProvider, fromHex, PeerAiError, toHex } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { appendLeaf, emptyRange, inclusionPath, leafHash, nodeHash, rootOf, verifyInclusion } from '../log/merkle.ts';
import { marketLimits as limits } from './limits.ts';
import { challengedPlaces, storageProof } from './storage.ts';

type Hasher = Pick<CryptoProvider, 'sha256'>;
/** Bytes that are held for somebody, by the root of their tree. */
export interface StoredChunk {
  /** Hex: the root of the RFC 6962 tree over its leaves of `storageLeafBytes`, the last one shorter. */
  readonly id: string;
  readonly bytes: number;
}
/** A leaf with what ties it to its chunk's id. */
export interface ShownLeaf {
  readonly chunk: string;
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly path: readonly Uint8Array[];
}

const leafBytes = limits.storageLeafBytes;
const leavesIn = (bytes: number): number => Math.ceil(bytes / leafBytes);
const leafAt = (content: Uint8Array, index: number): Uint8Array =>
  content.subarray(index * leafBytes, (index + 1) * leafBytes);

/** What a chunk is called: 32 bytes in hex. */
export function chunkIdOf(crypto: Hasher, content: Uint8Array): string {
  let range = emptyRange;
  for (let index = 0; index < leavesIn(content.length); index += 1)
    range = appendLeaf(crypto, range, leafHash(crypto, leafAt(content, index)));
  return toHex(rootOf(crypto, range));
}

/** The leaves that a challenge asks for, in its order, each once. All chunks lie one behind the other in the order of their ids. */
export function challengedLeaves(
  crypto: Hasher,
  nonce: Uint8Array,
  chunks: readonly StoredChunk[],
): readonly Pick<ShownLeaf, 'chunk' | 'index'>[] {
  const line = lineOf(chunks);
  const wanted = new Map<string, Pick<ShownLeaf, 'chunk' | 'index'>>();
  for (const place of challengedPlaces(crypto, nonce, line.bytes))
    for (const piece of line.pieces(place, Math.min(limits.challengeRangeBytes, line.bytes - place)))
      wanted.set(`${piece.chunk}/${piece.index}`, { chunk: piece.chunk, index: piece.index });
  return [...wanted.values()];
}

/** One leaf of a chunk with its path. */
export async function showLeaf(crypto: Hasher, chunk: string, content: Uint8Array, index: number): Promise<ShownLeaf> {
  const hashes = Array.from({ length: leavesIn(content.length) }, (_, at) => leafHash(crypto, leafAt(content, at)));
  const subtree = (from: number, to: number): Uint8Array => {
    if (to - from === 1) return hashes[from] ?? new Uint8Array();
    const middle = (from + to) / 2;
    return nodeHash(crypto, subtree(from, middle), subtree(middle, to));
  };
  const read = async (level: number, at: bigint): Promise<Uint8Array> => {
    const width = 2 ** level;
    return subtree(Number(at) * width, (Number(at) + 1) * width);
  };
  const path = await inclusionPath(crypto, read, BigInt(index), BigInt(hashes.length));
  return { chunk, index, leaf: leafAt(content, index).slice(), path };
}

/** Whether a leaf is the one it is said to be, of a chunk of so many bytes. */
export function isOfChunk(crypto: Hasher, { chunk, index, leaf, path }: ShownLeaf, bytes: number): boolean {
  if (chunk.length !== 64 || leaf.length === 0) return false;
  const isWhole = leaf.length === Math.min(leafBytes, bytes - index * leafBytes);
  const proof = { index: BigInt(index), size: BigInt(leavesIn(bytes)), leaf: leafHash(crypto, leaf), path };
  return isWhole && verifyInclusion(crypto, { ...proof, root: fromHex(chunk) });
}

/**
 * What a right answer to this challenge is, out of leaves that are each shown to be of their chunk: nobody needs the bytes to check.
 *
 * Throws RECEIPT_WRONG for a leaf that is missing or not of its chunk.
 */
export async function provenBy(
  crypto: Hasher,
  nonce: Uint8Array,
  chunks: readonly StoredChunk[],
  shown: readonly ShownLeaf[],
): Promise<Uint8Array> {
  const line = lineOf(chunks);
  const sizes = new Map(chunks.map(({ id, bytes }) => [id, bytes]));
  const leaves = new Map<string, Uint8Array>();
  for (const { chunk, index, leaf, path } of shown) {
    if (isOfChunk(crypto, { chunk, index, leaf, path }, sizes.get(chunk) ?? 0)) leaves.set(`${chunk}/${index}`, leaf);
  }
  return storageProof(crypto, nonce, line.bytes, (place, length) => {
    const range = new Uint8Array(length);
    let at = 0;
    for (const { chunk, index, from, to } of line.pieces(place, length)) {
      const leaf = leaves.get(`${chunk}/${index}`);
      if (leaf === undefined)
        throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', 'a leaf of this proof is not of its chunk', {
          field: 'proof',
        });
      range.set(leaf.subarray(from, to), at);
      at += to - from;
    }
    return range;
  });
}

/** Chunks in one line: which leaves a range touches. */
function lineOf(chunks: readonly StoredChunk[]) {
  const sorted = chunks.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const starts: number[] = [];
  let bytes = 0;
  for (const chunk of sorted) {
    starts.push(bytes);
    bytes += chunk.bytes;
  }
  /** The last chunk that begins at this place or before. */
  const chunkAt = (place: number): number => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    bytes,
    /** Parts of leaves, `from` and `to` inside each, that a range consists of. */
    *pieces(place: number, length: number) {
      for (let at = place; at < place + length;) {
        const which = chunkAt(at);
        const chunk = sorted[which];
        if (chunk === undefined) return;
        const inside = at - (starts[which] ?? 0);
        const index = Math.floor(inside / leafBytes);
        const end = Math.min((index + 1) * leafBytes, chunk.bytes, inside + place + length - at);
        yield { chunk: chunk.id, index, from: inside - index * leafBytes, to: end - index * leafBytes };
        at += end - inside;
      }
    },
  };
}
