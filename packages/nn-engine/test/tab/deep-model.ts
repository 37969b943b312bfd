import type { Runtime, Tensor, Tensors } from '@peerai/core-protocol';
import {
  createTrainer,
  freshState,
  Graph,
  mlpForward,
  mlpLayout,
  mlpLoss,
  mlpWeights,
  parameterValues,
  seededUnit,
  trainingGraph,
} from '@peerai/nn-engine';

/** Ten parameters: one more than a shader of WebGPU may have buffers beside the vector they are cut from. All of one width, so that few shaders are needed. */
const widths = [4, 4, 4, 4, 4, 4];
const rows = 16;
const layout = mlpLayout(widths);

const random = seededUnit(5);
const features: Tensor = {
  type: 'float32',
  shape: [rows, 4],
  data: Float32Array.from({ length: rows * 4 }, () => 2 * random() - 1),
};
const labels: Tensor = {
  type: 'int64',
  shape: [rows],
  data: BigInt64Array.from({ length: rows }, () => BigInt(Math.floor(4 * random()))),
};

export interface Learned {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
  /** Of each row, by the weights that were learned. */
  readonly scores: readonly number[];
}

/** Three steps, the weights after them, and what they say of the rows: the same numbers go in wherever it runs. */
export async function learn(runtime: Runtime, signal: AbortSignal): Promise<Learned> {
  const graph = trainingGraph({ layout, loss: mlpLoss(widths, rows) });
  const initial = freshState(mlpWeights(widths, seededUnit(1)));
  await using trainer = await createTrainer({ runtime }, { graph, initial, signal });
  const losses: number[] = [];
  for (let step = 0; step < 3; step += 1) losses.push((await trainer.step({ features, labels }, 0.01, signal)).loss);
  const weights = await trainer.weights();
  const asked = new Graph();
  const w = asked.input('w', [layout.size]);
  const parameters = parameterValues(layout, w);
  asked.output('scores', mlpForward(asked.input('features', [rows, 4]), parameters, widths.length - 1));
  await using program = await runtime.load(asked.toModel(), { signal });
  const feeds: Tensors = { w: { type: 'float32', shape: [layout.size], data: weights }, features };
  const { scores } = await program.run(feeds, signal);
  return { losses, weights: [...weights], scores: Array.from((scores?.data ?? []) as Float32Array) };
}
