import {
  type CompactRange,
  appendLeaf,
  consistencyPath,
  emptyRange,
  type Hasher,
  leafHash,
  nodeHash,
  rootOf,
} from '../../log/merkle.ts';

/** RFC 6962 over the hashes of a chain's blocks: the leaf at place i is block i + 1's. */
export interface HeadTree {
  readonly size: number;
  add(blockHash: Uint8Array): void;
  /** Needs size ≤ `size`. */
  rootAt(size: number): Uint8Array;
  /** Needs size1 ≤ size2 ≤ `size`; nothing for an empty tree and for one and the same. */
  proof(size1: number, size2: number): Promise<readonly Uint8Array[]>;
}

export function createHeadTree(crypto: Hasher): HeadTree {
  const leaves: Uint8Array[] = [];
  const subtree = (level: number, index: number): Uint8Array =>
    level === 0
      ? (leaves[index] as Uint8Array)
      : nodeHash(crypto, subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1));
  return {
    get size() {
      return leaves.length;
    },
    add: (blockHash) => void leaves.push(leafHash(crypto, blockHash)),
    rootAt: (size) =>
      rootOf(
        crypto,
        leaves.slice(0, size).reduce<CompactRange>((range, leaf) => appendLeaf(crypto, range, leaf), emptyRange),
      ),
    proof: async (size1, size2) =>
      size1 === 0 || size1 === size2
        ? []
        : consistencyPath(crypto, async (level, index) => subtree(level, Number(index)), BigInt(size1), BigInt(size2)),
  };
}
