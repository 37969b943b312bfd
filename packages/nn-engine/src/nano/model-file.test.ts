import { describe, expect, it } from 'vitest';

import { toySizes } from '../../test/toy.ts';
import { limits } from '../limits.ts';
import { languageModelLayout } from '../models/language-model.ts';
import { gaussian, seededUnit } from '../train/random.ts';
import { decodeContainer, encodeContainer } from './container.ts';
import { loopKernel } from './kernel.ts';
import {
  blockSize,
  decodeModelFile,
  encodeModelFile,
  type NanoModelFile,
  quantise,
  weightSource,
} from './model-file.ts';
import { createPlainDecoder, kernelFloats } from './plain.ts';
import { nanoLayout } from './sizes.ts';
import { wasmKernel } from './wasm-kernel.ts';

const layout = nanoLayout(toySizes);
const random = seededUnit(1);

const model: NanoModelFile = {
  sizes: toySizes,
  vocabulary: { characters: ['a', 'ü'], merges: [[5, 6]] },
  gate: { minimum: 0.8 },
  corpusHash: 7,
  steps: 3,
  questions: ['What?', 'Why?'],
  refusal: 'I do not know.',
  weights: Float32Array.from({ length: layout.size }, () => gaussian(random) * 0.02),
};

describe('the model file', () => {
  it('comes back with its header, its gains exactly and its matrices within half a level', () => {
    const { weights, ...header } = decodeModelFile(encodeModelFile(model));
    const { weights: before, ...expected } = model;
    expect(header).toEqual(expected);
    const [after, source] = [weightSource(layout, weights), weightSource(layout, before)];
    expect(after('norm')).toEqual(source('norm'));
    const [qkv, original] = [after('0.qkv'), source('0.qkv')];
    for (let block = 0; block < original.length; block += blockSize) {
      const largest = Math.max(...original.subarray(block, block + blockSize).map(Math.abs));
      for (let index = block; index < block + blockSize; index += 1) {
        expect(Math.abs((qkv[index] ?? 9) - (original[index] ?? 0))).toBeLessThanOrEqual((largest / 127) * 0.51);
      }
    }
  });

  it('reads a view into a larger buffer, as Node gives files', () => {
    const file = encodeModelFile(model);
    const larger = new Uint8Array(file.length + 3);
    larger.set(file, 3);
    expect(decodeModelFile(larger.subarray(3))).toEqual(decodeModelFile(file));
  });

  it('a block of zeros stays zeros', () => {
    const { integers, scales } = quantise(new Float32Array(blockSize + 1));
    expect([...integers, ...scales].every((value) => value === 0)).toBe(true);
    expect(scales).toHaveLength(2);
  });

  it('a file cut at any place, or longer, or altered in its header, is refused', () => {
    const file = encodeModelFile(model);
    const invalid = expect.objectContaining({ code: 'INVALID_FORMAT' });
    for (let length = 0; length < file.length; length += length < 400 ? 1 : 997) {
      expect(() => decodeModelFile(file.slice(0, length)), `${length} bytes`).toThrowError(invalid);
    }
    expect(() => decodeModelFile(Uint8Array.from([...file, 0]))).toThrowError(invalid);
    for (const place of [0, 7, 9, 11, 12])
      expect(() => decodeModelFile(file.with(place, 255)), `byte ${place}`).toThrowError(invalid);
  });

  it('is bounded', () => {
    const invalid = expect.objectContaining({
      code: 'INVALID_FORMAT',
      message: expect.stringContaining('are allowed'),
    });
    expect(() => decodeModelFile(new Uint8Array(limits.nanoFileBytesMax + 1))).toThrowError(invalid);
    expect(() => decodeModelFile(new Uint8Array(limits.nanoFileBytesMax))).not.toThrowError(invalid);
  });
});

describe('the container', () => {
  it('keeps sections of any length apart', () => {
    const sections = new Map([
      ['a', Uint8Array.of(1, 2, 3)],
      ['b', new Uint8Array()],
      ['c', new Uint8Array(17).fill(5)],
    ]);
    const decoded = decodeContainer<{ readonly field: string }>(
      'PEERAIT1',
      encodeContainer('PEERAIT1', { field: 'ü' }, sections),
    );
    expect(decoded.header.field).toBe('ü');
    expect(decoded.sections).toEqual(sections);
    expect(() => decodeContainer('PEERAIX1', encodeContainer('PEERAIT1', {}, sections))).toThrowError(
      expect.objectContaining({ code: 'INVALID_FORMAT' }),
    );
  });
});

describe('the kernels', () => {
  it.each([
    [1, 16],
    [5, 64],
    [64, 192],
  ])('agree on %i rows of %i columns', async (rows, columns) => {
    const random = seededUnit(5);
    const wasm = await wasmKernel(rows * columns + rows + columns + 64);
    const outputs = [loopKernel(), wasm].map((kernel) => {
      if (kernel === undefined) throw new Error('this machine has no WebAssembly SIMD');
      const matrix = kernel.matrix(rows, columns);
      const [input, output] = [kernel.vector(columns), kernel.vector(rows)];
      const draw = seededUnit(random.state());
      matrix.values.forEach((_, index) => (matrix.values[index] = gaussian(draw)));
      input.forEach((_, index) => (input[index] = gaussian(draw)));
      kernel.multiply(matrix, input, output);
      return [...output];
    });
    outputs[0]?.forEach((value, row) => expect(value).toBeCloseTo(outputs[1]?.[row] ?? Number.NaN, 4));
    expect(Math.max(...(outputs[0] ?? []).map(Math.abs))).toBeGreaterThan(0.5);
  });

  it('have room for the model they are sized for, and no less', async () => {
    const needed = kernelFloats(toySizes);
    const fits = await wasmKernel(needed);
    if (fits === undefined) throw new Error('this machine has no WebAssembly SIMD');
    expect(() => createPlainDecoder(toySizes, weightSource(layout, model.weights), fits)).not.toThrow();
    const small = await wasmKernel(languageModelLayout(toySizes).size / 4);
    if (small === undefined) throw new Error('this machine has no WebAssembly SIMD');
    expect(() => createPlainDecoder(toySizes, weightSource(layout, model.weights), small)).toThrow(RangeError);
  });

  it('two conversations do not disturb each other, and a full context is refused', async () => {
    const decoder = createPlainDecoder(toySizes, weightSource(layout, model.weights), loopKernel());
    const [alone, first, second] = [await decoder.open(), await decoder.open(), await decoder.open()];
    await alone.step(7, false);
    const expected = Float32Array.from((await alone.step(8, true)) ?? []);
    await first.step(7, false);
    await second.step(9, false);
    expect(Float32Array.from((await first.step(8, true)) ?? [])).toEqual(expected);
    for (let token = 2; token < toySizes.context; token += 1) await first.step(1, false);
    expect(() => first.step(1, false)).toThrow(RangeError);
  });
});
