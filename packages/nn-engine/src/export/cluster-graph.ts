import { carried as carriedNumber, gating, type GatingNode } from '../cluster/node.ts';
import type { ClusterState } from '../cluster/state.ts';
import {
  add,
  and,
  concat,
  divide,
  equal,
  greater,
  matmul,
  multiply,
  reciprocal,
  reshape,
  scale,
  subtract,
  sum,
  type Value,
  where,
} from '../graph/index.ts';
import type { ClusterForm, ClusterParts } from './cluster-columns.ts';

interface Fed {
  /** [inputs]. */
  readonly input: Value;
  /** Scalar. */
  readonly dt: Value;
  /** Truth values: whether firing moves thresholds, whether the trial begins. */
  readonly adapts: Value;
  readonly rests: Value;
}
interface Stepped {
  readonly state: ClusterParts;
  readonly value: Value;
  readonly fired: Value;
  readonly votes: Value;
}

/** One step of all nodes, as `stepNode` makes it of one: those that hear nobody first, then those that hear only them, and so on. */
export function clusterSteps(before: ClusterParts, fed: Fed, form: ClusterForm, { nodes }: ClusterState): Stepped {
  const { graph } = fed.input;
  const zero = graph.constant(0);
  const rested = (value: Value): Value => where(fed.rests, zero, value);
  const state = { ...before, accumulator: rested(before.accumulator), timer: rested(before.timer) };
  const heard = reshape(matmul(before.weights, reshape(fed.input, [form.inputs, 1])), [form.nodes]);
  const alone = add(state.accumulator, add(before.bias, heard));
  const timer = add(state.timer, fed.dt);
  const waited = atLeast(timer, before.interval);
  const { accumulator, value } = inLayers(alone, waited, before, form, nodes);
  const byThreshold = atLeast(accumulator, before.threshold);
  const byTimer = and(not(byThreshold), waited);
  const fired = where(
    byThreshold,
    graph.integers([1], []),
    where(byTimer, graph.integers([2], []), graph.integers([0], [])),
  );
  const has = where(byThreshold, graph.constant(1), where(byTimer, graph.constant(1), zero));
  const idle = equal(has, zero);

  // How far the accumulator was from the threshold says how much an input mattered.
  const away = divide(absolute(subtract(accumulator, before.threshold)), before.threshold);
  const near = reshape(reciprocal(squared(add(away, graph.constant(1)))), [form.nodes, 1]);
  const carries = carriedValues(value, form, nodes);
  const ones = graph.constant(new Float32Array(form.nodes).fill(1), [form.nodes, 1]);
  const seen = concat([matmul(ones, reshape(fed.input, [1, form.inputs])), ones], 1);
  const faded = (trace: Value): Value => scale(rested(trace), gating.decay);
  const share = multiply(where(byThreshold, graph.constant(1), zero), graph.constant(1 - gating.decay));
  const activity = add(faded(before.activity), share);

  const by = where(fed.adapts, where(byThreshold, graph.constant(1), where(byTimer, graph.constant(-0.5), zero)), zero);
  const moved = (place: Value, rate: Value, low: number, high: number): Value =>
    where(equal(by, zero), place, clip(add(place, multiply(by, rate)), low, high));
  return {
    value,
    fired,
    votes: votesOf(activity, form, nodes),
    state: {
      ...before,
      traces: add(faded(before.traces), multiply(near, seen)),
      edgeTraces: add(faded(before.edgeTraces), multiply(near, carries)),
      edgeUses: add(before.edgeUses, where(equal(carries, zero), zero, graph.constant(1))),
      threshold: moved(before.threshold, before.thresholdRate, gating.thresholdMin, gating.thresholdMax),
      interval: moved(before.interval, before.intervalRate, gating.intervalMin, gating.intervalMax),
      accumulator: where(idle, accumulator, zero),
      timer: where(idle, timer, zero),
      eligibility: where(idle, faded(before.eligibility), graph.constant(1)),
      activity,
      uses: add(before.uses, has),
    },
  };
}

/** What each node has gathered and gives: [nodes] each. A node waits for all it hears, so there are as many layers as the longest way has nodes. */
function inLayers(
  alone: Value,
  waited: Value,
  { edges, threshold }: ClusterParts,
  form: ClusterForm,
  nodes: readonly GatingNode[],
): { readonly accumulator: Value; readonly value: Value } {
  const { graph } = alone;
  const zero = graph.constant(0);
  const layers = layersOf(nodes);
  const order = layers.flat();
  const placeOf = new Map(order.map((node, place) => [node, place]));
  // Place 0 is the silence that absent edges hear.
  let values: Value = graph.constant([0]);
  const gathered: Value[] = [];
  for (const layer of layers) {
    const rows = graph.integers(layer);
    const sources = layer.flatMap((node) =>
      Array.from({ length: form.edges }, (_, edge) => {
        const from = nodes[node]?.edges[edge]?.from;
        return from === undefined ? 0 : 1 + (placeOf.get(from) ?? 0);
      }),
    );
    const carries = clip(take(values, graph.integers(sources, [layer.length, form.edges])), -1, 1);
    const accumulator = add(take(alone, rows), sum(multiply(take(edges, rows), carries), [1]));
    const reached = atLeast(accumulator, take(threshold, rows));
    const value = where(reached, accumulator, where(take(waited, rows), accumulator, zero));
    values = concat([values, value], 0);
    gathered.push(accumulator);
  }
  const inOrder = graph.integers(nodes.map((_, node) => placeOf.get(node) ?? 0));
  return {
    accumulator: take(concat(gathered, 0), inOrder),
    value: take(values, graph.integers(nodes.map((_, node) => 1 + (placeOf.get(node) ?? 0)))),
  };
}

/** Nodes by the longest way that leads to them; indices of a layer ascend. */
function layersOf(nodes: readonly GatingNode[]): readonly number[][] {
  const depths: number[] = [];
  for (const { edges } of nodes) depths.push(Math.max(0, ...edges.map(({ from }) => 1 + (depths[from] ?? 0))));
  return Array.from({ length: Math.max(...depths) + 1 }, (_, depth) =>
    depths.flatMap((own, node) => (own === depth ? [node] : [])),
  );
}

/** What each edge carried in this step: [nodes, edges]. */
function carriedValues(value: Value, form: ClusterForm, nodes: readonly GatingNode[]): Value {
  const { graph } = value;
  const sources = nodes.flatMap(({ edges }) =>
    Array.from({ length: form.edges }, (_, edge) => 1 + (edges[edge]?.from ?? -1)),
  );
  const heard = take(concat([graph.constant([0]), value], 0), graph.integers(sources, [form.nodes, form.edges]));
  return clip(heard, carriedNumber(-Infinity), carriedNumber(Infinity));
}

function votesOf(activity: Value, form: ClusterForm, nodes: readonly GatingNode[]): Value {
  const { graph } = activity;
  const counts = new Float64Array(form.outputs);
  for (const { output } of nodes) counts[output] = (counts[output] ?? 0) + 1;
  const shares = new Float32Array(form.nodes * form.outputs);
  nodes.forEach(({ output, sign }, node) => {
    shares[node * form.outputs + output] = (gating.voteGain * sign) / Math.max(1, counts[output] ?? 0);
  });
  const votes = matmul(reshape(activity, [1, form.nodes]), graph.constant(shares, [form.nodes, form.outputs]));
  return reshape(votes, [form.outputs]);
}

/** What `learnNode` does, to all nodes. */
export function clusterLearns(
  before: ClusterParts,
  { error, rate }: { readonly error: Value; readonly rate: Value },
  form: ClusterForm,
  { nodes }: ClusterState,
): ClusterParts {
  const { graph } = error;
  const ears = new Float32Array(form.outputs * form.nodes);
  nodes.forEach(({ output, sign }, node) => {
    ears[output * form.nodes + node] = sign;
  });
  const signals = matmul(reshape(error, [1, form.outputs]), graph.constant(ears, [form.outputs, form.nodes]));
  const signal = reshape(signals, [form.nodes]);
  const half = subtract(absolute(signal), graph.constant(0.5));
  const modulation = multiply(scale(half, 0.1), before.eligibility);
  const step = reshape(multiply(signal, rate), [form.nodes, 1]);
  const moved = (weights: Value, traces: Value, low: number): Value =>
    clip(add(weights, multiply(step, traces)), low, gating.weightMax);
  const most = gating.weightMax;
  const own = concat([before.weights, reshape(before.bias, [form.nodes, 1])], 1);
  const next = moved(own, before.traces, -most);
  const last = graph.integers([form.inputs]);
  return {
    ...before,
    weights: graph.emit('Slice', [next, graph.integers([0]), last, graph.integers([1])], [form.nodes, form.inputs]),
    bias: reshape(take(next, last, 1), [form.nodes]),
    edges: moved(before.edges, before.edgeTraces, 0),
    thresholdRate: clip(add(before.thresholdRate, modulation), gating.thresholdRateMin, gating.thresholdRateMax),
    intervalRate: clip(
      add(before.intervalRate, scale(modulation, 0.5)),
      gating.intervalRateMin,
      gating.intervalRateMax,
    ),
  };
}

const squared = (value: Value): Value => multiply(value, value);
const absolute = (value: Value): Value => value.graph.emit('Abs', [value], value.shape);
const not = (truth: Value): Value => truth.graph.emit('Not', [truth], truth.shape, {}, 'bool');
const atLeast = (value: Value, least: Value): Value => not(greater(least, value));
const clip = (value: Value, low: number, high: number): Value =>
  value.graph.emit('Clip', [value, value.graph.constant(low), value.graph.constant(high)], value.shape);

/** Elements of an axis by index: the result has the indices' shape in its place. */
function take(value: Value, indices: Value, axis = 0): Value {
  const shape = [...value.shape.slice(0, axis), ...indices.shape, ...value.shape.slice(axis + 1)];
  return value.graph.emit('Gather', [value, indices], shape, { axis }, value.type);
}
