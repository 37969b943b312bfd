import {
  add,
  and,
  causalAttention,
  concat,
  crossEntropy,
  equal,
  expand,
  gatherRows,
  type Graph,
  matmul,
  multiply,
  reshape,
  rmsNorm,
  rotaryAngles,
  rotate,
  scale,
  silu,
  slice,
  split,
  softmax,
  swapLast,
  transpose,
  type Value,
  where,
} from '../graph/index.ts';
import { type Layout, layoutOf } from '../train/layout.ts';
import { gaussian } from '../train/random.ts';

/** Sizes of a Llama-style language model: RMSNorm, rotary positions, SwiGLU, no biases. */
export interface LanguageModelSizes {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of the feed-forward part. */
  readonly hidden: number;
  /** Tokens it can look back. */
  readonly context: number;
}

/** Sizes of one training batch: packed rows, tokens a row, and places that are learned. */
export interface BatchSizes {
  readonly rows: number;
  readonly length: number;
  readonly learned: number;
}

export type Parameters = ReadonlyMap<string, Value>;

/** A masked score: far below any real one, and exp of it is 0. */
export const maskedScore = -1e9;

/** Parameter names and shapes: `embedding`, per layer `normA qkv attention normB gateUp down`, then `norm` and `output`. */
export function languageModelLayout({ vocabulary, width, layers, hidden }: LanguageModelSizes): Layout {
  const shapes: Record<string, readonly number[]> = { embedding: [vocabulary, width] };
  for (let layer = 0; layer < layers; layer += 1) {
    shapes[`${layer}.normA`] = [width];
    shapes[`${layer}.qkv`] = [width, 3 * width];
    shapes[`${layer}.attention`] = [width, width];
    shapes[`${layer}.normB`] = [width];
    shapes[`${layer}.gateUp`] = [width, 2 * hidden];
    shapes[`${layer}.down`] = [hidden, width];
  }
  shapes['norm'] = [width];
  shapes['output'] = [width, vocabulary];
  return layoutOf(shapes);
}

/** Fresh weights: gains 1, the rest normal with deviation 0.02, the two matrices that write to the residual smaller by √(2·layers) (GPT-2's rule). */
export function initialWeights(sizes: LanguageModelSizes, random: () => number): Float32Array {
  const layout = languageModelLayout(sizes);
  const weights = new Float32Array(layout.size);
  for (const { name, shape, offset, size } of layout.parameters) {
    const writesResidual = name.endsWith('.attention') || name.endsWith('.down');
    const deviation = writesResidual ? 0.02 / Math.sqrt(2 * sizes.layers) : 0.02;
    for (let index = offset; index < offset + size; index += 1) {
      weights[index] = shape.length === 1 ? 1 : gaussian(random) * deviation;
    }
  }
  return weights;
}

/**
 * The training loss over packed rows.
 *
 * Adds the inputs `tokens`, `segments` (int64 [rows, length]; a token sees only earlier ones of its own segment), `positions` (int64 [learned]:
 * the places, counted row after row, whose next token is learned), `targets` (int64 [learned]) and `weights` (float32 [learned]). Returns the
 * weighted mean of −log p(target), in nats. Scores are computed at the learned places only.
 */
export function languageModelLoss(sizes: LanguageModelSizes, batch: BatchSizes) {
  return (graph: Graph, parameters: Parameters): Value =>
    languageModelCost(graph, languageModelPart(sizes, batch)(graph, parameters, { from: 0, to: sizes.layers }), batch);
}

/** The loss from the scores at the learned places: adds the inputs `targets` and `weights`. */
export function languageModelCost(graph: Graph, scores: Value, { learned }: BatchSizes): Value {
  return crossEntropy(scores, graph.input('targets', [learned], 'int64'), graph.input('weights', [learned]));
}

/**
 * Layers `from` to before `to` over packed rows, state in and state out: [rows, length, width].
 *
 * Adds the input `segments`. Without `state` it begins with the embedding and adds `tokens`; where `to` is the last layer it ends with the scores
 * [learned, vocabulary] and adds `positions`.
 */
export function languageModelPart(sizes: LanguageModelSizes, { rows, length, learned }: BatchSizes) {
  return (
    graph: Graph,
    parameters: Parameters,
    { from, to, state: before }: { readonly from: number; readonly to: number; readonly state?: Value | undefined },
  ): Value => {
    const count = rows * length;
    const mask = packedMask(graph, rows, length);
    const angles = rotaryAngles(length, sizes.width / sizes.heads);
    const half = sizes.width / sizes.heads / 2;
    // As long as a place's heads, so that a product with them runs through memory: where they repeat inside a place it takes five times as long.
    const table = (values: Float32Array): Value =>
      expand(graph.constant(values, [length, 1, half]), [length, sizes.heads, half]);
    const turns = { cosines: table(angles.cosines), sines: table(angles.sines) };
    const embedded = (): Value => {
      const tokens = reshape(graph.input('tokens', [rows, length], 'int64'), [count]);
      return reshape(gatherRows(parameter(parameters, 'embedding'), tokens), [rows, length, sizes.width]);
    };
    let state = before ?? embedded();
    for (let layer = from; layer < to; layer += 1) {
      state = block(state, layerOf(parameters, layer), sizes, { ...turns, mask });
    }
    if (to < sizes.layers) return state;
    const chosen = gatherRows(reshape(state, [count, sizes.width]), graph.input('positions', [learned], 'int64'));
    return matmul(rmsNorm(chosen, parameter(parameters, 'norm')), parameter(parameters, 'output'));
  };
}

interface LayerParameters {
  readonly normA: Value;
  readonly qkv: Value;
  readonly attention: Value;
  readonly normB: Value;
  readonly gateUp: Value;
  readonly down: Value;
}

export function layerOf(parameters: Parameters, layer: number): LayerParameters {
  const take = (name: string): Value => parameter(parameters, `${layer}.${name}`);
  return {
    normA: take('normA'),
    qkv: take('qkv'),
    attention: take('attention'),
    normB: take('normB'),
    gateUp: take('gateUp'),
    down: take('down'),
  };
}

export function parameter(parameters: Parameters, name: string): Value {
  const value = parameters.get(name);
  if (value === undefined) throw new RangeError(`the layout has no parameter ${name}`);
  return value;
}

/**
 * state + attention(state), then + feedForward: [rows, length, width] → the same.
 *
 * The joined matrices are cut before they are multiplied, not their products after: those are longer (a step of the 1 M model takes 4 to 6 % less).
 */
function block(
  state: Value,
  layer: LayerParameters,
  sizes: LanguageModelSizes,
  { cosines, sines, mask }: { readonly cosines: Value; readonly sines: Value; readonly mask: Value },
): Value {
  const [rows, length] = state.shape as readonly [number, number];
  const { width, heads } = sizes;
  const headWidth = width / heads;
  const normalised = rmsNorm(state, layer.normA);
  const [q, k, v] = split(layer.qkv, 1, [width, width, width]).map((part) =>
    reshape(matmul(normalised, part), [rows, length, heads, headWidth]),
  ) as [Value, Value, Value];
  const shared = 1 / Math.sqrt(headWidth);
  const query = rotate(q, scale(cosines, shared), scale(sines, shared));
  const [asked, keys, values] = [query, rotate(k, cosines, sines), v].map((part) => transpose(part, [0, 2, 1, 3])) as [
    Value,
    Value,
    Value,
  ];
  const mixed = causalAttention(asked, keys, values, mask);
  const joined = reshape(transpose(mixed, [0, 2, 1, 3]), [rows, length, width]);
  return feedForward(add(state, matmul(joined, layer.attention)), layer, sizes);
}

/** state + (silu(gate) · up) · down (SwiGLU, Shazeer, arXiv 2002.05202). The last axis is the width. */
export function feedForward(state: Value, layer: LayerParameters, { hidden }: LanguageModelSizes): Value {
  const normalised = rmsNorm(state, layer.normB);
  const [gate, up] = split(layer.gateUp, 1, [hidden, hidden]).map((part) => matmul(normalised, part)) as [Value, Value];
  return add(state, matmul(multiply(silu(gate), up), layer.down));
}

/** [rows, 1, length, length]: 0 where a token may look, far below zero elsewhere. */
function packedMask(graph: Graph, rows: number, length: number): Value {
  const segments = graph.input('segments', [rows, length], 'int64');
  const same = equal(reshape(segments, [rows, 1, length, 1]), reshape(segments, [rows, 1, 1, length]));
  const earlier = Array.from({ length: length * length }, (_, index) => index % length <= Math.floor(index / length));
  const allowed = and(same, graph.booleans(earlier, [length, length]));
  return where(allowed, graph.constant(0), graph.constant(maskedScore));
}

/** The cache inputs of the decode graph, by layer. */
export function cacheNames(layer: number): { readonly key: string; readonly value: string } {
  return { key: `key.${layer}`, value: `value.${layer}` };
}

/**
 * One token with a growing key-value cache: adds the inputs `token` int64 [1], `cosines`, `sines` [1, headWidth / 2] and `key.N`, `value.N` [heads, past,
 * headWidth]; names the outputs `key.N.next`, `value.N.next` and `logits` [1, vocabulary].
 */
export function decodeStep(graph: Graph, parameters: Parameters, sizes: LanguageModelSizes): void {
  const { width, heads } = sizes;
  const headWidth = width / heads;
  const token = graph.input('token', [1], 'int64');
  const cosines = graph.input('cosines', [1, headWidth / 2]);
  const sines = graph.input('sines', [1, headWidth / 2]);
  let state = gatherRows(parameter(parameters, 'embedding'), token);
  for (let layer = 0; layer < sizes.layers; layer += 1) {
    const names = cacheNames(layer);
    const weights = layerOf(parameters, layer);
    const qkv = matmul(rmsNorm(state, weights.normA), weights.qkv);
    const head = (part: number): Value =>
      reshape(slice(qkv, 1, part * width, (part + 1) * width), [heads, 1, headWidth]);
    const cached = (name: string, fresh: Value): Value => {
      const all = concat([graph.input(name, [heads, 'past', headWidth]), fresh], 1, 'total');
      graph.output(`${name}.next`, all);
      return all;
    };
    const keys = cached(names.key, rotate(head(1), cosines, sines));
    const values = cached(names.value, head(2));
    const query = scale(rotate(head(0), cosines, sines), 1 / Math.sqrt(headWidth));
    const mixed = reshape(matmul(softmax(matmul(query, swapLast(keys))), values), [1, width]);
    state = feedForward(add(state, matmul(mixed, weights.attention)), weights, sizes);
  }
  graph.output('logits', matmul(rmsNorm(state, parameter(parameters, 'norm')), parameter(parameters, 'output')));
}
