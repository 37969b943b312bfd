import { limits } from '../limits.ts';

/** The constants of the formulas; docs/gating-clusters.md writes them out. */
export const gating = {
  /** What is left after one step of an eligibility and of a node's activity. */
  decay: 0.95,
  thresholdMin: 0.1,
  thresholdMax: 100,
  intervalMin: 1,
  intervalMax: 100,
  thresholdRateMin: 0.001,
  thresholdRateMax: 0.1,
  intervalRateMin: 0.001,
  intervalRateMax: 0.05,
  weightMax: 2,
  edgeMin: 0.1,
  /** Votes are mean activities, 0.34 at the most after eight steps; this brings them to the range of a softmax. */
  voteGain: 12,
} as const;

/** How a node gave its accumulator away: it reached the threshold, or it waited as long as its interval. */
export type Firing = 'threshold' | 'timer';

/** A way from an earlier node of the cluster to this one. */
export interface Edge {
  /** Index of the node it comes from, below the index of the node it ends at. */
  readonly from: number;
  weight: number;
  trace: number;
  /** Firings that came this way since it was made or strengthened. */
  uses: number;
}

/** A threshold-gating node; times are steps. */
export interface GatingNode {
  readonly weights: Float64Array;
  /** One eligibility a weight, and a last one for the bias. */
  readonly traces: Float64Array;
  bias: number;
  threshold: number;
  interval: number;
  accumulator: number;
  timer: number;
  /** 1 when it fires, decaying until it does again. */
  eligibility: number;
  /** How far the threshold and the interval move at a firing. */
  thresholdRate: number;
  intervalRate: number;
  /** Decaying share of the steps in which it reached its threshold. */
  activity: number;
  /** Which output it votes for, and whether for or against. */
  readonly output: number;
  readonly sign: 1 | -1;
  edges: Edge[];
  /** Firings since it was made or split. */
  uses: number;
  /** What it did in the last step: the accumulator it gave, 0 when it did not fire. */
  value: number;
  fired: Firing | undefined;
}

export interface NodeShape {
  readonly inputs: number;
  readonly output: number;
  readonly sign: 1 | -1;
}

/** A node at rest: weights within ±0.5, bias within ±0.1, threshold 0.5–2, interval 5–15 steps. */
export function createNode(random: () => number, { inputs, output, sign }: NodeShape): GatingNode {
  return {
    weights: Float64Array.from({ length: inputs }, () => random() - 0.5),
    traces: new Float64Array(inputs + 1),
    bias: (random() - 0.5) * 0.2,
    threshold: 0.5 + 1.5 * random(),
    interval: 5 + 10 * random(),
    thresholdRate: 0.01,
    intervalRate: 0.005,
    output,
    sign,
    edges: [],
    uses: 0,
    ...atRest(),
  };
}

const atRest = () => ({
  accumulator: 0,
  timer: 0,
  eligibility: 0,
  activity: 0,
  value: 0,
  fired: undefined,
});

/** Forgets what happened, not what was learned. */
export function restNode(node: GatingNode): void {
  Object.assign(node, atRest());
  node.traces.fill(0);
  for (const edge of node.edges) edge.trace = 0;
}

/** Draws up to `count` new edges from earlier nodes; one that is there already, or one too many, is left out. */
export function connect(random: () => number, node: GatingNode, index: number, count: number): void {
  if (index === 0) return;
  for (let drawn = 0; drawn < count; drawn += 1) {
    const from = Math.floor(random() * index);
    const weight = gating.edgeMin + (1 - gating.edgeMin) * random();
    const known = node.edges.some((edge) => edge.from === from);
    if (!known && node.edges.length < limits.clusterEdgesMax) node.edges.push({ from, weight, trace: 0, uses: 0 });
  }
}

export interface NodeInput {
  readonly values: ArrayLike<number>;
  /** The last value of each node, for the edges. */
  readonly valueOf: (index: number) => number;
  /** Time since the last step. */
  readonly dt: number;
  /** Whether firing moves threshold and interval. */
  readonly adapt: boolean;
}

/** One step: adds up what comes in, leaves a trace of it, fires or waits. */
export function stepNode(node: GatingNode, { values, valueOf, dt, adapt }: NodeInput): void {
  let sum = node.bias;
  for (let index = 0; index < node.weights.length; index += 1) sum += at(node.weights, index) * at(values, index);
  for (const edge of node.edges) sum += edge.weight * carried(valueOf(edge.from));
  node.accumulator += sum;
  node.timer += dt;
  trace(node, values, valueOf);
  node.eligibility *= gating.decay;
  node.activity *= gating.decay;
  node.fired = firing(node);
  node.value = node.fired === undefined ? 0 : node.accumulator;
  if (node.fired === undefined) return;
  if (node.fired === 'threshold') node.activity += 1 - gating.decay;
  if (adapt) adaptNode(node, node.fired);
  node.accumulator = 0;
  node.timer = 0;
  node.eligibility = 1;
  node.uses += 1;
}

/** An edge carries at most one unit either way, so that a long chain cannot grow without bound. */
export const carried = (value: number): number => clamp(value, -1, 1);

function firing(node: GatingNode): Firing | undefined {
  if (node.accumulator >= node.threshold) return 'threshold';
  return node.timer >= node.interval ? 'timer' : undefined;
}

function adaptNode(node: GatingNode, fired: Firing): void {
  const by = fired === 'threshold' ? 1 : -0.5;
  node.threshold = clamp(node.threshold + by * node.thresholdRate, gating.thresholdMin, gating.thresholdMax);
  node.interval = clamp(node.interval + by * node.intervalRate, gating.intervalMin, gating.intervalMax);
}

/** How much each weight had to do with what the node does now: its input, where the accumulator is near the threshold. */
function trace(node: GatingNode, values: ArrayLike<number>, valueOf: (index: number) => number): void {
  const distance = Math.abs(node.accumulator - node.threshold) / node.threshold;
  const near = 1 / ((1 + distance) * (1 + distance));
  const { traces, weights } = node;
  for (let index = 0; index < weights.length; index += 1)
    traces[index] = gating.decay * at(traces, index) + near * at(values, index);
  traces[weights.length] = gating.decay * at(traces, weights.length) + near;
  for (const edge of node.edges) {
    const value = carried(valueOf(edge.from));
    edge.trace = gating.decay * edge.trace + near * value;
    if (value !== 0) edge.uses += 1;
  }
}

/**
 * The three-factor rule: each weight moves by rate × error of the node × its own trace. The rates of adaptation rise where the error is large
 * and fall where it is small.
 *
 * @param error - of the output this node votes for, −1 to 1.
 */
export function learnNode(node: GatingNode, error: number, rate: number): void {
  const signal = node.sign * error;
  const modulation = 0.1 * (Math.abs(signal) - 0.5) * node.eligibility;
  node.thresholdRate = clamp(node.thresholdRate + modulation, gating.thresholdRateMin, gating.thresholdRateMax);
  node.intervalRate = clamp(node.intervalRate + modulation / 2, gating.intervalRateMin, gating.intervalRateMax);
  const { weights, traces } = node;
  const moved = (weight: number, eligibility: number, lowest: number): number =>
    clamp(weight + rate * signal * eligibility, lowest, gating.weightMax);
  for (let index = 0; index < weights.length; index += 1)
    weights[index] = moved(at(weights, index), at(traces, index), -gating.weightMax);
  node.bias = moved(node.bias, at(traces, weights.length), -gating.weightMax);
  for (const edge of node.edges) edge.weight = moved(edge.weight, edge.trace, 0);
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0;

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
