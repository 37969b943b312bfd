import { Graph, type Value } from '../graph/index.ts';
import { checkLength, type TrainedModel } from '../train/layout.ts';

/**
 * An ONNX file (opset 17) for inference: the weights are written in, `build` adds inputs and forward pass and names the outputs.
 *
 * Throws SHAPE_MISMATCH when weights and layout differ in length, and what `build` throws.
 */
export function exportOnnx(
  { layout, weights }: TrainedModel,
  build: (graph: Graph, parameters: ReadonlyMap<string, Value>) => Readonly<Record<string, Value>>,
): Uint8Array {
  checkLength({ layout, weights });
  const graph = new Graph();
  const parameters = layout.parameters.map(
    ({ name, shape, offset, size }) => [name, graph.constant(weights.subarray(offset, offset + size), shape)] as const,
  );
  for (const [name, value] of Object.entries(build(graph, new Map(parameters)))) graph.output(name, value);
  return graph.toModel();
}
