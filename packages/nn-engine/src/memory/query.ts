import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { type Embedder, embedText, unit } from './embedder.ts';
import { type Group, type Held, touch, type VectorSpace } from './holdings.ts';
import type { Inner } from './inner.ts';
import { memoryLimits as limits } from './limits.ts';
import { checkLimit } from './list.ts';
import {
  askedTags,
  Best,
  find,
  type Found,
  hitOf,
  type Question,
  type Ranking,
  type SearchFilter,
  type SearchHit,
} from './search.ts';
import { allFinite } from './vectors.ts';

export interface MemoryQuery extends SearchFilter {
  /** Embedded by each embedder whose capsules are here. */
  readonly text?: string;
  /** Instead of a text: a vector in one embedder's space. */
  readonly vector?: { readonly space: VectorSpace; readonly values: Float32Array };
  /** Hits at most; 10 unless said. */
  readonly limit?: number;
  /** `relevance` unless said. */
  readonly ranking?: Ranking;
}
/** Capsules that were not looked at, because there is no embedder for them, or it failed. */
export interface LeftOut {
  readonly embedder: string;
  readonly count: number;
  readonly reason: 'no-embedder' | 'embedder-failed';
}
export interface SearchAnswer {
  /** Best first. */
  readonly hits: readonly SearchHit[];
  /** Capsules whose vectors the question could be compared with. */
  readonly searched: number;
  readonly leftOutCount: number;
  /** The embedders with the most capsules among them. */
  readonly leftOut: readonly LeftOut[];
}

/** The answer, and what this memory holds of each hit. */
interface Asked {
  readonly answer: SearchAnswer;
  readonly found: readonly Found[];
}

/** Throws INVALID_OPTION, LIMIT_EXCEEDED, ABORTED. */
export async function ask(inner: Inner, query: MemoryQuery, signal: AbortSignal): Promise<Asked> {
  const question: Question = {
    ...query,
    tags: askedTags(query.tags),
    ranking: query.ranking ?? 'relevance',
    limit: query.limit ?? 10,
    nowMs: inner.clock.nowMs(),
  };
  checkLimit(question.limit, limits.searchHitsMax);
  const vectorOf = await vectors(inner, query, signal);
  const best = new Best(question.limit);
  const leftOut: LeftOut[] = [];
  const { holdings } = inner;
  const ranks = ranksOf(inner, (space) => vectorOf(space) instanceof Float32Array);
  const asked = holdings.madeBytes === 0 ? question : { ...question, counts: (held: Held) => isBest(held, ranks) };
  for (const group of holdings.groups()) {
    const vector = vectorOf(group.space);
    if (vector instanceof Float32Array) {
      find(group, vector, asked, best);
      continue;
    }
    const count = group.held.filter((held) => held.of === undefined && isBest(held, ranks)).length;
    if (count > 0) leftOut.push({ embedder: group.space.name, count, reason: vector });
  }
  const leftOutCount = leftOut.reduce((sum, { count }) => sum + count, 0);
  touch(best.found.map(({ held }) => held));
  const answer = {
    hits: best.found.map((found) => hitOf(found, question)),
    // Each capsule is compared by one of its vectors, or by none.
    searched: holdings.all.capsules - leftOutCount,
    leftOutCount,
    leftOut: leftOut.sort((a, b) => b.count - a.count).slice(0, limits.leftOutNamedMax),
  };
  return { answer, found: best.found };
}

/** The groups that the question can be compared with, the memory's first embedder first. */
function ranksOf({ holdings, embedders }: Inner, isAsked: (space: VectorSpace) => boolean): ReadonlyMap<Group, number> {
  const ranks = new Map<Group, number>();
  for (const group of holdings.groups()) {
    if (!isAsked(group.space)) continue;
    const place = embedders.findIndex((one) => isSpace(one, group.space));
    ranks.set(group, place === -1 ? embedders.length : place);
  }
  return ranks;
}

/** Is the capsule compared by this one of its vectors? One in a group that is not asked is the best where none is. */
function isBest(held: Held, ranks: ReadonlyMap<Group, number>): boolean {
  const capsule = held.of ?? held;
  if (capsule.made === undefined) return true;
  const rank = ranks.get(held.group) ?? Infinity;
  return [capsule, ...capsule.made].every(({ group }) => (ranks.get(group) ?? Infinity) >= rank);
}

type VectorOf = (space: VectorSpace) => Float32Array | LeftOut['reason'];

const isSpace = (a: VectorSpace, b: VectorSpace): boolean =>
  a.name === b.name && a.dimensions === b.dimensions && a.kind === b.kind;

async function vectors(inner: Inner, { text, vector }: MemoryQuery, signal: AbortSignal): Promise<VectorOf> {
  if ((text === undefined) === (vector === undefined))
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'A search has either a text or a vector.');
  if (vector !== undefined) {
    const values = unit(vector.values);
    if (values.length !== vector.space.dimensions || !allFinite(values))
      throw new PeerAiError<NnErrorCode>('INVALID_OPTION', `A vector of ${vector.space.name} has other values.`);
    return (space) => (isSpace(space, vector.space) ? values : 'no-embedder');
  }
  const needed = inner.embedders.filter((embedder) => inner.holdings.group(embedder) !== undefined);
  const made = await Promise.all(
    needed.map(async (embedder) => [embedder, await tryEmbed(embedder, text ?? '', signal)] as const),
  );
  return (space) => made.find(([embedder]) => isSpace(embedder, space))?.[1] ?? 'no-embedder';
}

async function tryEmbed(
  embedder: Embedder,
  text: string,
  signal: AbortSignal,
): Promise<Float32Array | 'embedder-failed'> {
  try {
    return await embedText(embedder, text, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return 'embedder-failed';
  }
}
