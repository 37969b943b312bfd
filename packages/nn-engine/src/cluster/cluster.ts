import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { seededUnit } from '../train/random.ts';
import { pruneEdges, splitNodes, strengthenEdges } from './growth.ts';
import { connect, createNode, type Firing, gating, type GatingNode, learnNode, restNode, stepNode } from './node.ts';
import { type ClusterState, decodeCluster, encodeCluster } from './state.ts';

export interface ClusterOptions {
  /** Nodes at the start, count. */
  readonly nodes: number;
  /** Length of an input vector. */
  readonly inputs: number;
  /** Length of the votes, such as one a class; 2 unless said. Node j votes for output j mod outputs, for and against in turn. */
  readonly outputs?: number;
  /** Splitting stops here, count; `limits.clusterNodesMax` unless said. */
  readonly nodesMax?: number;
  /** The same seed makes the same cluster on every machine, and the same inputs take it the same way. */
  readonly seed: number;
}
export interface StepOptions {
  /** Time since the last step; 1 unless said. */
  readonly dt?: number;
}
export interface PresentOptions {
  /** Time steps for which the input stands; 8 unless said. */
  readonly steps?: number;
}
export interface LearnOptions {
  /** How far weights move, above 0 and at most 1; 0.05 unless said. */
  readonly rate?: number;
}

/** One node as a page shows it. */
export interface NodeView {
  readonly fired: Firing | undefined;
  /** What it gave in the last step, 0 when it did not fire. */
  readonly value: number;
  readonly accumulator: number;
  readonly threshold: number;
  readonly timer: number;
  readonly interval: number;
  readonly eligibility: number;
  /** How far threshold and interval move at a firing. */
  readonly thresholdRate: number;
  readonly intervalRate: number;
  readonly edges: readonly { readonly from: number; readonly weight: number }[];
}

/** Threshold-gating nodes that see the same input, pass firings on to later nodes, and vote. Formulas: docs/gating-clusters.md. */
export interface Cluster {
  readonly inputs: number;
  readonly outputs: number;
  readonly nodesMax: number;
  readonly size: number;
  /**
   * One step of time, in which thresholds adapt. Throws INVALID_OPTION for a vector of another length or a value outside the limits.
   *
   * @returns what each node gave, 0 for those that did not fire.
   */
  process(input: ArrayLike<number>, options?: StepOptions): Float64Array;
  /**
   * From rest, some steps of the same input with thresholds held. The same input always gives the same votes until something is learned.
   * Throws INVALID_OPTION.
   *
   * @returns a vote an output; `softmax` makes shares of them.
   */
  present(input: ArrayLike<number>, options?: PresentOptions): Float64Array;
  /**
   * Learns from the error of what was presented last: target minus share, an output each, −1 to 1. Throws INVALID_OPTION.
   */
  learn(error: ArrayLike<number>, options?: LearnOptions): void;
  /** Splits nodes that fired more than ten times, up to `nodesMax`. Returns how many nodes came. */
  split(): number;
  /** Edges used more than five times grow by a fifth. Returns how many. */
  strengthen(): number;
  /** Edges weaker than 0.1 go. Returns how many. */
  prune(): number;
  nodes(): readonly NodeView[];
  /** Everything, so that the restored cluster goes on as this one would. */
  encode(): Uint8Array;
}

/** Throws INVALID_OPTION, LIMIT_REACHED. */
export function createCluster({
  nodes,
  inputs,
  outputs = 2,
  nodesMax = limits.clusterNodesMax,
  seed,
}: ClusterOptions): Cluster {
  count('inputs', inputs, 1, limits.clusterInputsMax);
  count('outputs', outputs, 1, limits.clusterOutputsMax);
  count('nodesMax', nodesMax, outputs, limits.clusterNodesMax);
  count('nodes', nodes, outputs, nodesMax);
  if (!Number.isSafeInteger(seed)) throw invalid('seed', seed);
  const random = seededUnit(seed);
  const made = Array.from({ length: nodes }, (_, index) => {
    const sign = Math.floor(index / outputs) % 2 === 0 ? 1 : -1;
    const node = createNode(random, { inputs, output: index % outputs, sign });
    connect(random, node, index, 1 + Math.floor(random() * 3));
    return node;
  });
  return clusterOf({ inputs, outputs, nodesMax, random, nodes: made });
}

/** A cluster from the bytes of `encode`. Throws INVALID_FORMAT. */
export function restoreCluster(bytes: Uint8Array): Cluster {
  return clusterOf(decodeCluster(bytes));
}

function clusterOf(state: ClusterState): Cluster {
  const { inputs, outputs, nodesMax, nodes, random } = state;
  const step = (values: ArrayLike<number>, dt: number, adapt: boolean): void => {
    const valueOf = (index: number): number => nodes[index]?.value ?? 0;
    for (const node of nodes) stepNode(node, { values, valueOf, dt, adapt });
  };
  return {
    inputs,
    outputs,
    nodesMax,
    get size() {
      return nodes.length;
    },
    process(input, { dt = 1 } = {}) {
      vector('input', input, inputs, limits.clusterValueMax);
      if (!(dt > 0 && dt <= limits.clusterStepsMax)) throw invalid('dt', dt);
      step(input, dt, true);
      return Float64Array.from(nodes, ({ value }) => value);
    },
    present(input, { steps = 8 } = {}) {
      vector('input', input, inputs, limits.clusterValueMax);
      count('steps', steps, 1, limits.clusterStepsMax);
      for (const node of nodes) restNode(node);
      for (let time = 0; time < steps; time += 1) step(input, 1, false);
      return votesOf(nodes, outputs);
    },
    learn(error, { rate = 0.05 } = {}) {
      vector('error', error, outputs, 1);
      if (!(rate > 0 && rate <= 1)) throw invalid('rate', rate);
      for (const node of nodes) learnNode(node, error[node.output] ?? 0, rate);
    },
    split: () => splitNodes(nodes, nodesMax, random),
    strengthen: () => strengthenEdges(nodes),
    prune: () => pruneEdges(nodes),
    nodes: () => nodes.map(viewOf),
    encode: () => encodeCluster(state),
  };
}

/** For each output: the mean over its nodes of sign × activity, times the gain. */
function votesOf(nodes: readonly GatingNode[], outputs: number): Float64Array {
  const [sums, counts] = [new Float64Array(outputs), new Float64Array(outputs)];
  for (const { output, sign, activity } of nodes) {
    sums[output] = (sums[output] ?? 0) + sign * activity;
    counts[output] = (counts[output] ?? 0) + 1;
  }
  return sums.map((sum, output) => (gating.voteGain * sum) / Math.max(1, counts[output] ?? 0));
}

function viewOf(node: GatingNode): NodeView {
  const { fired, value, accumulator, threshold, timer, interval, eligibility, thresholdRate, intervalRate } = node;
  const edges = node.edges.map(({ from, weight }) => ({ from, weight }));
  return { fired, value, accumulator, threshold, timer, interval, eligibility, thresholdRate, intervalRate, edges };
}

function vector(name: string, values: ArrayLike<number>, length: number, magnitudeMax: number): void {
  if (values.length !== length) throw invalid(`length of ${name}`, values.length);
  for (let index = 0; index < length; index += 1) {
    const value = values[index] ?? NaN;
    if (!(Math.abs(value) <= magnitudeMax)) throw invalid(name, value);
  }
}

function count(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least) throw invalid(name, value);
  if (value > most)
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `At most ${most} ${name}.`, { most, received: value });
}

const invalid = (name: string, received: number): PeerAiError<NnErrorCode> =>
  new PeerAiError('INVALID_OPTION', `The ${name} cannot be ${received}.`, { name, received: String(received) });
