import type { Tensors } from '@peerai/core-protocol';
import { expect, it } from 'vitest';

import { Graph } from '../graph/index.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { parameterValues } from '../train/layout.ts';
import { gaussian, seededUnit } from '../train/random.ts';
import { createTrainer, freshState } from '../train/trainer.ts';
import { trainingGraph } from '../train/training-graph.ts';
import {
  convForward,
  convLayout,
  convLoss,
  type ConvSizes,
  convStatistics,
  convWeights,
  convWholeLayout,
} from './conv.ts';

const sizes: ConvSizes = { channels: 1, side: 8, filters: [4, 8], classes: 3 };
const rows = 32;
const { signal } = new AbortController();
const runtime = createNodeRuntime();

it('learns which way a bar in noise lies, wherever it is', async () => {
  const graph = trainingGraph({ layout: convLayout(sizes), loss: convLoss(sizes, rows) });
  const initial = freshState(convWeights(sizes, seededUnit(1)));
  await using trainer = await createTrainer(
    { runtime },
    { graph, initial, statistics: { statistics: convStatistics(sizes) }, signal },
  );
  const whole = async (): Promise<Float32Array> => {
    const { statistics } = await trainer.statistics();
    return Float32Array.of(...(await trainer.weights()), ...(statistics ?? []));
  };
  const before = await accuracy(await whole());
  for (let step = 0; step < 120; step += 1) await trainer.step(bars(step), 0.01, signal);
  const after = await accuracy(await whole());
  expect(before).toBeLessThan(0.7);
  expect(after).toBeGreaterThan(0.9);
});

it('a side that does not halve as often as there are stages is a SHAPE_MISMATCH', () => {
  const odd = { ...sizes, side: 6 };
  const graph = new Graph();
  const parameters = parameterValues(convWholeLayout(sizes), graph.input('w', [convWholeLayout(sizes).size]));
  expect(() => convForward(graph.input('images', [1, 1, 6, 6]), parameters, odd)).toThrowError(
    expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
  );
});

/** Share of held-out bars that are named rightly. */
async function accuracy(weights: Float32Array): Promise<number> {
  const graph = new Graph();
  const parameters = parameterValues(convWholeLayout(sizes), graph.constant(weights, [weights.length]));
  graph.output('scores', convForward(graph.input('images', ['rows', 1, 8, 8]), parameters, sizes));
  await using program = await runtime.load(graph.toModel(), { signal });
  let right = 0;
  for (let batch = 0; batch < 8; batch += 1) {
    const { images, labels } = bars(10_000 + batch);
    const scores = (await program.run({ images }, signal))['scores']?.data as Float32Array;
    labels.data.forEach((label, row) => {
      const three = Array.from(scores.subarray(row * 3, row * 3 + 3));
      if (three.indexOf(Math.max(...three)) === Number(label)) right += 1;
    });
  }
  return right / (8 * rows);
}

/** Bars of four places: lying, standing or slanting, anywhere, with noise of deviation 0.3. */
function bars(seed: number) {
  const random = seededUnit(seed);
  const images = Float32Array.from({ length: rows * 64 }, () => gaussian(random) * 0.3);
  const labels = BigInt64Array.from({ length: rows }, (_, row) => {
    const label = Math.floor(random() * 3);
    const [across, down] = [
      [1, 0],
      [0, 1],
      [1, 1],
    ][label] as [number, number];
    const [x, y] = [Math.floor(random() * (8 - 3 * across)), Math.floor(random() * (8 - 3 * down))];
    for (let place = 0; place < 4; place += 1) {
      const index = row * 64 + (y + down * place) * 8 + x + across * place;
      images[index] = (images[index] ?? 0) + 1;
    }
    return BigInt(label);
  });
  return {
    images: { type: 'float32', shape: [rows, 1, 8, 8], data: images },
    labels: { type: 'int64', shape: [rows], data: labels },
  } as const satisfies Tensors;
}
