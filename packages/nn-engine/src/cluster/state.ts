import { PeerAiError, wire } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { type SeededUnit, seededUnit } from '../train/random.ts';
import { type Edge, gating, type GatingNode } from './node.ts';

export interface ClusterState {
  readonly inputs: number;
  readonly outputs: number;
  readonly nodesMax: number;
  readonly random: SeededUnit;
  readonly nodes: GatingNode[];
}

const version = 1;
const firings = ['none', 'threshold', 'timer'] as const;
const signs = ['for', 'against'] as const;

const edgeForm = wire.message({
  from: wire.uint32(1),
  weight: wire.double(2),
  trace: wire.double(3),
  uses: wire.uint53(4),
});
const nodeForm = wire.message({
  weights: wire.repeated(wire.double(1), limits.clusterInputsMax),
  traces: wire.repeated(wire.double(2), limits.clusterInputsMax + 1),
  bias: wire.double(3),
  threshold: wire.double(4),
  interval: wire.double(5),
  accumulator: wire.double(6),
  timer: wire.double(7),
  eligibility: wire.double(8),
  thresholdRate: wire.double(9),
  intervalRate: wire.double(10),
  activity: wire.double(11),
  output: wire.uint32(12),
  sign: wire.oneOf(13, signs),
  edges: wire.repeated(wire.nested(14, edgeForm), limits.clusterEdgesMax),
  uses: wire.uint53(15),
  value: wire.double(16),
  fired: wire.oneOf(17, firings),
});
const form = wire.message({
  version: wire.uint32(1),
  inputs: wire.uint32(2),
  outputs: wire.uint32(3),
  nodesMax: wire.uint32(4),
  random: wire.uint32(5),
  nodes: wire.repeated(wire.nested(6, nodeForm), limits.clusterNodesMax),
});
type NodeBody = ReturnType<typeof nodeForm.decode>;

export function encodeCluster({ inputs, outputs, nodesMax, random, nodes }: ClusterState): Uint8Array {
  const bodies = nodes.map((node): NodeBody => ({
    ...node,
    weights: [...node.weights],
    traces: [...node.traces],
    sign: node.sign === 1 ? 'for' : 'against',
    fired: node.fired ?? 'none',
  }));
  return form.encode({ version, inputs, outputs, nodesMax, random: random.state() >>> 0, nodes: bodies });
}

/** Throws INVALID_FORMAT, also for what no cluster can have come to. */
export function decodeCluster(bytes: Uint8Array): ClusterState {
  if (bytes.length > limits.clusterBytesMax) throw invalid('is longer than a cluster can be');
  const { nodes, random, ...body } = form.decode(bytes);
  const { inputs, outputs, nodesMax } = body;
  if (body.version !== version) throw invalid(`has version ${body.version}`);
  if (!within(inputs, 1, limits.clusterInputsMax) || !within(outputs, 1, limits.clusterOutputsMax))
    throw invalid('has impossible inputs or outputs');
  if (!within(nodesMax, outputs, limits.clusterNodesMax) || !within(nodes.length, outputs, nodesMax))
    throw invalid('has impossible nodes');
  const shape = { inputs, outputs };
  return {
    ...shape,
    nodesMax,
    random: seededUnit(random),
    nodes: nodes.map((node, index) => nodeOf(node, index, shape)),
  };
}

function nodeOf(body: NodeBody, index: number, shape: Pick<ClusterState, 'inputs' | 'outputs'>): GatingNode {
  if (body.weights.length !== shape.inputs || body.traces.length !== shape.inputs + 1 || body.output >= shape.outputs)
    throw invalid('has a node of another shape');
  if (!possible(body) || !body.edges.every((edge) => edge.from < index && possibleEdge(edge)))
    throw invalid(`has a node ${index} with a value it cannot have`);
  return {
    ...body,
    weights: Float64Array.from(body.weights),
    traces: Float64Array.from(body.traces),
    sign: body.sign === 'for' ? 1 : -1,
    fired: body.fired === 'none' ? undefined : body.fired,
    edges: body.edges.map((edge) => ({ ...edge })),
  };
}

function possible(node: NodeBody): boolean {
  const { weightMax, thresholdMin, thresholdMax, intervalMin, intervalMax } = gating;
  const { thresholdRateMin, thresholdRateMax, intervalRateMin, intervalRateMax } = gating;
  return (
    [...node.weights, node.bias].every((weight) => within(weight, -weightMax, weightMax)) &&
    [...node.traces, node.accumulator, node.timer, node.value].every(Number.isFinite) &&
    within(node.threshold, thresholdMin, thresholdMax) &&
    within(node.interval, intervalMin, intervalMax) &&
    within(node.timer, 0, intervalMax) &&
    within(node.thresholdRate, thresholdRateMin, thresholdRateMax) &&
    within(node.intervalRate, intervalRateMin, intervalRateMax) &&
    within(node.eligibility, 0, 1) &&
    within(node.activity, 0, 1)
  );
}

const possibleEdge = ({ weight, trace }: Edge): boolean =>
  within(weight, 0, gating.weightMax) && Number.isFinite(trace);

const within = (value: number, low: number, high: number): boolean => value >= low && value <= high;

const invalid = (what: string): PeerAiError<NnErrorCode> =>
  new PeerAiError('INVALID_FORMAT', `This saved cluster ${what}.`);
