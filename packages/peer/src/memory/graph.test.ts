import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { linksOf } from './graph.ts';

const [me, other] = [1, 2].map((seed) => createIdentity(nobleCrypto, new Uint8Array(32).fill(seed)).peer);
if (me === undefined || other === undefined) throw new TypeError('two keys were made');
const isOwn = (author: string): boolean => author === me;
type Point = Parameters<typeof linksOf>[0][number];
const point = (id: string, parts: Partial<Point> = {}): Point => ({
  id,
  author: me,
  tags: [],
  relations: [],
  embedder: 'x',
  vector: Float32Array.of(0, 0),
  ...parts,
});
const kinds = (...points: Point[]) => linksOf(points, isOwn).map(({ from, to, kind }) => `${from} ${kind} ${to}`);

test('a pair is bound by what it names, by near vectors, by its source, by tags, in this order', () => {
  const all = { author: other, tags: ['t'], vector: Float32Array.of(1, 0) };
  expect(kinds(point('a', all), point('b', { ...all, relations: [{ kind: 'follows', capsule: 'a' }] }))).toEqual([
    'b follows a',
  ]);
  expect(kinds(point('a', all), point('b', all))).toEqual(['a near b']);
  expect(kinds(point('a', all), point('b', { ...all, embedder: 'y' }))).toEqual(['a source b']);
  expect(kinds(point('a', { tags: ['t', 'u'] }), point('b', { tags: ['u'] }))).toEqual(['a tag b']);
  expect(kinds(point('a', { tags: ['t'] }), point('b', { tags: ['u'] }))).toEqual([]);
});

test('near begins at the least cosine', () => {
  const at = (cosine: number): string[] =>
    kinds(
      point('a', { vector: Float32Array.of(1, 0) }),
      point('b', { vector: Float32Array.of(cosine, Math.sqrt(1 - cosine ** 2)) }),
    );
  expect([at(limits.graphCosineMin).length, at(limits.graphCosineMin - 0.001).length]).toEqual([1, 0]);
});

test('so many links are given, the strongest, and no more', () => {
  // Each second one shares a tag with its neighbour alone, and one pair names each other.
  const pairs = (count: number): Point[] =>
    Array.from({ length: count }, (_, place) => [
      point(`a${place}`, { tags: [`${place}`] }),
      point(`b${place}`, {
        tags: [`${place}`],
        relations: place === count - 1 ? [{ kind: 'related', capsule: `a${place}` }] : [],
      }),
    ]).flat();
  expect(linksOf(pairs(limits.memoryGraphLinksMax), isOwn)).toHaveLength(limits.memoryGraphLinksMax);
  const more = linksOf(pairs(limits.memoryGraphLinksMax + 1), isOwn);
  expect([more.length, more[0]?.kind]).toEqual([limits.memoryGraphLinksMax, 'related']);
});
