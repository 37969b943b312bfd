import {
  add,
  concat,
  Graph,
  greater,
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
  cacheNames,
  feedForward,
  type LanguageModelSizes,
  layerOf,
  maskedScore,
  parameter,
} from '../models/language-model.ts';
import { parameterValues } from '../train/layout.ts';
import type { SplitModel } from './layered.ts';
import type { Stage } from './plan.ts';

/** A stage of a language model. */
export type LanguageStage = Stage & { readonly model: SplitModel & { readonly type: 'language-model' } };

/** Keys and values stay inside the runtime, by layer. */
export function stepCarry(stage: LanguageStage): Readonly<Record<string, string>> {
  return Object.fromEntries(cachesOf(stage).map((name) => [`${name}.next`, name]));
}

/** Names of the stage's caches, each [heads, past, headWidth]. */
export function cachesOf({ from, to }: LanguageStage): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => Object.values(cacheNames(from + index))).flat();
}

/**
 * Some more tokens of an answer, whose earlier ones are in the caches, with the weights written in.
 *
 * Inputs: the caches (carried), `places` int64 [count], where the tokens stand in the answer, and `rows`: of the first stage the tokens, int64 [count], else
 * the state before, [count, width]. Out comes `next`: the state after, [count, width], or of the last stage the scores after the last token, [1, vocabulary].
 */
export function stepGraph(stage: LanguageStage, weights: Float32Array): Uint8Array {
  const { model, layout, index, from, to } = stage;
  const { sizes } = model;
  const graph = new Graph();
  const parameters = parameterValues(layout, graph.constant(weights, [layout.size]));
  const headWidth = sizes.width / sizes.heads;
  const caches = new Map(
    cachesOf(stage).map((name) => [name, graph.input(name, [sizes.heads, 'past', headWidth])] as const),
  );
  const look = lookOf(graph.input('places', ['count'], 'int64'), caches, sizes);
  let state =
    index === 0
      ? rowsAt(parameter(parameters, 'embedding'), graph.input('rows', ['count'], 'int64'), 'count')
      : graph.input('rows', ['count', sizes.width]);
  for (let layer = from; layer < to; layer += 1) {
    const own = layerOf(parameters, layer);
    const mixed = attention(matmul(rmsNorm(state, own.normA), own.qkv), cacheNames(layer), sizes, look);
    state = feedForward(add(state, matmul(mixed, own.attention)), own, sizes);
  }
  if (index === stage.count - 1) {
    const last = rowsAt(state, graph.integers([-1]), 1);
    state = matmul(rmsNorm(last, parameter(parameters, 'norm')), parameter(parameters, 'output'));
  }
  graph.output('next', state);
  return graph.toModel();
}

/** What tokens see: the caches, the angles of their own places, and 0 where they may look, far below zero at what comes after them. */
interface Look {
  readonly caches: ReadonlyMap<string, Value>;
  readonly cosines: Value;
  readonly sines: Value;
  /** [count, total] */
  readonly mask: Value;
}

function lookOf(places: Value, caches: Look['caches'], { context, width, heads }: LanguageModelSizes): Look {
  const { graph } = places;
  const half = width / heads / 2;
  const angles = rotaryAngles(context, 2 * half);
  const own = (values: Float32Array): Value => rowsAt(graph.constant(values, [context, half]), places, 'count');
  return { caches, cosines: own(angles.cosines), sines: own(angles.sines), mask: maskOf(places) };
}

/** The last token's place is the last one there is, so that the caches' lengths need not be known. */
function maskOf(places: Value): Value {
  const { graph } = places;
  const total = add(reshape(rowsAt(places, graph.integers([-1]), 1), []), graph.integers([1], []));
  const range = [graph.integers([0], []), total, graph.integers([1], [])];
  const seen = reshapeOpen(graph.emit('Range', range, ['total'], {}, 'int64'), [1, -1], [1, 'total']);
  const later = greater(seen, reshapeOpen(places, [-1, 1], ['count', 1]));
  return where(later, graph.constant(maskedScore), graph.constant(0));
}

/** [count, 3 · width] → [count, width]; the layer's caches grow by `count` places. */
function attention(
  qkv: Value,
  names: ReturnType<typeof cacheNames>,
  { width, heads }: LanguageModelSizes,
  { caches, cosines, sines, mask }: Look,
): Value {
  const { graph } = qkv;
  const headWidth = width / heads;
  const [q, k, v] = split(qkv, 1, [width, width, width]).map((part) =>
    transpose(reshapeOpen(part, [0, heads, headWidth], ['count', heads, headWidth]), [1, 0, 2]),
  ) as [Value, Value, Value];
  const cached = (name: string, fresh: Value): Value => {
    const all = concat([caches.get(name) as Value, fresh], 1, 'total');
    graph.output(`${name}.next`, all);
    return all;
  };
  const keys = cached(names.key, rotate(k, cosines, sines));
  const values = cached(names.value, v);
  const query = scale(rotate(q, cosines, sines), 1 / Math.sqrt(headWidth));
  const mixed = matmul(softmax(add(matmul(query, swapLast(keys)), mask)), values);
  return reshapeOpen(transpose(mixed, [1, 0, 2]), [0, width], ['count', width]);
}

/** Rows of a table by index, −1 for the last. */
function rowsAt(table: Value, indices: Value, count: number | string): Value {
  return table.graph.emit('Gather', [table, indices], [count, ...table.shape.slice(1)], { axis: 0 }, table.type);
}
