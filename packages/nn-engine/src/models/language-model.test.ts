import type { Program, Tensors } from '@peerai/core-protocol';
import { afterEach, describe, expect, it } from 'vitest';

import { Graph } from '../graph/index.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { createPlainDecoder } from '../nano/plain.ts';
import { loopKernel } from '../nano/kernel.ts';
import { weightSource } from '../nano/model-file.ts';
import { createOnnxDecoder } from '../nano/onnx-decoder.ts';
import { parameterValues } from '../train/layout.ts';
import { seededUnit } from '../train/random.ts';
import { createTrainer, freshState } from '../train/trainer.ts';
import { gradientGraph, trainingGraph } from '../train/training-graph.ts';
import { initialWeights, languageModelLayout, languageModelLoss, type LanguageModelSizes } from './language-model.ts';

const sizes: LanguageModelSizes = {
  vocabulary: 11,
  width: 16,
  layers: 2,
  heads: 2,
  hidden: 16,
  context: 16,
};
const batch = { rows: 2, length: 6, learned: 4 };
const layout = languageModelLayout(sizes);
const { signal } = new AbortController();
const runtime = createNodeRuntime();
const programs: Program[] = [];

afterEach(async () => {
  for (const program of programs.splice(0)) await program[Symbol.asyncDispose]();
});

describe('the language model', () => {
  it('its gradient agrees with central differences (float32, step 5e-3, every 7th of its weights, 2e-3 + 1 %)', async () => {
    const program = await load(gradientGraph({ layout, loss: languageModelLoss(sizes, batch) }));
    const weights = livelyWeights();
    const gradient = (await program.run({ ...feeds(), w: flat(weights) }, signal))['gradient']?.data as Float32Array;
    const lossAt = async (index: number, change: number): Promise<number> => {
      const changed = weights.slice();
      changed[index] = (changed[index] ?? 0) + change;
      return Number((await program.run({ ...feeds(), w: flat(changed) }, signal))['loss']?.data[0]);
    };
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0.05);
    for (let index = 0; index < layout.size; index += 7) {
      const numeric = ((await lossAt(index, 5e-3)) - (await lossAt(index, -5e-3))) / 1e-2;
      expect(Math.abs(numeric - (gradient[index] ?? Number.NaN)), `weight ${index}`).toBeLessThan(
        2e-3 + 0.01 * largest,
      );
    }
  });

  it('learns a short text by heart, the same way each time', async () => {
    const first = await memorise();
    expect(first.at(-1)).toBeLessThan(0.2);
    expect(first[0]).toBeGreaterThan(2);
    expect(await memorise()).toEqual(first);
  });

  it('a token sees its own segment and what came before, nothing else', async () => {
    const program = await load(lossGraph());
    const weights = livelyWeights();
    const lossOf = async (tokens: readonly number[]): Promise<number> =>
      Number((await program.run({ ...feeds(tokens), w: flat(weights) }, signal))['loss']?.data[0]);
    // Row 0 is two segments: places 0–2 and 3–5. Learned are the places 1, 4 (row 0) and 7, 8 (row 1).
    const before = await lossOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]);
    expect(await lossOf([1, 2, 9, 4, 5, 6, 7, 8, 9, 1, 2, 3]), 'a later token').toBe(before);
    expect(await lossOf([1, 2, 3, 4, 5, 9, 7, 8, 9, 1, 2, 3]), 'after the last learned place').toBe(before);
    expect(await lossOf([9, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]), 'an earlier token of the segment').not.toBe(before);
    expect(await lossOf([1, 2, 3, 9, 5, 6, 7, 8, 9, 1, 2, 3]), 'an earlier token of the other').not.toBe(before);
  });

  it('decoding with a cache gives the scores of the training graph, in plain TypeScript and on ONNX Runtime', async () => {
    const weights = livelyWeights();
    const tokens = [3, 1, 4, 1, 5, 9];
    const decoders = [
      createPlainDecoder(sizes, weightSource(layout, weights), loopKernel()),
      createOnnxDecoder(sizes, weights, runtime),
    ];
    const rows: Float32Array[][] = [];
    for (const decoder of decoders) {
      const session = await decoder.open();
      const scores: Float32Array[] = [];
      for (const token of tokens) scores.push(Float32Array.from((await session.step(token, true)) ?? []));
      await session.close();
      rows.push(scores);
    }
    const [plain = [], onnx = []] = rows;
    plain.forEach((scores, place) =>
      scores.forEach((score, token) => expect(score).toBeCloseTo(onnx[place]?.[token] ?? Number.NaN, 4)),
    );
    const program = await load(lossGraph());
    const learned = [0, 1, 2, 3];
    const targets = learned.map((place) => tokens[place + 1] ?? 0);
    const loss = await program.run(
      {
        ...feeds([...tokens, ...tokens], [1, 1, 1, 1, 1, 1], learned, targets, [1, 1, 1, 1]),
        w: flat(weights),
      },
      signal,
    );
    const mean =
      learned.reduce((sum, place) => sum + negativeLog(plain[place] ?? new Float32Array(), targets[place] ?? 0), 0) / 4;
    expect(mean).toBeCloseTo(Number(loss['loss']?.data[0]), 4);
  });
});

function lossGraph(): Uint8Array {
  const graph = new Graph();
  const parameters = parameterValues(layout, graph.input('w', [layout.size]));
  graph.output('loss', languageModelLoss(sizes, batch)(graph, parameters));
  return graph.toModel();
}

async function memorise(): Promise<number[]> {
  const graph = trainingGraph({ layout, loss: languageModelLoss(sizes, batch) });
  await using trainer = await createTrainer(
    { runtime },
    { graph, initial: freshState(initialWeights(sizes, seededUnit(2))), signal },
  );
  const losses: number[] = [];
  for (let step = 0; step < 60; step += 1) losses.push((await trainer.step(feeds(), 0.02, signal)).loss);
  return losses;
}

function feeds(
  tokens: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3],
  segments: readonly number[] = [1, 1, 1, 2, 2, 2],
  positions: readonly number[] = [1, 4, 7, 8],
  targets: readonly number[] = [3, 6, 9, 1],
  weights: readonly number[] = [1, 2, 1, 1],
): Tensors {
  const integers = (values: readonly number[], shape: readonly number[]) =>
    ({ type: 'int64', shape, data: BigInt64Array.from(values, BigInt) }) as const;
  return {
    tokens: integers(tokens, [2, 6]),
    segments: integers([...segments, ...segments], [2, 6]),
    positions: integers(positions, [4]),
    targets: integers(targets, [4]),
    weights: { type: 'float32', shape: [4], data: Float32Array.from(weights) },
  };
}

/** Larger than fresh weights, so that attention and gates are not flat. */
function livelyWeights(): Float32Array {
  return initialWeights(sizes, seededUnit(3)).map((weight) => (weight === 1 ? 1.1 : weight * 20));
}

function negativeLog(scores: Float32Array, target: number): number {
  const highest = Math.max(...scores);
  return highest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0)) - (scores[target] ?? 0);
}

function flat(data: Float32Array) {
  return { type: 'float32', shape: [data.length], data } as const;
}

async function load(graph: Uint8Array): Promise<Program> {
  const program = await runtime.load(graph, { signal });
  programs.push(program);
  return program;
}
