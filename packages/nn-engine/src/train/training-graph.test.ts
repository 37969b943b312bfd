import type { Tensors } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { add, multiply, sum } from '../graph/index.ts';
import { mlpLayout, mlpLoss, mlpWeights } from '../models/mlp.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { layoutOf } from './layout.ts';
import { gaussian, seededUnit } from './random.ts';
import { createTrainer, freshState, type Trainer } from './trainer.ts';
import { defaultAdamW, trainingGraph } from './training-graph.ts';

const { signal } = new AbortController();
const runtime = createNodeRuntime();
const widths = [4, 16, 3];
const rows = 32;

describe('a training graph', () => {
  it('one step is AdamW with clipping, as the formula says', async () => {
    const layout = layoutOf({ a: [2], b: [1] });
    // loss = 3·a₀² + 3·a₁² + b², so the gradient is (6a₀, 6a₁, 2b).
    const graph = trainingGraph({
      layout,
      clipNorm: 2,
      loss: (graph, parameters) => {
        const [a, b] = [need(parameters.get('a')), need(parameters.get('b'))];
        return add(sum(multiply(multiply(a, a), graph.constant(3)), [0]), sum(multiply(b, b), [0]));
      },
    });
    const initial = {
      step: 4,
      weights: Float32Array.of(1, -2, 0.5),
      firstMoment: Float32Array.of(0.1, 0, -0.1),
      secondMoment: Float32Array.of(0.2, 0.3, 0.4),
    };
    await using trainer = await createTrainer({ runtime }, { graph, initial, signal });
    const result = await trainer.step({}, 0.01, signal);
    const after = await trainer.state();
    const gradient = [6, -12, 1];
    const norm = Math.hypot(...gradient);
    expect(result).toMatchObject({ step: 5, loss: expect.closeTo(15.25, 4), gradientNorm: expect.closeTo(norm, 4) });
    const { beta1, beta2, epsilon, weightDecay } = defaultAdamW;
    gradient.forEach((slope, index) => {
      const clipped = slope * (2 / norm);
      const m = beta1 * (initial.firstMoment[index] ?? 0) + (1 - beta1) * clipped;
      const v = beta2 * (initial.secondMoment[index] ?? 0) + (1 - beta2) * clipped ** 2;
      const direction = m / (1 - beta1 ** 5) / (Math.sqrt(v / (1 - beta2 ** 5)) + epsilon);
      const weight = (initial.weights[index] ?? 0) * (1 - 0.01 * weightDecay) - 0.01 * direction;
      expect(after.firstMoment[index]).toBeCloseTo(m, 5);
      expect(after.secondMoment[index]).toBeCloseTo(v, 5);
      expect(after.weights[index]).toBeCloseTo(weight, 5);
    });
  });

  it('a short gradient is not clipped', async () => {
    const layout = layoutOf({ a: [1] });
    const graph = trainingGraph({
      layout,
      clipNorm: 100,
      loss: (_, parameters) => sum(multiply(need(parameters.get('a')), need(parameters.get('a'))), [0]),
    });
    await using trainer = await createTrainer({ runtime }, { graph, initial: freshState(Float32Array.of(3)), signal });
    await trainer.step({}, 0, signal);
    expect((await trainer.state()).firstMoment[0]).toBeCloseTo(0.6, 5);
  });

  it('teaches a small network, the same way each time', async () => {
    const first = await learn();
    const second = await learn();
    expect(first.losses.at(-1)).toBeLessThan((first.losses[0] ?? 0) / 3);
    expect(second).toEqual(first);
  });

  it('goes on from its state as if it had not stopped', async () => {
    const whole = await learn();
    const half = await start(freshState(mlpWeights(widths, seededUnit(1))));
    const losses = await steps(half, 0, 20);
    const state = await half.state();
    await half[Symbol.asyncDispose]();
    await using rest = await start(state);
    losses.push(...(await steps(rest, 20, 40)));
    expect({ losses, weights: await rest.weights() }).toEqual(whole);
  });

  it('names the parameters of a layout in order and without gaps', () => {
    const layout = layoutOf({ a: [2, 3], b: [4], c: [] });
    expect(layout.size).toBe(11);
    expect(layout.parameters.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ['a', 0, 6],
      ['b', 6, 4],
      ['c', 10, 1],
    ]);
    expect(mlpLayout(widths).size).toBe(4 * 16 + 16 + 16 * 3 + 3);
  });
});

async function learn(): Promise<{ losses: number[]; weights: Float32Array }> {
  await using trainer = await start(freshState(mlpWeights(widths, seededUnit(1))));
  return { losses: await steps(trainer, 0, 40), weights: await trainer.weights() };
}

function start(initial: ReturnType<typeof freshState>): Promise<Trainer> {
  const graph = trainingGraph({ layout: mlpLayout(widths), loss: mlpLoss(widths, rows) });
  return createTrainer({ runtime }, { graph, initial, signal });
}

async function steps(trainer: Trainer, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < to; step += 1) losses.push((await trainer.step(batch(step), 0.02, signal)).loss);
  return losses;
}

/** The class is the largest of the first three features. */
function batch(step: number): Tensors {
  const random = seededUnit(100 + step);
  const features = Float32Array.from({ length: rows * 4 }, () => gaussian(random));
  const labels = BigInt64Array.from({ length: rows }, (_, row) => {
    const three = Array.from(features.subarray(row * 4, row * 4 + 3));
    return BigInt(three.indexOf(Math.max(...three)));
  });
  return {
    features: { type: 'float32', shape: [rows, 4], data: features },
    labels: { type: 'int64', shape: [rows], data: labels },
  };
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}
