import type { Cluster } from '@peerai/nn-engine/cluster';
import type { Embedder } from '@peerai/nn-engine/memory';
import { limits } from './limits.ts';

/** What happened to a cluster since its last capsule; sums over steps. */
export interface Experience {
  steps: number;
  readonly inputs: Float64Array;
  readonly inputSquares: Float64Array;
  byThreshold: number;
  byTimer: number;
  values: number;
  valueSquares: number;
  errors: number;
  errorSum: number;
}

export const noExperience = (): Experience => ({
  steps: 0,
  inputs: new Float64Array(limits.clusterInputs),
  inputSquares: new Float64Array(limits.clusterInputs),
  byThreshold: 0,
  byTimer: 0,
  values: 0,
  valueSquares: 0,
  errors: 0,
  errorSum: 0,
});

/** Adds one step. @param input - `limits.clusterInputs` numbers. @param outputs - one a node. */
export function noteStep(experience: Experience, cluster: Cluster, input: Float64Array, outputs: Float64Array): void {
  experience.steps += 1;
  for (const [index, value] of input.entries()) {
    experience.inputs[index] = (experience.inputs[index] ?? 0) + value;
    experience.inputSquares[index] = (experience.inputSquares[index] ?? 0) + value * value;
  }
  for (const { fired } of cluster.nodes()) {
    if (fired === 'threshold') experience.byThreshold += 1;
    if (fired === 'timer') experience.byTimer += 1;
  }
  for (const value of outputs) {
    experience.values += value / outputs.length;
    experience.valueSquares += (value * value) / outputs.length;
  }
}

/** @param error - −1 to 1. */
export function noteError(experience: Experience, error: number): void {
  experience.errors += 1;
  experience.errorSum += Math.abs(error);
}

/** Mean of the absolute errors, 0 to 1; 0 when nothing was wrong or nobody said. */
export const meanError = ({ errors, errorSum }: Experience): number => (errors === 0 ? 0 : errorSum / errors);

/**
 * Sixteen measured numbers of an experience: the mean and the deviation of each of the four inputs; how often a node fired by its threshold and by
 * its timer, a step and node; mean and deviation of what the nodes gave; the mean threshold and interval of the nodes now, over 10; the mean absolute
 * error; how full the cluster is.
 */
export function contextOf(experience: Experience, cluster: Cluster): readonly number[] {
  const { steps } = experience;
  const nodes = cluster.nodes();
  const firings = Math.max(1, steps * nodes.length);
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  const means = [...experience.inputs].map((sum) => sum / steps);
  const deviations = [...experience.inputSquares].map((sum, index) => deviation(sum / steps, means[index] ?? 0));
  const value = experience.values / steps;
  return [
    ...means,
    ...deviations,
    experience.byThreshold / firings,
    experience.byTimer / firings,
    value,
    deviation(experience.valueSquares / steps, value),
    mean(nodes.map(({ threshold }) => threshold)) / 10,
    mean(nodes.map(({ interval }) => interval)) / 10,
    meanError(experience),
    cluster.size / cluster.nodesMax,
  ];
}

/** √(E[x²] − E[x]²); rounding may bring that below 0. */
const deviation = (meanOfSquares: number, mean: number): number => Math.sqrt(Math.max(0, meanOfSquares - mean * mean));

/** What a capsule of this class carries, as one line of JSON. */
export interface CapsuleData {
  readonly cluster_id: string;
  readonly device_id: string;
  readonly steps: number;
  readonly context: readonly number[];
}

/**
 * Gives a capsule its own context as its vector, so that capsules are found by numbers like theirs. It knows no words; a capsule's kinds are
 * `lexical` and `semantic`, and this is the one that claims less.
 */
export const contextEmbedder: Embedder = {
  name: 'cluster-context/1',
  dimensions: limits.contextNumbers,
  kind: 'lexical',
  embed: async (texts) => texts.map((text) => Float32Array.from(contextIn(text))),
};

/** The context in the last line of a text; sixteen zeros where there is none, so that such a capsule is near nothing. */
function contextIn(text: string): readonly number[] {
  try {
    const data = JSON.parse(text.slice(text.lastIndexOf('\n') + 1)) as { readonly context?: unknown } | null;
    if (isContext(data?.context)) return data.context;
  } catch {
    // Not a capsule of this class.
  }
  return Array.from({ length: limits.contextNumbers }, () => 0);
}

const isContext = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length === limits.contextNumbers && value.every((one) => Number.isFinite(one));
