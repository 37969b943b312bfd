import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fromBase64Url, fromHex, toHex, utf8 } from '@peerai/core-protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crypto, flipped } from '../../test/world.ts';
import {
  appendLeaf,
  consistencyPath,
  emptyRange,
  inclusionPath,
  leafHash,
  nodeHash,
  rootOf,
  type SubtreeReader,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';

const vectors = new URL('../../../../../shared/vectors/merkle/testdata/', import.meta.url);
const isThere = existsSync(vectors);

interface Vector {
  readonly leafIdx: string;
  readonly treeSize: string;
  readonly size1: string;
  readonly size2: string;
  readonly root: string;
  readonly root1: string;
  readonly root2: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

/** Sizes reach 2^63: they become texts before JSON makes floats of them. */
function readVectors(kind: string): { name: string; vector: Vector }[] {
  const folder = new URL(`${kind}/`, vectors);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  return files.map((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const safe = text.replaceAll(/("(?:leafIdx|treeSize|size1|size2)":\s*)(-?\d+)/gu, '$1"$2"');
    return { name, vector: JSON.parse(safe) as Vector };
  });
}

const bytes = (base64: string): Uint8Array =>
  fromBase64Url(base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''));

describe.skipIf(!isThere)('transparency-dev/merkle vectors (../shared/vectors/merkle; skipped where absent)', () => {
  test('98 inclusion proofs', () => {
    const cases = readVectors('inclusion');
    expect(cases).toHaveLength(98);
    const wrong = cases.filter(({ vector }) => {
      const proof = {
        index: BigInt(vector.leafIdx),
        size: BigInt(vector.treeSize),
        leaf: bytes(vector.leafHash),
        root: bytes(vector.root),
        path: (vector.proof ?? []).map(bytes),
      };
      return verifyInclusion(crypto, proof) === vector.wantErr;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
  test('98 consistency proofs', () => {
    const cases = readVectors('consistency');
    expect(cases).toHaveLength(98);
    const wrong = cases.filter(({ vector }) => {
      const proof = {
        size1: BigInt(vector.size1),
        size2: BigInt(vector.size2),
        root1: bytes(vector.root1),
        root2: bytes(vector.root2),
        path: (vector.proof ?? []).map(bytes),
      };
      return verifyConsistency(crypto, proof) === vector.wantErr;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => leafHash(crypto, utf8(`leaf ${index}`)));
/** MTH as RFC 6962 writes it down: slow, and the measure for the rest. */
function slowRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return crypto.sha256();
  if (leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(crypto, slowRoot(leaves.slice(0, split)), slowRoot(leaves.slice(split)));
}
const root = (leaves: readonly Uint8Array[]): Uint8Array =>
  rootOf(
    crypto,
    leaves.reduce((range, leaf) => appendLeaf(crypto, range, leaf), emptyRange),
  );
const reader =
  (leaves: readonly Uint8Array[]): SubtreeReader =>
  async (level, index) =>
    slowRoot(leaves.slice(Number(index << BigInt(level)), Number((index + 1n) << BigInt(level))));

test('the tree of the eight leaves of the Certificate Transparency reference has their root', () => {
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const leaves = inputs.map((hex) => leafHash(crypto, fromHex(hex)));
  expect(toHex(root(leaves))).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  expect(toHex(root([]))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('appending leaf by leaf gives the root that RFC 6962 defines', () => {
  for (let count = 0; count <= 40; count += 1) expect(root(leavesOf(count))).toEqual(slowRoot(leavesOf(count)));
});

test('every leaf of every small tree is proven, and for no other place', async () => {
  for (let count = 1; count <= 17; count += 1) {
    const leaves = leavesOf(count);
    for (const [place, leaf] of leaves.entries()) {
      const [index, size] = [BigInt(place), BigInt(count)];
      const path = await inclusionPath(crypto, reader(leaves), index, size);
      const proof = { index, size, leaf, root: root(leaves), path };
      expect(verifyInclusion(crypto, proof)).toBe(true);
      expect(verifyInclusion(crypto, { ...proof, index: index + 1n })).toBe(false);
      expect(verifyInclusion(crypto, { ...proof, path: [...path, leaf] })).toBe(false);
    }
  }
});

test('leaves past 2^63 − 1 are proven by the rule of RFC 6962 section 2.1.1, though no number has so many bits', () => {
  const leaf = leafHash(crypto, utf8('far out'));
  /** PATH(index, D[size]) and MTH(D[size]); the subtrees beside the way are any hashes, one a level. */
  function far(index: bigint, size: bigint): { path: Uint8Array[]; root: Uint8Array } {
    if (size === 1n) return { path: [], root: leaf };
    let left = 1n;
    while (left * 2n < size) left *= 2n;
    const beside = crypto.sha256(utf8(`beside ${size}`));
    const isLeft = index < left;
    const { path, root: below } = isLeft ? far(index, left) : far(index - left, size - left);
    const pair = isLeft ? [below, beside] : [beside, below];
    return { path: [...path, beside], root: crypto.sha256(Uint8Array.of(1), ...pair) };
  }
  const middle = 1n << 63n;
  const places = [
    [middle - 1n, middle, 63],
    [middle - 1n, middle + 1n, 64],
    [middle, middle + 1n, 1],
    [middle + 4n, middle + 7n, 4],
    [2n * middle - 2n, 2n * middle, 64],
  ] as const;
  for (const [index, size, hashes] of places) {
    const proof = { index, size, leaf, ...far(index, size) };
    expect(proof.path).toHaveLength(hashes);
    expect(verifyInclusion(crypto, proof)).toBe(true);
    for (const neighbour of [index - 1n, index + 1n])
      expect(verifyInclusion(crypto, { ...proof, index: neighbour }), `${neighbour} of ${size}`).toBe(false);
    for (const [place, hash] of proof.path.entries())
      expect(verifyInclusion(crypto, { ...proof, path: proof.path.with(place, flipped(hash, 0)) })).toBe(false);
  }
});

test('any two sizes of a tree are proven consistent, and not with another tree', async () => {
  const sizes = fc.integer({ min: 1, max: 300 });
  await fc.assert(
    fc.asyncProperty(sizes, sizes, async (a, b) => {
      const [size1, size2] = [Math.min(a, b), Math.max(a, b)];
      const leaves = leavesOf(size2);
      const path = await consistencyPath(crypto, reader(leaves), BigInt(size1), BigInt(size2));
      const proof = { size1: BigInt(size1), size2: BigInt(size2), root2: root(leaves), path };
      const root1 = root(leaves.slice(0, size1));
      expect(verifyConsistency(crypto, { ...proof, root1 })).toBe(true);
      expect(verifyConsistency(crypto, { ...proof, root1: crypto.sha256(root1) })).toBe(false);
    }),
    { numRuns: 60 },
  );
});
