import { type Graph, type Value } from '../graph/index.ts';
import {
  type BatchSizes,
  languageModelCost,
  languageModelLayout,
  languageModelPart,
  type LanguageModelSizes,
} from '../models/language-model.ts';
import { mlpCost, mlpLayout, mlpPart } from '../models/mlp.ts';
import type { Layout } from '../train/layout.ts';

/** A model that can be cut at the borders of its layers, and the sizes of what it is asked at once. */
export type SplitModel =
  | { readonly type: 'language-model'; readonly sizes: LanguageModelSizes; readonly batch: BatchSizes }
  | { readonly type: 'mlp'; readonly widths: readonly number[]; readonly rows: number };

type Parameters = ReadonlyMap<string, Value>;
/** Layers `from` to before `to`. */
export interface LayerRange {
  readonly from: number;
  readonly to: number;
}
/** Which stages want a part of the batch, and whether for the loss only. */
type Wanted = 'first' | 'every' | 'last' | 'loss';

/** What the graphs of a stage are built from. */
interface LayeredModel {
  readonly layout: Layout;
  readonly layers: number;
  /** Names of a batch's tensors. */
  readonly inputs: Readonly<Record<string, Wanted>>;
  readonly layerOf: (parameter: string) => number;
  /** Shape of the state that goes into a layer; of the scores where `layer` is their number. */
  readonly stateShape: (layer: number) => readonly number[];
  /** The state after the layers; without `state` they begin with the batch. */
  readonly part: (
    graph: Graph,
    parameters: Parameters,
    range: LayerRange & { readonly state?: Value | undefined },
  ) => Value;
  readonly loss: (graph: Graph, scores: Value) => Value;
}

export function layered(model: SplitModel): LayeredModel {
  if (model.type === 'mlp') return layeredMlp(model);
  const { sizes, batch } = model;
  return {
    layout: languageModelLayout(sizes),
    layers: sizes.layers,
    inputs: { tokens: 'first', segments: 'every', positions: 'last', targets: 'loss', weights: 'loss' },
    layerOf(parameter) {
      if (parameter === 'embedding') return 0;
      const [layer = ''] = parameter.split('.');
      return parameter.includes('.') ? Number(layer) : sizes.layers - 1;
    },
    stateShape: (layer) =>
      layer === sizes.layers ? [batch.learned, sizes.vocabulary] : [batch.rows, batch.length, sizes.width],
    part: languageModelPart(sizes, batch),
    loss: (graph, scores) => languageModelCost(graph, scores, batch),
  };
}

function layeredMlp({ widths, rows }: SplitModel & { readonly type: 'mlp' }): LayeredModel {
  const layers = widths.length - 1;
  return {
    layout: mlpLayout(widths),
    layers,
    inputs: { features: 'first', labels: 'loss' },
    layerOf: (parameter) => Number(parameter.split('.')[1]),
    stateShape: (layer) => [rows, widths[layer] ?? 0],
    part: (graph, parameters, { from, to, state }) =>
      mlpPart(state ?? graph.input('features', [rows, widths[0] ?? 0]), parameters, { from, to, layers }),
    loss: (graph, scores) => mlpCost(graph, scores, rows),
  };
}
