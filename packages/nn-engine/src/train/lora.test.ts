import type { Tensors } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { Graph } from '../graph/index.ts';
import {
  initialWeights,
  languageModelLayout,
  languageModelLoss,
  type LanguageModelSizes,
} from '../models/language-model.ts';
import { mlpLayout, mlpLoss, mlpWeights } from '../models/mlp.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { trainerLearner } from '../rounds/trainer-learner.ts';
import { type Layout, parameterValues, type TrainedModel } from './layout.ts';
import { createLora, type Lora } from './lora.ts';
import { seededUnit } from './random.ts';
import { createTrainer, freshState } from './trainer.ts';
import { trainingGraph, type TrainingGraphOptions } from './training-graph.ts';

type Loss = TrainingGraphOptions['loss'];
const { signal } = new AbortController();
const runtime = createNodeRuntime();

const sizes: LanguageModelSizes = { vocabulary: 11, width: 16, layers: 2, heads: 2, hidden: 16, context: 16 };
interface Example {
  readonly base: TrainedModel;
  readonly loss: Loss;
  readonly batch: Tensors;
}
const languageModel: Example = {
  base: {
    layout: languageModelLayout(sizes),
    weights: initialWeights(sizes, seededUnit(3)).map((weight) => weight * (weight === 1 ? 1 : 5)),
  },
  loss: languageModelLoss(sizes, { rows: 1, length: 6, learned: 5 }),
  batch: {
    tokens: integers([1, 2, 3, 4, 5, 6], [1, 6]),
    segments: integers([1, 1, 1, 1, 1, 1], [1, 6]),
    positions: integers([0, 1, 2, 3, 4]),
    targets: integers([2, 3, 4, 5, 6]),
    weights: { type: 'float32', shape: [5], data: new Float32Array(5).fill(1) },
  },
};
const fullLayers: Example = {
  base: { layout: mlpLayout([4, 12, 5]), weights: mlpWeights([4, 12, 5], seededUnit(4)) },
  loss: mlpLoss([4, 12, 5], 3),
  batch: {
    features: { type: 'float32', shape: [3, 4], data: Float32Array.of(1, -1, 0, 2, 0, 1, 1, -2, -1, 0, 2, 1) },
    labels: integers([0, 3, 4]),
  },
};
const models = { 'the language model': languageModel, 'the network of full layers': fullLayers };

describe.each(Object.entries(models))('a low-rank adapter of %s', (_, { base, loss, batch }) => {
  it('trains while the base stays as it is, bit for bit, and merges to the model it was trained as', async () => {
    const before = base.weights.slice();
    const lora = createLora(base, { rank: 2, alpha: 4 });
    const first = await lossOf(base.layout, loss, base.weights, batch);
    const { adapter, losses } = await train(lora, loss, batch);
    expect(losses[0], 'the first step begins at the base').toBeCloseTo(first, 5);
    expect(losses.at(-1)).toBeLessThan(first * 0.8);
    expect(base.weights).toEqual(before);
    const merged = lora.merge(adapter);
    const adapted = await lossOf(lora.layout, lora.loss(loss), adapter, batch);
    expect(Math.abs((await lossOf(base.layout, loss, merged, batch)) - adapted)).toBeLessThan(1e-5);
    expect(Math.abs(adapted - first)).toBeGreaterThan(0.1);
    expect(base.weights).toEqual(before);
  });
});

describe('an adapter', () => {
  const { base, loss, batch } = fullLayers;

  it('is W + alpha / rank · A · B, element by element', () => {
    const lora = createLora(base, { rank: 1, alpha: 3, targets: ['weight.1'] });
    expect(lora.layout.parameters.map(({ name, shape }) => [name, shape])).toEqual([
      ['weight.1.a', [12, 1]],
      ['weight.1.b', [1, 5]],
    ]);
    const adapter = Float32Array.from({ length: 17 }, (_, index) => index - 8);
    const merged = lora.merge(adapter);
    const target = base.layout.parameters.find(({ name }) => name === 'weight.1')?.offset ?? 0;
    merged.forEach((weight, index) => {
      const [row, column] = [Math.floor((index - target) / 5), (index - target) % 5];
      const inside = index >= target && row < 12;
      const change = inside ? 3 * (row - 8) * (12 + column - 8) : 0;
      expect(weight, `weight ${index}`).toBeCloseTo((base.weights[index] ?? 0) + change, 4);
    });
  });

  it('is what a round exchanges: its flat vector goes through a learner', async () => {
    const lora = createLora(base, { rank: 2 });
    const graph = trainingGraph({ layout: lora.layout, loss: lora.loss(loss) });
    const initial = freshState(lora.fresh(seededUnit(5)));
    await using trainer = await createTrainer({ runtime }, { graph, initial, signal });
    const learner = trainerLearner(trainer, { batch: () => batch, learningRate: 0.02 });
    const learned = await learner.learn(initial.weights, { round: 0, localSteps: 3, signal });
    expect(learned.weights).toHaveLength(lora.layout.size);
    expect(learned.weights.length).toBeLessThan(base.weights.length);
    expect(learned.weights).not.toEqual(initial.weights);
  });

  it.each([
    ['no rank', { rank: 0 }],
    ['half a rank', { rank: 1.5 }],
    ['a rank as long as a side', { rank: 4, targets: ['weight.0'] }],
    ['a rank longer than every matrix', { rank: 12 }],
    ['a vector', { rank: 1, targets: ['bias.0'] }],
    ['a name that is none', { rank: 1, targets: ['weight.9'] }],
    ['no strength', { rank: 1, alpha: 0 }],
  ])('refuses %s', (_, options) => {
    expect(() => createLora(base, options)).toThrowError(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });

  it('takes the longest rank that still is shorter than both sides', () => {
    expect(createLora(base, { rank: 3, targets: ['weight.0'] }).layout.size).toBe(3 * (4 + 12));
  });

  it('refuses weights of another length', () => {
    const mismatch = expect.objectContaining({ code: 'SHAPE_MISMATCH' });
    const short = base.weights.subarray(1);
    expect(() => createLora({ ...base, weights: short }, { rank: 1 })).toThrowError(mismatch);
    expect(() => createLora(base, { rank: 1 }).merge(new Float32Array(3))).toThrowError(mismatch);
  });
});

async function train(lora: Lora, loss: Loss, batch: Tensors): Promise<{ adapter: Float32Array; losses: number[] }> {
  const graph = trainingGraph({ layout: lora.layout, loss: lora.loss(loss) });
  const initial = freshState(lora.fresh(seededUnit(5)));
  await using trainer = await createTrainer({ runtime }, { graph, initial, signal });
  const losses: number[] = [];
  for (let step = 0; step < 40; step += 1) losses.push((await trainer.step(batch, 0.03, signal)).loss);
  return { adapter: await trainer.weights(), losses };
}

async function lossOf(layout: Layout, loss: Loss, weights: Float32Array, batch: Tensors): Promise<number> {
  const graph = new Graph();
  graph.output('loss', loss(graph, parameterValues(layout, graph.input('w', [layout.size]))));
  await using program = await runtime.load(graph.toModel(), { signal });
  const w = { type: 'float32', shape: [weights.length], data: weights } as const;
  return Number((await program.run({ ...batch, w }, signal))['loss']?.data[0]);
}

function integers(values: readonly number[], shape: readonly number[] = [values.length]) {
  return { type: 'int64', shape, data: BigInt64Array.from(values, BigInt) } as const;
}
