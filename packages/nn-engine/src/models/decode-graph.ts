import { Graph } from '../graph/index.ts';
import { type Layout, parameterValues } from '../train/layout.ts';
import { cacheNames, decodeStep, languageModelLayout, type LanguageModelSizes } from './language-model.ts';

/** Output to input names of the key-value cache, for `LoadOptions.carry`. */
export function decodeCarry(sizes: LanguageModelSizes): Readonly<Record<string, string>> {
  const names = Array.from({ length: sizes.layers }, (_, layer) => Object.values(cacheNames(layer))).flat();
  return Object.fromEntries(names.map((name) => [`${name}.next`, name]));
}

/** The decode graph with its weights written in: feeds `token`, `cosines`, `sines`, gives `logits`. `weights` is flat, as `languageModelLayout`. */
export function decodeGraph(sizes: LanguageModelSizes, weights: Float32Array): Uint8Array {
  const layout: Layout = languageModelLayout(sizes);
  const graph = new Graph();
  decodeStep(graph, parameterValues(layout, graph.constant(weights, [layout.size])), sizes);
  return graph.toModel();
}
