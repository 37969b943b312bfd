/** The numbers of a capsule and of a search, each by a written formula; the same words as the seed's. */

/** How far the nearest vector of the same embedder is, over 2, up to 1; 1 when there is none. `distance` is Euclidean. */
export const novelty = (nearestDistance: number | undefined): number =>
  nearestDistance === undefined ? 1 : Math.min(1, nearestDistance / 2);

/** What the caller says surprised it (0 to 1; a prediction's absolute error, for instance) + 0.1 a tag, up to 1. */
export const importance = (surprise: number, tags: number): number => Math.min(1, surprise + 0.1 * tags);

/** 0.5 + 0.2 when novel (> 0.7) + 0.2 when important (> 0.8) + 0.1 with more than 3 tags; counted in tenths, which are exact. */
export const quality = (noveltyOf: number, importanceOf: number, tags: number): number =>
  (5 + (noveltyOf > 0.7 ? 2 : 0) + (importanceOf > 0.8 ? 2 : 0) + (tags > 3 ? 1 : 0)) / 10;

/** Between two vectors of length 1 with this cosine. */
export const distanceOf = (cosine: number): number => Math.sqrt(Math.max(0, 2 - 2 * cosine));

/** 0.7 · cosine + 0.3 / (1 + distance). */
export const similarity = (cosine: number): number => 0.7 * cosine + 0.3 / (1 + distanceOf(cosine));

/** The part of the tags asked for that a capsule has; 0 when none is. */
export const tagMatch = (asked: readonly string[], tags: readonly string[]): number =>
  asked.length === 0 ? 0 : asked.filter((tag) => tags.includes(tag)).length / asked.length;

const hourMs = 3_600_000;
/** exp(−age in hours / 168): 1 now, 0.37 after a week. What is ahead of our clock counts as now. */
export const recency = (ageMs: number): number => Math.exp(-Math.max(0, ageMs) / hourMs / 168);

/** 0.5 · similarity + 0.3 · quality + 0.1 · tag match + 0.1 · recency. */
export const relevance = (part: {
  readonly similarity: number;
  readonly quality: number;
  readonly tagMatch: number;
  readonly recency: number;
}): number => 0.5 * part.similarity + 0.3 * part.quality + 0.1 * part.tagMatch + 0.1 * part.recency;
