import { compareUtf8 } from '@peerai/core-protocol';

import { type Audience, type CapsuleCard, type CapsuleFacts, mayHave, type PrivacyLevel } from './capsule.ts';
import type { EmbedderKind } from './embedder.ts';
import { distanceOf, recency, relevance, similarity, tagMatch } from './formulas.ts';
import { cardOf, type Group, type Held } from './holdings.ts';
import { memoryLimits as limits } from './limits.ts';

/** What a capsule must have to be found at all. */
export interface SearchFilter {
  /** At least one of them; empty texts are no tags, and no tags ask for nothing. */
  readonly tags?: readonly string[];
  /** The author's time, milliseconds, `from` inclusive, `to` exclusive. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** 0.5 to 1. */
  readonly qualityMin?: number;
  /** Of this level alone. */
  readonly level?: PrivacyLevel;
  /** Who will see the hits; `self` unless said. */
  readonly audience?: Audience;
}
/** By what hits are ordered: the seed's relevance, or similarity alone. */
export type Ranking = 'relevance' | 'similarity';

export interface SearchHit {
  readonly capsule: CapsuleCard;
  readonly relevance: number;
  readonly similarity: number;
  readonly cosine: number;
  readonly tagMatch: number;
  /** Found by meaning, or by words and spellings. */
  readonly kind: EmbedderKind;
}
/** A hit before it is shown. */
export interface Found {
  readonly held: Held;
  readonly cosine: number;
  readonly score: number;
}
export interface Question extends SearchFilter {
  readonly tags: readonly string[];
  readonly ranking: Ranking;
  readonly limit: number;
  readonly nowMs: number;
  /** False for a vector beside which its capsule has a better one that the question can be compared with; absent where none has several. */
  readonly counts?: (held: Held) => boolean;
}

export const askedTags = (tags: readonly string[] = []): readonly string[] =>
  [...new Set(tags)].filter((tag) => tag !== '');

/** Whether a question asks for nothing that a capsule could lack. */
const takesAll = ({ tags, fromMs, toMs, qualityMin, level, audience = 'self' }: Question): boolean =>
  tags.length === 0 &&
  fromMs === undefined &&
  toMs === undefined &&
  qualityMin === undefined &&
  level === undefined &&
  (audience === 'self' || audience === 'own');

export function passes(facts: CapsuleFacts, question: Question): boolean {
  const { tags, fromMs = -Infinity, toMs = Infinity, qualityMin = 0, level, audience = 'self' } = question;
  return (
    facts.createdMs >= fromMs &&
    facts.createdMs < toMs &&
    facts.quality >= qualityMin &&
    mayHave(audience, facts.level) &&
    (level === undefined || facts.level === level) &&
    (tags.length === 0 || tags.some((tag) => facts.tags.includes(tag)))
  );
}

export const scoreOf = (facts: CapsuleFacts, cosine: number, question: Question): number =>
  question.ranking === 'similarity' ? similarity(cosine) : relevanceOf(facts, cosine, question);

function relevanceOf(facts: CapsuleFacts, cosine: number, question: Question): number {
  return relevance({
    similarity: similarity(cosine),
    quality: facts.quality,
    tagMatch: tagMatch(question.tags, facts.tags),
    recency: recency(question.nowMs - facts.createdMs),
  });
}

/** Best first; equal ones by id, so that the same memory gives the same answer. */
export const byScore = (a: Found, b: Found): number =>
  b.score - a.score || compareUtf8(a.held.facts.id, b.held.facts.id);

/** The best so far, never more than `limit`. */
export class Best {
  readonly found: Found[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  offer(held: Held, cosine: number, score: number): void {
    const last = this.found.length < this.#limit ? undefined : this.found.at(-1);
    if (last !== undefined && score < last.score) return;
    const candidate: Found = { held, cosine, score };
    if (last !== undefined && byScore(candidate, last) >= 0) return;
    if (last !== undefined) this.found.pop();
    let place = this.found.length;
    while (place > 0 && byScore(candidate, this.found[place - 1] as Found) < 0) place -= 1;
    this.found.splice(place, 0, candidate);
  }
}

/** Every capsule of a group that passes, looked at: exact, and fast enough up to some ten thousand. */
function scan(group: Group, vector: Float32Array, question: Question, best: Best): void {
  for (const held of group.held) {
    if (question.counts?.(held) === false || !passes(held.facts, question)) continue;
    const cosine = group.table.cosine(held.place, vector);
    best.offer(held, cosine, scoreOf(held.facts, cosine, question));
  }
}

/**
 * The best of a group: by its index as long as that answers for certain, else by looking at every row. The index names rows, the table says how near
 * each is. Certain is what nothing further away than the last of them could beat, whatever its quality, tags and age; the index itself may miss a near one.
 */
export function find(group: Group, vector: Float32Array, question: Question, best: Best): void {
  for (let count = question.limit; count <= limits.indexAskedRowsMax; count *= 8) {
    const near = group.accelerator?.nearest(vector, count);
    if (near === undefined) break;
    const own = new Best(question.limit);
    const all = takesAll(question);
    const exact = ({ place }: Held): number => group.table.cosine(place, vector);
    const offer = (held: Held, cosineMax: number): void => {
      if (question.counts?.(held) === false) return;
      if (!all && !passes(held.facts, question)) return;
      // A row of the table is a read far from the last one: only of what could still win.
      const worst = own.found[question.limit - 1];
      if (worst !== undefined && scoreOf(held.facts, cosineMax, question) < worst.score) return;
      const cosine = exact(held);
      own.offer(held, cosine, scoreOf(held.facts, cosine, question));
    };
    for (let place = 0; place < near.found.length; place += 1)
      offer(near.found[place] as Held, (near.cosines[place] as number) + near.errorMax);
    for (const held of near.rest) offer(held, 1);
    const last = near.found.at(-1);
    const furthest = last === undefined ? 1 : exact(last);
    const worst = own.found[question.limit - 1];
    const isAll = near.found.length >= group.held.length;
    if (!isAll && (worst === undefined || worst.score < unseenMax(group, furthest, question))) continue;
    for (const { held, cosine, score } of own.found) best.offer(held, cosine, score);
    return;
  }
  scan(group, vector, question, best);
}

/** No capsule of the group that is at most so near has a higher score. */
function unseenMax({ qualityMax, newestMs }: Group, cosine: number, question: Question): number {
  if (question.ranking === 'similarity') return similarity(cosine);
  return relevance({
    similarity: similarity(cosine),
    quality: qualityMax,
    tagMatch: question.tags.length === 0 ? 0 : 1,
    recency: recency(question.nowMs - newestMs),
  });
}

/** How far the nearest vector of a group is; undefined in an empty one. */
export function nearestDistance(group: Group | undefined, vector: Float32Array): number | undefined {
  if (group === undefined || group.held.length === 0) return undefined;
  const near = group.accelerator?.nearest(vector, 1);
  let highest = -1;
  if (near !== undefined) {
    for (const { place } of [...near.found, ...near.rest])
      highest = Math.max(highest, group.table.cosine(place, vector));
    return distanceOf(highest);
  }
  for (let place = 0; place < group.table.count; place += 1) {
    highest = Math.max(highest, group.table.cosine(place, vector));
  }
  return distanceOf(highest);
}

export function hitOf({ held, cosine, score }: Found, question: Question): SearchHit {
  return {
    capsule: cardOf(held),
    relevance: question.ranking === 'relevance' ? score : relevanceOf(held.facts, cosine, question),
    similarity: similarity(cosine),
    cosine,
    tagMatch: tagMatch(question.tags, held.facts.tags),
    kind: held.group.space.kind,
  };
}
