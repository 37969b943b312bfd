import {
  createTrainer,
  freshState,
  mlpLayout,
  mlpLoss,
  mlpWeights,
  seededUnit,
  trainingGraph,
} from '@peerai/nn-engine';
import { createNodeRuntime } from '@peerai/nn-engine/node';

// Two inputs, one hidden layer, two classes: learn whether two numbers have the same sign.
const [widths, rows] = [[2, 16, 2], 64];
const random = seededUnit(1);
const signal = AbortSignal.timeout(30_000);

// One ONNX graph = forward + backward + clipping + AdamW, over three flat vectors that stay inside the runtime.
const graph = trainingGraph({ layout: mlpLayout(widths), loss: mlpLoss(widths, rows) });
const initial = freshState(mlpWeights(widths, random));
await using trainer = await createTrainer({ runtime: createNodeRuntime() }, { graph, initial, signal });

const losses: number[] = [];
for (let step = 0; step < 200; step += 1) {
  const pairs = Array.from({ length: rows }, () => [random() * 2 - 1, random() * 2 - 1] as const);
  const labels = pairs.map(([x, y]) => (x * y > 0 ? 1n : 0n));
  const batch = {
    features: { type: 'float32', shape: [rows, 2], data: Float32Array.from(pairs.flat()) },
    labels: { type: 'int64', shape: [rows], data: BigInt64Array.from(labels) },
  } as const;
  losses.push((await trainer.step(batch, 0.02, signal)).loss);
}
export const [first, last] = [losses.at(0)!, losses.at(-1)!];
console.log(`loss ${first.toFixed(2)} before, ${last.toFixed(2)} after ${losses.length} steps`);
