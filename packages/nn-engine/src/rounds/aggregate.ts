import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';

/** What one peer's local steps changed: weights before minus weights after. */
export interface Update {
  readonly peer: string;
  readonly delta: Float32Array;
}

/** Why an update took no part. */
export interface Refusal {
  readonly peer: string;
  readonly reason: 'not-finite' | 'wrong-size' | 'too-large' | 'repeated' | 'outlier' | 'not-committed';
}

/**
 * `trimmed-mean` drops the f largest and the f smallest of each coordinate (Yin et al. 2018) and needs more than 2f updates. `multi-krum` keeps the
 * n − f updates that lie closest to the others (Blanchard et al. 2017) and needs 2f + 3. The plain mean is not offered: one peer can set it to anything.
 */
export interface RobustRule {
  readonly rule: 'trimmed-mean' | 'multi-krum';
  /** How many of the updates may lie. */
  readonly liars: number;
}

export interface Aggregate {
  readonly delta: Float32Array;
  /** Peers whose update was taken into account, sorted. */
  readonly peers: readonly string[];
  readonly refused: readonly Refusal[];
}

/** An update this many times as long as the median one is refused. */
const normTimesMax = 10;

/**
 * The gates (finite, shape, one per peer, length), then the rule. The same updates give the same bytes in any order.
 *
 * What it does not do: updates that lie within the spread of honest ones move the result by up to that spread, so backdoors of small norm are not
 * prevented; where peers hold very different labels honest updates look like outliers, and accuracy falls.
 *
 * @param size - elements of the model.
 * Throws TOO_FEW_UPDATES with what the rule needs, when fewer pass the gates; LIMIT_REACHED over `roundUpdatesMax`.
 */
export function aggregate(updates: readonly Update[], size: number, { rule, liars }: RobustRule): Aggregate {
  if (updates.length > limits.roundUpdatesMax)
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `A round takes ${limits.roundUpdatesMax} updates.`, {
      limit: limits.roundUpdatesMax,
      received: updates.length,
    });
  const { passed, refused } = gates(updates, size);
  // Who was stopped at the gates was one of the declared liars; as many as the rest allows are still reckoned with.
  const spare = rule === 'multi-krum' ? 3 : 1;
  const needed = 2 * Math.max(0, liars - refused.length) + spare;
  if (passed.length < needed)
    throw new PeerAiError<NnErrorCode>(
      'TOO_FEW_UPDATES',
      `Against ${liars} liars ${rule} needs ${needed} good updates; ${passed.length} came.`,
      { needed, passed: passed.length, refused },
    );
  const left = Math.min(liars, Math.floor((passed.length - spare) / 2));
  if (rule === 'trimmed-mean')
    return { delta: trimmedMean(passed, size, left), peers: passed.map(({ peer }) => peer), refused };
  const kept = closest(passed, left);
  const outliers = passed.filter((update) => !kept.includes(update));
  return {
    delta: trimmedMean(kept, size, 0),
    peers: kept.map(({ peer }) => peer),
    refused: [...refused, ...outliers.map(({ peer }) => ({ peer, reason: 'outlier' as const }))],
  };
}

function gates(updates: readonly Update[], size: number): { passed: readonly Update[]; refused: readonly Refusal[] } {
  const refused: Refusal[] = [];
  const sorted = updates.toSorted((a, b) => (a.peer < b.peer ? -1 : a.peer > b.peer ? 1 : 0));
  const repeated = new Set(
    sorted.filter(({ peer }, index) => sorted[index - 1]?.peer === peer).map(({ peer }) => peer),
  );
  const sized: { readonly update: Update; readonly norm: number }[] = [];
  for (const update of sorted) {
    const { peer, delta } = update;
    const norm = delta.length === size ? length(delta) : 0;
    // Two updates of one peer: neither is taken, whichever came first.
    if (repeated.has(peer)) refused.push({ peer, reason: 'repeated' });
    else if (delta.length !== size) refused.push({ peer, reason: 'wrong-size' });
    else if (!Number.isFinite(norm)) refused.push({ peer, reason: 'not-finite' });
    else sized.push({ update, norm });
  }
  const norms = sized.map(({ norm }) => norm).toSorted((a, b) => a - b);
  // The upper median: never longer than an honest update while fewer than half lie. Where most did not move at all nothing is too long.
  const median = norms[norms.length >> 1] ?? 0;
  const bound = median === 0 ? Number.POSITIVE_INFINITY : median * normTimesMax;
  const passed: Update[] = [];
  for (const { update, norm } of sized)
    if (norm > bound) refused.push({ peer: update.peer, reason: 'too-large' });
    else passed.push(update);
  return { passed, refused };
}

/** L2 norm in float64; NaN or Infinity where an element is. */
function length(delta: Float32Array): number {
  let sum = 0;
  for (const value of delta) sum += value * value;
  return Math.sqrt(sum);
}

/** Mean of each coordinate without its `trim` largest and smallest, summed in rising order: the order of the updates has no effect. */
function trimmedMean(updates: readonly Update[], size: number, trim: number): Float32Array {
  const result = new Float32Array(size);
  const column = new Float64Array(updates.length);
  for (let index = 0; index < size; index += 1) {
    for (let row = 0; row < updates.length; row += 1) insert(column, row, updates[row]?.delta[index] ?? 0);
    let sum = 0;
    for (let row = trim; row < updates.length - trim; row += 1) sum += column[row] ?? 0;
    result[index] = sum / (updates.length - 2 * trim);
  }
  return result;
}

/** Puts one value into the sorted first `count` of a column. */
function insert(column: Float64Array, count: number, value: number): void {
  let place = count;
  while (place > 0 && (column[place - 1] ?? 0) > value) {
    column[place] = column[place - 1] ?? 0;
    place -= 1;
  }
  column[place] = value;
}

/** The n − f updates with the smallest sum of squared distances to their n − f − 2 nearest. */
function closest(updates: readonly Update[], liars: number): readonly Update[] {
  const count = updates.length;
  const distances = Array.from({ length: count }, () => new Float64Array(count));
  for (let one = 0; one < count; one += 1)
    for (let other = one + 1; other < count; other += 1) {
      const squared = squaredDistance(updates[one]?.delta, updates[other]?.delta);
      distances[one]![other] = squared;
      distances[other]![one] = squared;
    }
  const scored = updates.map((update, one) => {
    const nearest = distances[one]!.filter((_, other) => other !== one).toSorted();
    return { update, score: nearest.subarray(0, count - liars - 2).reduce((sum, squared) => sum + squared, 0) };
  });
  const kept = scored.toSorted((a, b) => a.score - b.score).slice(0, count - liars);
  return updates.filter((update) => kept.some((entry) => entry.update === update));
}

function squaredDistance(one: Float32Array = new Float32Array(), other: Float32Array = new Float32Array()): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    sum += difference * difference;
  }
  return sum;
}
