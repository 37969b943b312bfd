import { gaussian } from '../../train/random.ts';

/** Softmax regression in plain loops: a task small enough to be learned hundreds of times in one test. */
export interface Example {
  readonly features: readonly number[];
  readonly label: number;
}

const dimensions = 20;
const classes = 5;
export const weightCount = dimensions * classes;

/** One centre a class. */
export function means(random: () => number): readonly (readonly number[])[] {
  return Array.from({ length: classes }, () => Array.from({ length: dimensions }, () => gaussian(random) * 0.9));
}

export function examplesOf(
  centres: readonly (readonly number[])[],
  count: number,
  random: () => number,
): readonly Example[] {
  return Array.from({ length: count }, () => {
    const label = Math.floor(random() * classes);
    return { label, features: (centres[label] ?? []).map((value) => value + gaussian(random)) };
  });
}

/** Mean gradient of the cross-entropy over the examples. */
export function gradientOf(weights: Float32Array, examples: readonly Example[]): Float32Array {
  const gradient = new Float32Array(weightCount);
  for (const { features, label } of examples) {
    const scores = scoresOf(weights, features);
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const total = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, kind) => {
      const slope = (power / total - (kind === label ? 1 : 0)) / examples.length;
      features.forEach((value, index) => (gradient[kind * dimensions + index]! += slope * value));
    });
  }
  return gradient;
}

export function accuracy(weights: Float32Array, examples: readonly Example[]): number {
  const right = examples.filter(({ features, label }) => {
    const scores = scoresOf(weights, features);
    return scores.indexOf(Math.max(...scores)) === label;
  });
  return right.length / examples.length;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function scoresOf(weights: Float32Array, features: readonly number[]): number[] {
  return Array.from({ length: classes }, (_, kind) =>
    features.reduce((sum, value, index) => sum + (weights[kind * dimensions + index] ?? 0) * value, 0),
  );
}
