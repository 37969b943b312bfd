import type { Tensors } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { initialWeights, languageModelLoss } from '../models/language-model.ts';
import { mlpLoss, mlpWeights } from '../models/mlp.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { seededUnit } from '../train/random.ts';
import { createTrainer, freshState } from '../train/trainer.ts';
import { gradientGraph, trainingGraph } from '../train/training-graph.ts';
import { backwardGraph } from './graphs.ts';
import { layered, type SplitModel } from './layered.ts';
import { createStageTrainer, runStages } from './pipeline.ts';
import { checkModel, splitModel, type Stage, stageWeights } from './plan.ts';
import { openStage } from './stage.ts';
import { batchOf, languageModel, placeHere } from './testing/models.ts';

const { signal } = new AbortController();
const runtime = createNodeRuntime();
const mlp: SplitModel = { type: 'mlp', widths: [6, 12, 9, 5, 3], rows: 8 };
const weightsOf = (model: SplitModel): Float32Array =>
  model.type === 'mlp' ? mlpWeights(model.widths, seededUnit(3)) : initialWeights(model.sizes, seededUnit(3));
const lossOf = (model: SplitModel) =>
  model.type === 'mlp' ? mlpLoss(model.widths, model.rows) : languageModelLoss(model.sizes, model.batch);
const code = (expected: string) => expect.objectContaining({ code: expected });

describe.each([
  ['a language model', languageModel, [1, 3]],
  ['a network of full layers', mlp, [1, 3]],
] as const)('%s that was cut into stages', (_, model, counts) => {
  const weights = weightsOf(model);
  const batch = batchOf(model, 5);
  const layout = layered(model).layout;

  it('has the loss and every gradient of the whole, bit for bit', async () => {
    await using whole = await runtime.load(gradientGraph({ layout, loss: lossOf(model) }), { signal });
    const w = { type: 'float32', shape: [weights.length], data: weights } as const;
    const { gradient, loss } = await whole.run({ ...batch, w }, signal);
    for (const count of counts) {
      const stages = splitModel(model, count);
      const made = new Float32Array(weights.length);
      const own = (stage: Stage): Tensors => {
        const view = stageWeights(stage, weights);
        return { w: { type: 'float32', shape: [view.length], data: view } };
      };
      await using programs = new AsyncDisposableStack();
      const placed = [];
      for (const stage of stages) {
        const program = programs.use(await runtime.load(backwardGraph(stage), { signal }));
        const run = (feeds: Tensors): Promise<Tensors> => program.run({ ...own(stage), ...feeds }, signal);
        const runner = {
          forward: async (feeds: Tensors) => need((await run({ ...feeds, nextGradient: zeros(stage) }))['next']),
          async backward(feeds: Tensors) {
            const { gradient: part, stateGradient, squares, loss: found } = await run(feeds);
            stageWeights(stage, made).set(need(part).data as Float32Array);
            if (found !== undefined) expect(found.data).toEqual(need(loss).data);
            return {
              squares: need(squares).data as Float32Array,
              loss: Number(found?.data[0]),
              ...(stateGradient === undefined ? {} : { stateGradient }),
            };
          },
          update: async () => undefined,
          weights: async () => new Float32Array(stage.layout.size),
          begin: () => expect.unreachable('nothing is decoded here'),
          [Symbol.asyncDispose]: async () => undefined,
        };
        placed.push({ stage, runner });
      }
      const { loss: found } = await createStageTrainer(placed).step(batch, 0, signal);
      expect(found).toBe(need(loss).data[0]);
      expect(bits(made)).toEqual(bits(need(gradient).data));
    }
  });

  it('has the scores of the whole, bit for bit, however it is cut', async () => {
    const scores = [];
    for (const count of counts) {
      await using here = await placeHere(runtime, model, { count, weights, mode: 'answer' });
      scores.push(await runStages(here.placed, batch, signal));
    }
    for (const one of scores) expect(bits(one.data)).toEqual(bits(need(scores[0]).data));
    expect(need(scores[0]).shape).toEqual(layered(model).stateShape(layered(model).layers));
  });

  it('learns the weights of the whole, bit for bit, while its gradient is not clipped', async () => {
    const graph = trainingGraph({ layout, loss: lossOf(model), clipNorm: 1_000 });
    await using whole = await createTrainer({ runtime }, { graph, initial: freshState(weights), signal });
    await using here = await placeHere(runtime, model, { count: need(counts[1]), weights, mode: 'learn' });
    const trainer = createStageTrainer(here.placed, { clipNorm: 1_000 });
    for (let step = 0; step < 2; step += 1) {
      const expected = await whole.step(batchOf(model, step), 0.01, signal);
      const result = await trainer.step(batchOf(model, step), 0.01, signal);
      expect([result.step, result.loss]).toEqual([expected.step, expected.loss]);
      expect(result.gradientNorm).toBeCloseTo(expected.gradientNorm, 4);
    }
    expect(bits(await trainer.weights(signal))).toEqual(bits(await whole.weights()));
  });

  it('is clipped by the norm of the whole gradient, the same however it is cut', async () => {
    const clipNorm = 0.01;
    const graph = trainingGraph({ layout, loss: lossOf(model), clipNorm });
    await using whole = await createTrainer({ runtime }, { graph, initial: freshState(weights), signal });
    const learned: Float32Array[] = [];
    for (const count of counts) {
      await using here = await placeHere(runtime, model, { count, weights, mode: 'learn' });
      const trainer = createStageTrainer(here.placed, { clipNorm });
      for (let step = 0; step < 2; step += 1) await trainer.step(batchOf(model, step), 0.01, signal);
      learned.push(await trainer.weights(signal));
    }
    for (let step = 0; step < 2; step += 1)
      expect((await whole.step(batchOf(model, step), 0.01, signal)).gradientNorm).toBeGreaterThan(clipNorm);
    for (const one of learned) expect(bits(one)).toEqual(bits(need(learned[0])));
    const expected = await whole.weights();
    // The whole model adds its squares up in another order: the norm differs in its last bits, and so does what it shortens.
    expect(Math.max(...expected.map((weight, index) => Math.abs(weight - (learned[0]?.[index] ?? 0))))).toBeLessThan(
      1e-5,
    );
  });
});

describe('cutting', () => {
  it('gives stages whose weights are views of the one vector, without gaps', () => {
    for (const [model, layers] of [
      [languageModel, 4],
      [mlp, 4],
    ] as const)
      for (let count = 1; count <= layers; count += 1) {
        const weights = weightsOf(model);
        const views = splitModel(model, count).map((stage) => stageWeights(stage, weights));
        expect(views.every(({ buffer }) => buffer === weights.buffer)).toBe(true);
        expect(views.flatMap((view) => [...view])).toEqual([...weights]);
      }
    expect(splitModel(mlp, 3).map(({ from, to }) => [from, to])).toEqual([
      [0, 2],
      [2, 3],
      [3, 4],
    ]);
  });

  it('refuses more stages than layers, and more than the limit', () => {
    const deep: SplitModel = { type: 'mlp', widths: Array.from({ length: limits.stagesMax + 2 }, () => 2), rows: 1 };
    expect(splitModel(deep, limits.stagesMax)).toHaveLength(limits.stagesMax);
    expect(() => splitModel(deep, limits.stagesMax + 1)).toThrow(code('LIMIT_REACHED'));
    for (const count of [0, 1.5, 5]) expect(() => splitModel(mlp, count)).toThrow(code('INVALID_OPTION'));
  });

  it('refuses a model at one above each limit, and sizes that cannot be', () => {
    const rows = limits.stageActivationBytesMax / 4 / 2;
    const wide = (model: number): SplitModel => ({ type: 'mlp', widths: [2, 2], rows: model });
    const layers = (count: number): SplitModel => ({
      type: 'mlp',
      widths: Array.from({ length: count + 1 }, () => 1),
      rows: 1,
    });
    const heads = limits.stageScoresMax / 256 ** 2;
    const attentive = (length: number): SplitModel => ({
      type: 'language-model',
      sizes: { vocabulary: 4, width: 2 * heads, layers: 1, heads, hidden: 2, context: 512 },
      batch: { rows: 1, length, learned: 1 },
    });
    for (const [most, more] of [
      [wide(rows), wide(rows + 1)],
      [layers(limits.stageLayersMax), layers(limits.stageLayersMax + 1)],
      [attentive(256), attentive(257)],
    ] as const) {
      checkModel(most);
      expect(() => checkModel(more)).toThrow(code('LIMIT_EXCEEDED'));
    }
    const { sizes, batch } = languageModel;
    for (const wrong of [
      { ...languageModel, sizes: { ...sizes, heads: 3 } },
      { ...languageModel, batch: { ...batch, length: sizes.context + 1 } },
      { ...languageModel, batch: { ...batch, learned: batch.rows * batch.length + 1 } },
      { ...languageModel, sizes: { ...sizes, layers: 0 } },
      { ...mlp, widths: [4] },
      { ...mlp, rows: 0.5 },
    ] as SplitModel[])
      expect(() => checkModel(wrong)).toThrow(code('INVALID_OPTION'));
  });

  it('keeps one gradient for one update, and none where it only answers', async () => {
    const [stage] = splitModel(mlp, 1);
    const options = { stage: need(stage), weights: weightsOf(mlp), signal };
    await using answering = await openStage({ runtime }, { ...options, mode: 'answer' });
    await expect(answering.backward(batchOf(mlp, 1), signal)).rejects.toThrow(code('INVALID_OPTION'));
    await using learning = await openStage({ runtime }, { ...options, mode: 'learn' });
    await expect(learning.update({}, signal)).rejects.toThrow(code('INVALID_OPTION'));
    await expect(openStage({ runtime }, { ...options, weights: new Float32Array(1), mode: 'answer' })).rejects.toThrow(
      code('SHAPE_MISMATCH'),
    );
    await expect(runStages([{ stage: need(stage), runner: answering }], {}, signal)).rejects.toThrow(
      code('INVALID_OPTION'),
    );
  });
});

function zeros({ model, to }: Stage) {
  const shape = layered(model).stateShape(to);
  return { type: 'float32', shape, data: new Float32Array(shape.reduce((total, size) => total * size, 1)) } as const;
}

/** Bits, so that NaN and zeros of two signs are told apart. */
const bits = (data: ArrayLike<number | bigint>): number[] =>
  Array.from(new Int32Array(Float32Array.from(data, Number).buffer));

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}
