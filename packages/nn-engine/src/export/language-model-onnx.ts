import {
  add,
  Graph,
  matmul,
  reshape,
  reshapeOpen,
  rmsNorm,
  rotaryAngles,
  rotate,
  scale,
  softmax,
  split,
  swapLast,
  transpose,
  type Value,
  where,
} from '../graph/index.ts';
import {
  feedForward,
  languageModelLayout,
  type LanguageModelSizes,
  layerOf,
  maskedScore,
  parameter,
  type Parameters,
} from '../models/language-model.ts';
import { exportOnnx } from './onnx.ts';

/** Open sizes of the exported graph, by the names that exporters of this field use. */
const [batch, sequence] = ['batch', 'sequence'];

/**
 * The whole language model as an ONNX file for any ONNX tool: `input_ids` int64 [batch, sequence] in, `logits` float32 [batch, sequence, vocabulary] out,
 * weights inside, both sizes open up to the model's context. No cache: for answers token by token `decodeGraph` is faster.
 *
 * @param weights - flat, as `languageModelLayout`. Throws SHAPE_MISMATCH when their number differs.
 */
export function languageModelOnnx(sizes: LanguageModelSizes, weights: Float32Array): Uint8Array {
  const layout = languageModelLayout(sizes);
  return exportOnnx({ layout, weights }, (graph, parameters) => ({ logits: forward(graph, parameters, sizes) }));
}

function forward(graph: Graph, parameters: Parameters, sizes: LanguageModelSizes): Value {
  const ids = graph.input('input_ids', [batch, sequence], 'int64');
  const places = placesOf(ids);
  const context = attentionContext(graph, places, sizes);
  const embedding = parameter(parameters, 'embedding');
  let state = graph.emit('Gather', [embedding, ids], [batch, sequence, sizes.width], { axis: 0 });
  for (let layer = 0; layer < sizes.layers; layer += 1) {
    const weights = layerOf(parameters, layer);
    const mixed = attention(matmul(rmsNorm(state, weights.normA), weights.qkv), sizes, context);
    state = feedForward(add(state, matmul(mixed, weights.attention)), weights, sizes);
  }
  return matmul(rmsNorm(state, parameter(parameters, 'norm')), parameter(parameters, 'output'));
}

/** int64 [sequence]: 0, 1, 2 … */
function placesOf(ids: Value): Value {
  const { graph } = ids;
  const shape = graph.emit('Shape', [ids], [1], { start: 1, end: 2 }, 'int64');
  const count = reshape(shape, []);
  return graph.emit('Range', [graph.integers([0], []), count, graph.integers([1], [])], [sequence], {}, 'int64');
}

interface AttentionContext {
  readonly cosines: Value;
  readonly sines: Value;
  readonly mask: Value;
}

/** Angles of the places that are there, and 0 where a token may look, far below zero elsewhere. */
function attentionContext(
  graph: Graph,
  places: Value,
  { context, width, heads }: LanguageModelSizes,
): AttentionContext {
  const half = width / heads / 2;
  const angles = rotaryAngles(context, 2 * half);
  const rows = (values: Float32Array): Value =>
    graph.emit('Gather', [graph.constant(values, [context, half]), places], [sequence, half], { axis: 0 });
  const [asked, seen] = [reshapeOpen(places, [-1, 1], [sequence, 1]), reshapeOpen(places, [1, -1], [1, sequence])];
  const later = graph.emit('Greater', [seen, asked], [sequence, sequence], {}, 'bool');
  return {
    cosines: rows(angles.cosines),
    sines: rows(angles.sines),
    mask: where(later, graph.constant(maskedScore), graph.constant(0)),
  };
}

/** [batch, sequence, 3 · width] → [batch, sequence, width]. */
function attention(
  qkv: Value,
  { width, heads }: LanguageModelSizes,
  { cosines, sines, mask }: AttentionContext,
): Value {
  const headWidth = width / heads;
  const [q, k, v] = split(qkv, 2, [width, width, width]).map((part) =>
    transpose(reshapeOpen(part, [0, 0, heads, headWidth], [batch, sequence, heads, headWidth]), [0, 2, 1, 3]),
  ) as [Value, Value, Value];
  const query = scale(rotate(q, cosines, sines), 1 / Math.sqrt(headWidth));
  const scores = add(matmul(query, swapLast(rotate(k, cosines, sines))), mask);
  const mixed = transpose(matmul(softmax(scores), v), [0, 2, 1, 3]);
  return reshapeOpen(mixed, [0, 0, width], [batch, sequence, width]);
}
