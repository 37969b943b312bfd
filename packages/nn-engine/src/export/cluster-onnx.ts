import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { gating, type GatingNode } from '../cluster/node.ts';
import { decodeCluster, encodeCluster } from '../cluster/state.ts';
import { clusterLearns, clusterSteps } from './cluster-graph.ts';
import { clusterForm, type ClusterForm, columnsOf, joined, parted } from './cluster-columns.ts';
import { equal, Graph, type Value, where } from '../graph/index.ts';

/** What one run of the file does: its input `mode`. */
export const clusterModes = {
  /** One step of a stream, in which thresholds adapt. */
  process: 0,
  /** The first step of a trial: from rest, thresholds held. */
  present: 1,
  /** A further step of a trial. */
  hold: 2,
  /** Learns from `error`; `input` and `dt` are not looked at. */
  learn: 3,
} as const;

/**
 * A gating cluster as one ONNX file (opset 17): the step and the learning rule of docs/gating-clusters.md over a state in float32. Growth changes what is joined to
 * what, so it is no part of the graph: `clusterFromOnnx` makes a cluster of a state again.
 *
 * Inputs: `state` float32 [nodes, columns] · `restore` float32 [], not 0: begin from the state written into the file, whatever `state` says · `mode` int64 [] ·
 * `input` float32 [inputs] · `dt` float32 [], 1 for one step · `error` float32 [outputs] · `rate` float32 [], 0.05 as a rule.
 * Outputs: `next` [nodes, columns], the `state` of the next run · `value` [nodes] · `fired` int64 [nodes]: 0 not, 1 by threshold, 2 by timer · `votes` [outputs].
 *
 * Throws INVALID_FORMAT.
 *
 * @param saved - bytes of `encode`.
 */
export function clusterOnnx(saved: Uint8Array): Uint8Array {
  const cluster = decodeCluster(saved);
  const form = clusterForm(cluster);
  const graph = new Graph();
  const size = [form.nodes, form.columns] as const;
  const given = graph.input('state', size);
  const isFresh = equal(graph.input('restore', []), graph.constant(0));
  const state = parted(where(isFresh, given, graph.constant(stateOf(cluster.nodes, form), size)), form);
  const mode = graph.input('mode', [], 'int64');
  const inMode = (name: keyof typeof clusterModes): Value => equal(mode, graph.integers([clusterModes[name]], []));
  const feeds = { input: graph.input('input', [form.inputs]), dt: graph.input('dt', []) };
  const lesson = { error: graph.input('error', [form.outputs]), rate: graph.input('rate', []) };
  const stepped = clusterSteps(state, { ...feeds, adapts: inMode('process'), rests: inMode('present') }, form, cluster);
  const learned = clusterLearns(state, lesson, form, cluster);
  const learns = inMode('learn');
  const zero = graph.constant(0);
  graph.output('next', where(learns, joined(learned), joined(stepped.state)));
  graph.output('value', where(learns, zero, stepped.value));
  graph.output('fired', where(learns, graph.integers([0], []), stepped.fired));
  graph.output('votes', where(learns, zero, stepped.votes));
  return graph.toModel();
}

/**
 * The cluster with a state that the file came to, as bytes for `restoreCluster`: to grow it, to keep it, or to export it anew. What a node did in its last step is not in a state.
 *
 * Throws INVALID_FORMAT, also for a state that no cluster can have come to.
 *
 * @param saved - the bytes that were exported.
 * @param state - [nodes, columns] float32, row by row.
 */
export function clusterFromOnnx(saved: Uint8Array, state: Float32Array): Uint8Array {
  const cluster = decodeCluster(saved);
  const form = clusterForm(cluster);
  if (state.length !== form.nodes * form.columns || !state.every(Number.isFinite))
    throw new PeerAiError<NnErrorCode>(
      'INVALID_FORMAT',
      'This is no state of this cluster: a number is missing or none.',
    );
  const rows = cluster.nodes.map((node, index): GatingNode => {
    const row = Array.from(state.subarray(index * form.columns, (index + 1) * form.columns));
    const read = (name: string): number[] => row.slice(...columnsOf(form, name));
    const one = (name: string): number => read(name)[0] ?? NaN;
    const [weights, traces, uses] = [read('edges'), read('edgeTraces'), read('edgeUses')];
    return {
      ...node,
      weights: Float64Array.from(read('weights')),
      traces: Float64Array.from(read('traces')),
      bias: one('bias'),
      threshold: near(one('threshold'), gating.thresholdMin, gating.thresholdMax),
      interval: near(one('interval'), gating.intervalMin, gating.intervalMax),
      accumulator: one('accumulator'),
      timer: one('timer'),
      eligibility: one('eligibility'),
      thresholdRate: near(one('thresholdRate'), gating.thresholdRateMin, gating.thresholdRateMax),
      intervalRate: near(one('intervalRate'), gating.intervalRateMin, gating.intervalRateMax),
      activity: one('activity'),
      uses: Math.max(0, Math.round(one('uses'))),
      value: 0,
      fired: undefined,
      edges: node.edges.map(({ from }, edge) => ({
        from,
        weight: weights[edge] ?? NaN,
        trace: traces[edge] ?? NaN,
        uses: Math.max(0, Math.round(uses[edge] ?? 0)),
      })),
    };
  });
  const bytes = encodeCluster({ ...cluster, nodes: rows });
  decodeCluster(bytes);
  return bytes;
}

/** A bound in float32 may lie one rounding beyond the bound. */
function near(value: number, low: number, high: number): number {
  if (value > high && Math.fround(high) === value) return high;
  return value < low && Math.fround(low) === value ? low : value;
}

function stateOf(nodes: readonly GatingNode[], form: ClusterForm): Float32Array {
  const state = new Float32Array(form.nodes * form.columns);
  nodes.forEach((node, index) => {
    const put = (name: string, values: Iterable<number>): void =>
      state.set(Float32Array.from(values), index * form.columns + columnsOf(form, name)[0]);
    put('weights', node.weights);
    put('traces', node.traces);
    for (const name of form.scalars) put(name, [node[name]]);
    put(
      'edges',
      node.edges.map(({ weight }) => weight),
    );
    put(
      'edgeTraces',
      node.edges.map(({ trace }) => trace),
    );
    put(
      'edgeUses',
      node.edges.map(({ uses }) => uses),
    );
  });
  return state;
}
