import { Graph } from '../graph/index.ts';
import { parameterValues } from '../train/layout.ts';
import { decodeStep, languageModelLayout, type LanguageModelSizes } from './language-model.ts';

/** One of each part; which operators there are does not depend on sizes. */
const smallest: LanguageModelSizes = { vocabulary: 2, width: 4, layers: 1, heads: 1, hidden: 4, context: 2 };

/** ONNX names of the operators that the decoder of our language models computes, sorted: read from its graph. */
export function decodeOperators(): readonly string[] {
  const graph = new Graph();
  const layout = languageModelLayout(smallest);
  decodeStep(graph, parameterValues(layout, graph.constant(new Float32Array(layout.size), [layout.size])), smallest);
  return graph.operators;
}
