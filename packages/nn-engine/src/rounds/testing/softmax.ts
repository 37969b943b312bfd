import { gaussian } from '../../train/random.ts';

/** Softmax regression in plain loops: a task small enough to be learned hundreds of times in one test. */
export interface Example {
  readonly features: readonly number[];
  readonly label: number;
}

const dimensions = 20;
export const classes = 5;
export const weightCount = dimensions * classes;

/** One centre a class. */
export function means(random: () => number): readonly (readonly number[])[] {
  return Array.from({ length: classes }, () => Array.from({ length: dimensions }, () => gaussian(random) * 0.9));
}

/** @param labelOf - draws a label; any is as likely as another when absent. */
export function examplesOf(
  centres: readonly (readonly number[])[],
  count: number,
  random: () => number,
  labelOf: () => number = () => Math.floor(random() * classes),
): readonly Example[] {
  return Array.from({ length: count }, () => {
    const label = labelOf();
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

/** Mean cross-entropy over the examples, nats. */
export function lossOf(weights: Float32Array, examples: readonly Example[]): number {
  const losses = examples.map(({ features, label }) => {
    const scores = scoresOf(weights, features);
    const most = Math.max(...scores);
    return most + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0)) - (scores[label] ?? 0);
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** The class the weights give an example. */
export function classOf(weights: Float32Array, { features }: Example): number {
  const scores = scoresOf(weights, features);
  return scores.indexOf(Math.max(...scores));
}

export function accuracy(weights: Float32Array, examples: readonly Example[]): number {
  const right = examples.filter((example) => classOf(weights, example) === example.label);
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
