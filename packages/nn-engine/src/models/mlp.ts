import { add, crossEntropy, type Graph, matmul, relu, type Value } from '../graph/index.ts';
import { type Layout, layoutOf } from '../train/layout.ts';
import { gaussian } from '../train/random.ts';

/** Parameters of a network of full layers: `weight.N` [in, out], `bias.N` [out]. */
export function mlpLayout(widths: readonly number[]): Layout {
  const shapes: Record<string, readonly number[]> = {};
  widths.slice(1).forEach((width, layer) => {
    shapes[`weight.${layer}`] = [widths[layer] ?? 0, width];
    shapes[`bias.${layer}`] = [width];
  });
  return layoutOf(shapes);
}

/** Fresh weights, normal with deviation √(2 / inputs) (He et al., arXiv 1502.01852); biases 0. */
export function mlpWeights(widths: readonly number[], random: () => number): Float32Array {
  const layout = mlpLayout(widths);
  const weights = new Float32Array(layout.size);
  for (const { shape, offset, size } of layout.parameters) {
    if (shape.length === 1) continue;
    const deviation = Math.sqrt(2 / (shape[0] ?? 1));
    for (let index = offset; index < offset + size; index += 1) weights[index] = gaussian(random) * deviation;
  }
  return weights;
}

/** Rows of features to class scores: [rows, widths[0]] → [rows, last width]. ReLU between the layers. */
export function mlpForward(features: Value, parameters: ReadonlyMap<string, Value>, layers: number): Value {
  return mlpPart(features, parameters, { from: 0, to: layers, layers });
}

/** Layers `from` to before `to` of a network of `layers`. */
export function mlpPart(
  before: Value,
  parameters: ReadonlyMap<string, Value>,
  { from, to, layers }: { readonly from: number; readonly to: number; readonly layers: number },
): Value {
  let state = before;
  for (let layer = from; layer < to; layer += 1) {
    const [weight, bias] = [parameters.get(`weight.${layer}`), parameters.get(`bias.${layer}`)];
    if (weight === undefined || bias === undefined) throw new RangeError(`the layout has no layer ${layer}`);
    state = add(matmul(state, weight), bias);
    if (layer + 1 < layers) state = relu(state);
  }
  return state;
}

/** Mean cross-entropy of a batch: adds the inputs `features` [rows, widths[0]] and `labels` int64 [rows]. */
export function mlpLoss(widths: readonly number[], rows: number) {
  return (graph: Graph, parameters: ReadonlyMap<string, Value>): Value => {
    const features = graph.input('features', [rows, widths[0] ?? 0]);
    return mlpCost(graph, mlpForward(features, parameters, widths.length - 1), rows);
  };
}

/** The loss from the scores: adds the input `labels`. */
export function mlpCost(graph: Graph, scores: Value, rows: number): Value {
  const labels = graph.input('labels', [rows], 'int64');
  return crossEntropy(scores, labels, graph.constant(new Float32Array(rows).fill(1)));
}
