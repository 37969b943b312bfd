import { concat, Graph, gradients, multiply, reshape, sum, type Value } from '../graph/index.ts';
import { gradientsFrom } from '../graph/gradients.ts';
import { parameterValues } from '../train/layout.ts';
import { layered } from './layered.ts';
import type { Stage } from './plan.ts';

/** Weights stay inside the runtime: what goes in comes out. */
export const stageCarry = { 'w.next': 'w' } as const;

/** `w` (carried), the batch's tensors of `stageInputs` and, but for the first stage, `state`; out comes `next`: the next state, or the scores. */
export function forwardGraph(stage: Stage): Uint8Array {
  const { graph, next } = begin(stage);
  graph.output('next', next);
  return graph.toModel();
}

/**
 * Computes the stage again and then its gradients, so that nothing is kept between the two passes.
 *
 * Inputs: those of `forwardGraph` and `nextGradient`, d loss / d next; the last stage has the loss instead. Outputs: `gradient` (flat, the stage's
 * layout), `squares` (for each parameter the sum of its gradient's squares), `stateGradient` but for the first stage, `loss` of the last, `next` of
 * the others.
 *
 * Its `next`, and not that of `forwardGraph`, is what a stage that learns hands on: ONNX Runtime joins operators where no backward pass reads what lies
 * between them, the joined ones round differently, and the gradients would not be those of the whole model bit for bit.
 */
export function backwardGraph(stage: Stage): Uint8Array {
  const { graph, parameters, state, next } = begin(stage);
  const wanted = [...parameters.values(), ...(state === undefined ? [] : [state])];
  const parts = stage.index === stage.count - 1 ? ofLoss(stage, graph, next, wanted) : ofNext(graph, next, wanted);
  const flat = stage.layout.parameters.map(({ size }, index) => reshape(parts[index] as Value, [size]));
  graph.output('gradient', concat(flat, 0));
  const squares = flat.map((part) => sum(multiply(part, part), [0], true));
  graph.output('squares', concat(squares, 0));
  if (state !== undefined) graph.output('stateGradient', parts[flat.length] as Value);
  return graph.toModel();
}

function ofLoss({ model }: Stage, graph: Graph, scores: Value, wanted: readonly Value[]): readonly Value[] {
  const loss = layered(model).loss(graph, scores);
  graph.output('loss', loss);
  return gradients(loss, wanted);
}

function ofNext(graph: Graph, next: Value, wanted: readonly Value[]): readonly Value[] {
  graph.output('next', next);
  return gradientsFrom(next, graph.input('nextGradient', next.shape), wanted);
}

function begin({ model, layout, index, from, to }: Stage) {
  const { part, stateShape } = layered(model);
  const graph = new Graph();
  const weights = graph.input('w', [layout.size]);
  const parameters = parameterValues(layout, weights);
  const state = index === 0 ? undefined : graph.input('state', stateShape(from));
  const next = part(graph, parameters, { from, to, state });
  graph.output('w.next', weights);
  return { graph, parameters, state, next };
}
