import type { Tensors } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { convForward, type ConvSizes, convStatistics, convWeights, convWholeLayout } from '../models/conv.ts';
import { initialWeights, languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import { mlpForward, mlpLayout, mlpWeights } from '../models/mlp.ts';
import { loopKernel } from '../nano/kernel.ts';
import { weightSource } from '../nano/model-file.ts';
import { createPlainDecoder } from '../nano/plain.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { seededUnit } from '../train/random.ts';
import { languageModelOnnx } from './language-model-onnx.ts';
import { exportOnnx } from './onnx.ts';

const sizes: LanguageModelSizes = { vocabulary: 13, width: 16, layers: 2, heads: 2, hidden: 20, context: 12 };
const layout = languageModelLayout(sizes);
const weights = initialWeights(sizes, seededUnit(3)).map((weight) => (weight === 1 ? 1.1 : weight * 20));
const { signal } = new AbortController();
const runtime = createNodeRuntime();

describe('an exported ONNX file', () => {
  it.each([
    ['one sequence', [[3, 1, 4, 1, 5, 9]]],
    [
      'several',
      [
        [2, 7, 1, 8],
        [12, 0, 3, 3],
      ],
    ],
    ['a single token', [[6]]],
    ['as long as the context', [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]],
  ])('of the language model gives the log-probabilities of our decoder within 1e-3: %s', async (_, rows) => {
    await using program = await runtime.load(languageModelOnnx(sizes, weights), { signal });
    const shape = [rows.length, rows[0]?.length ?? 0];
    const data = BigInt64Array.from(rows.flat(), BigInt);
    const logits = floatsOf(await program.run({ input_ids: { type: 'int64', shape, data } }, signal), 'logits');
    expect(logits.shape).toEqual([...shape, sizes.vocabulary]);
    const ours = (await Promise.all(rows.map(decoded))).flat();
    ours.forEach((scores, place) => {
      const theirs = logits.data.slice(place * sizes.vocabulary, (place + 1) * sizes.vocabulary);
      const expected = logProbabilities(scores);
      expect(Math.min(...expected)).toBeLessThan(-1);
      logProbabilities(theirs).forEach((value, token) =>
        expect(Math.abs(value - (expected[token] ?? Number.NaN)), `place ${place}, token ${token}`).toBeLessThan(1e-3),
      );
    });
  });

  it('of the network of full layers takes any number of rows', async () => {
    const widths = [3, 8, 2];
    const model = { layout: mlpLayout(widths), weights: mlpWeights(widths, seededUnit(1)) };
    const file = exportOnnx(model, (graph, parameters) => ({
      scores: mlpForward(graph.input('features', ['rows', 3]), parameters, 2),
    }));
    await using program = await runtime.load(file, { signal });
    const run = async (rows: number, values: readonly number[]) =>
      floatsOf(
        await program.run({ features: { type: 'float32', shape: [rows, 3], data: Float32Array.from(values) } }, signal),
        'scores',
      );
    const [one, two] = [await run(1, [1, -2, 3]), await run(2, [0, 0, 1, 1, -2, 3])];
    expect([one.shape, two.shape]).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(Array.from(two.data).slice(2)).toEqual(Array.from(one.data));
    expect(one.data).not.toEqual(two.data.slice(0, 2));
  });

  it('of the convolutional network takes any number of images', async () => {
    const conv: ConvSizes = { channels: 2, side: 4, filters: [3], classes: 5 };
    const weights = Float32Array.of(...convWeights(conv, seededUnit(1)), ...convStatistics(conv));
    const model = { layout: convWholeLayout(conv), weights };
    const file = exportOnnx(model, (graph, parameters) => ({
      scores: convForward(graph.input('images', ['rows', 2, 4, 4]), parameters, conv),
    }));
    await using program = await runtime.load(file, { signal });
    const data = Float32Array.from({ length: 3 * 32 }, (_, index) => Math.sin(index));
    const { scores } = await program.run({ images: { type: 'float32', shape: [3, 2, 4, 4], data } }, signal);
    expect(scores?.shape).toEqual([3, 5]);
  });

  it('is not written for weights of another number', () => {
    expect(() => languageModelOnnx(sizes, weights.subarray(1))).toThrowError(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });
});

function floatsOf(results: Tensors, name: string): { shape: readonly number[]; data: Float32Array } {
  const tensor = results[name];
  if (tensor === undefined) throw new Error(`no result ${name}`);
  return { shape: tensor.shape, data: tensor.data as Float32Array };
}

async function decoded(tokens: readonly number[]): Promise<Float32Array[]> {
  const session = await createPlainDecoder(sizes, weightSource(layout, weights), loopKernel()).open();
  const rows: Float32Array[] = [];
  for (const token of tokens) rows.push(Float32Array.from((await session.step(token, true)) ?? []));
  await session.close();
  return rows;
}

function logProbabilities(scores: Float32Array): number[] {
  const all = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  return Array.from(scores, (score) => score - all);
}
