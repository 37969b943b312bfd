import { describe, expect, it } from 'vitest';

import { initialWeights, type LanguageModelSizes, languageModelLayout } from '../models/language-model.ts';
import { loopKernel } from '../nano/kernel.ts';
import { weightSource } from '../nano/model-file.ts';
import { createPlainDecoder } from '../nano/plain.ts';
import { seededUnit } from '../train/random.ts';
import { byteTokens, languageModelGguf } from './language-model-gguf.ts';
import { halfBits, q8Blocks } from './q8.ts';
import { llamaScores, readGguf } from './testing/read-gguf.ts';

const sizes: LanguageModelSizes = { vocabulary: 259, width: 64, layers: 2, heads: 2, hidden: 96, context: 12 };
const layout = languageModelLayout(sizes);
const weights = initialWeights(sizes, seededUnit(3)).map((weight) => (weight === 1 ? 1.1 : weight * 6));
const options = { name: 'small', tokens: byteTokens() };
const whole = readGguf(languageModelGguf(sizes, weights, options));
const file = readGguf(languageModelGguf(sizes, weights, { ...options, weights: 'q8' }));

describe('A GGUF file in Q8_0', () => {
  it('has every matrix within half a step of what it was, and the norms as they were', () => {
    expect(file.metadata.get('general.file_type')).toBe(7);
    expect([...file.tensors.keys()]).toEqual([...whole.tensors.keys()]);
    let worst = 0;
    for (const [name, { type, data }] of file.tensors) {
      const before = whole.tensors.get(name)?.data ?? new Float32Array();
      if (name.endsWith('norm.weight')) {
        expect([type, data]).toEqual(['float32', before]);
        continue;
      }
      expect(type).toBe('q8');
      for (let from = 0; from < data.length; from += 32) {
        const most = Math.max(...before.subarray(from, from + 32).map(Math.abs));
        // Half a step of rounding, and a scale that is half precision.
        const step = (most / 127) * (0.5 + 127 * 2 ** -11 + 1e-3);
        const off = before.subarray(from, from + 32).map((one, place) => Math.abs(one - (data[from + place] ?? NaN)));
        worst = Math.max(worst, Math.max(...off) / step);
      }
    }
    expect(worst).toBeGreaterThan(0.5);
    expect(worst).toBeLessThanOrEqual(1);
    expect(file.rest).toBe(0);
  });

  it('gives our log-probabilities within the tolerance that is stated', async () => {
    const ids = [4, 200, 35, 7, 7, 101, 30, 99];
    const session = await createPlainDecoder(sizes, weightSource(layout, weights), loopKernel()).open();
    const theirs = llamaScores(file, sizes, ids);
    const differences: number[] = [];
    for (const [place, id] of ids.entries()) {
      const ours = logProbabilities(Array.from((await session.step(id, true)) ?? []));
      const stored = logProbabilities(theirs[place] ?? []);
      ours.forEach((one, token) => differences.push(Math.abs(one - (stored[token] ?? NaN))));
    }
    await session.close();
    const mean = differences.reduce((sum, one) => sum + one, 0) / differences.length;
    expect(mean).toBeLessThan(0.02);
    expect(Math.max(...differences)).toBeLessThan(0.1);
    expect(mean, 'it was rounded at all').toBeGreaterThan(1e-4);
  });

  it('keeps tensors whose rows 32 does not divide, and those beyond half precision, in float32', () => {
    const odd = { ...sizes, width: 24, hidden: 32 };
    const read = readGguf(languageModelGguf(odd, initialWeights(odd, seededUnit(1)), { ...options, weights: 'q8' }));
    expect(read.tensors.get('blk.0.attn_q.weight')?.type).toBe('float32');
    expect(read.tensors.get('blk.0.ffn_down.weight')?.type).toBe('q8');
    expect(q8Blocks(new Float32Array(32).fill(127 * 65_504), 32)).toHaveLength(34);
    expect(q8Blocks(new Float32Array(32).fill(127 * 65_600), 32)).toBeUndefined();
    expect(q8Blocks(new Float32Array(32).fill(NaN), 32)).toBeUndefined();
    expect(q8Blocks(new Float32Array(32), 32)).toEqual(new Uint8Array(34));
  });

  // IEEE 754-2019: 1, 2, the largest, the least normal, the least, a third, halves that go to even, and a carry into the exponent.
  it.each([
    [1, 0x3c00],
    [2, 0x4000],
    [65_504, 0x7bff],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -26, 0x0000],
    [1 / 3, 0x3555],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
    [0, 0x0000],
  ])('writes %d as half precision %i', (value, bits) => {
    expect(halfBits(value)).toBe(bits);
  });
});

function logProbabilities(scores: readonly number[]): number[] {
  const all = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  return scores.map((score) => score - all);
}
