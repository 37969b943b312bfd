import type { Tensors } from '@peerai/core-protocol';

import {
  add,
  concat,
  divide,
  Graph,
  gradients,
  minimum,
  multiply,
  reshape,
  scale,
  squareRoot,
  subtract,
  sum,
  type Value,
} from '../graph/index.ts';
import { type Layout, parameterValues } from './layout.ts';

/** AdamW (Loshchilov and Hutter, arXiv 1711.05101). */
export interface AdamW {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Pulls every parameter towards zero by this share of the learning rate a step. */
  readonly weightDecay: number;
}

export const defaultAdamW: AdamW = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 };

export interface TrainingGraphOptions {
  readonly layout: Layout;
  /** Adds the forward pass; returns a scalar loss. Inputs it makes are the batch. */
  readonly loss: (graph: Graph, parameters: ReadonlyMap<string, Value>) => Value;
  readonly adamW?: Partial<AdamW>;
  /** The gradient is shortened to this L2 norm when it is longer. Default 1. */
  readonly clipNorm?: number;
}

/** The carried state of a training graph: weights, first and second moments. */
export const trainingCarry = { 'w.next': 'w', 'm.next': 'm', 'v.next': 'v' } as const;

/**
 * One ONNX model = forward + backward + clipping + AdamW.
 *
 * Inputs: `w`, `m`, `v` (flat, carried), `learningRate`, `correction1`, `correction2` (scalars, see `stepFeeds`) and what `loss` makes.
 * Outputs: `loss`, `gradientNorm` (before clipping) and the carried `w.next`, `m.next`, `v.next`. Throws SHAPE_MISMATCH, NOT_DIFFERENTIABLE.
 */
export function trainingGraph({ layout, loss, adamW, clipNorm = 1 }: TrainingGraphOptions): Uint8Array {
  const settings = { ...defaultAdamW, ...adamW };
  const { graph, weights, total, gradient } = lossAndGradient(layout, loss);
  const squares = multiply(gradient, gradient);
  const norm = squareRoot(sumOf(squares, layout));
  const shorter = minimum(graph.constant(1), divide(graph.constant(clipNorm), add(norm, graph.constant(1e-6))));
  const next = adamWStep(graph, weights, { gradient, squares, shorter }, layout.size, settings);
  graph.output('loss', total);
  graph.output('gradientNorm', norm);
  for (const [name, value] of Object.entries(next)) graph.output(`${name}.next`, value);
  return graph.toModel();
}

/** The same forward and backward pass without an update: `w` in, `loss` and the flat `gradient` out. For gradient checks and shared training. */
export function gradientGraph({ layout, loss }: Pick<TrainingGraphOptions, 'layout' | 'loss'>): Uint8Array {
  const { graph, total, gradient } = lossAndGradient(layout, loss);
  graph.output('loss', total);
  graph.output('gradient', gradient);
  return graph.toModel();
}

/**
 * The update alone, for a gradient that was made elsewhere: `w`, `m`, `v` (carried), `gradient` (flat), `shorter` (scalar: what clipping multiplies the
 * gradient by) and the scalars of `stepFeeds`; out come the carried `w.next`, `m.next`, `v.next`.
 */
export function updateGraph(size: number): Uint8Array {
  const graph = new Graph();
  const [weights, gradient] = [graph.input('w', [size]), graph.input('gradient', [size])];
  const clipped = { gradient, squares: multiply(gradient, gradient), shorter: graph.input('shorter', []) };
  const next = adamWStep(graph, weights, clipped, size, defaultAdamW);
  for (const [name, value] of Object.entries(next)) graph.output(`${name}.next`, value);
  return graph.toModel();
}

/** Scalars of step `step` (1 for the first) for a training graph. */
export function stepFeeds(step: number, learningRate: number, adamW: Partial<AdamW> = {}): Tensors {
  const { beta1, beta2 } = { ...defaultAdamW, ...adamW };
  const scalar = (value: number) => ({ type: 'float32', shape: [], data: Float32Array.of(value) }) as const;
  return {
    learningRate: scalar(learningRate),
    correction1: scalar(1 / (1 - beta1 ** step)),
    correction2: scalar(1 / (1 - beta2 ** step)),
  };
}

function lossAndGradient(layout: Layout, loss: TrainingGraphOptions['loss']) {
  const graph = new Graph();
  const weights = graph.input('w', [layout.size]);
  const parameters = parameterValues(layout, weights);
  const total = loss(graph, parameters);
  const parts = gradients(total, [...parameters.values()]);
  const gradient = concat(
    parts.map((part, index) => reshape(part, [layout.parameters[index]?.size ?? 0])),
    0,
  );
  return { graph, weights, total, gradient };
}

/** Elements of a row of the table that a long vector is added up as, at most. */
const sumColumnsMax = 1024;

/**
 * The sum of a flat vector. First the rows of a table of it, one onto the other, where its length can be cut so: that is done in vectors, while one long
 * sum waits for each addition (in wasm 0.3 ms for a million instead of 0.7).
 */
function sumOf(flat: Value, { size }: Layout): Value {
  let columns = Math.min(sumColumnsMax, size);
  while (columns > 1 && size % columns !== 0) columns -= 1;
  return sum(sum(reshape(flat, [size / columns, columns]), [0]), [0]);
}

/** A gradient that counts `shorter` times: its scalar is multiplied into others, so that no pass over the vector is needed for it. */
interface Clipped {
  readonly gradient: Value;
  /** The gradient's elements squared. */
  readonly squares: Value;
  readonly shorter: Value;
}

/** With g = shorter · gradient: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − lr·(m̂ / (√v̂ + ε) + decay·w). */
function adamWStep(
  graph: Graph,
  w: Value,
  { gradient, squares, shorter }: Clipped,
  size: number,
  settings: AdamW,
): { w: Value; m: Value; v: Value } {
  const [m, v] = [graph.input('m', [size]), graph.input('v', [size])];
  const learningRate = graph.input('learningRate', []);
  const [correction1, correction2] = [graph.input('correction1', []), graph.input('correction2', [])];
  const nextM = add(scale(m, settings.beta1), multiply(gradient, scale(shorter, 1 - settings.beta1)));
  const nextV = add(scale(v, settings.beta2), multiply(squares, scale(multiply(shorter, shorter), 1 - settings.beta2)));
  // √v̂ + ε = √c₂ · (√v + ε/√c₂): corrected as scalars, without a pass over the vector.
  const correction = squareRoot(correction2);
  const root = add(squareRoot(nextV), divide(graph.constant(settings.epsilon), correction));
  const direction = divide(multiply(nextM, divide(multiply(learningRate, correction1), correction)), root);
  const keep = subtract(graph.constant(1), scale(learningRate, settings.weightDecay));
  return { w: subtract(multiply(w, keep), direction), m: nextM, v: nextV };
}
