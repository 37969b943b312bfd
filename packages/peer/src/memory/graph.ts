import type { Capsule } from '@peerai/nn-engine/memory';
import { limits } from '../limits.ts';
import type { MemoryLink } from './memory.schema.ts';

type Point = Pick<Capsule, 'id' | 'author' | 'tags' | 'relations' | 'embedder' | 'vector'>;

const order: readonly MemoryLink['kind'][] = ['replaces', 'follows', 'related', 'near', 'source', 'tag'];

/**
 * What binds these capsules, the strongest first, at most `limits.memoryGraphLinksMax`. A pair has one link, the first that holds: one names the other
 * (`replaces`, `follows`, `related`); their vectors, of one embedder, have at least the cosine `limits.graphCosineMin` (`near`); another peer made both
 * (`source`); they share a tag.
 */
export function linksOf(
  points: readonly Point[],
  isOwn: (author: Capsule['author']) => boolean,
): readonly MemoryLink[] {
  const links: MemoryLink[] = [];
  for (const [place, one] of points.entries())
    for (const other of points.slice(place + 1)) {
      const link = named(one, other) ?? named(other, one) ?? alike(one, other, isOwn);
      if (link !== undefined) links.push(link);
    }
  return links
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.strength - a.strength)
    .slice(0, limits.memoryGraphLinksMax);
}

function named(one: Point, other: Point): MemoryLink | undefined {
  const relation = one.relations.find(({ capsule }) => capsule === other.id);
  return relation === undefined ? undefined : { from: one.id, to: other.id, kind: relation.kind, strength: 1 };
}

function alike(one: Point, other: Point, isOwn: (author: Capsule['author']) => boolean): MemoryLink | undefined {
  const pair = { from: one.id, to: other.id };
  const cosine = one.embedder === other.embedder ? cosineOf(one.vector, other.vector) : 0;
  if (cosine >= limits.graphCosineMin) return { ...pair, kind: 'near', strength: cosine };
  if (one.author === other.author && !isOwn(one.author)) return { ...pair, kind: 'source', strength: 1 };
  const shared = one.tags.filter((tag) => other.tags.includes(tag)).length;
  return shared === 0 ? undefined : { ...pair, kind: 'tag', strength: shared };
}

/** Of vectors of length 1, or 0. */
function cosineOf(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) return 0;
  let sum = 0;
  for (const [place, value] of one.entries()) sum += value * (other[place] ?? 0);
  return Math.min(1, sum);
}
