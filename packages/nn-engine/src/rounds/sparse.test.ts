import { seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { refusedMutations } from '../../test/mutations.ts';
import { limits } from '../limits.ts';
import { gaussian, seededUnit } from '../train/random.ts';
import { packSparse, type SparseForm, sparseBytesMax, sparseMean, sparseUpdate, unpackSparse } from './sparse.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const finite = fc.float32Array({ maxLength: 600, noNaN: true, min: Math.fround(-1e30), max: Math.fround(1e30) });
const normal = (size: number): Float32Array => {
  const random = seededUnit(size);
  return Float32Array.from({ length: size }, () => gaussian(random) * 1e-3);
};
const few: SparseForm = { kept: 3, magnitudeBits: 0 };

describe.each([
  ['signs', sparseUpdate],
  ['signs and levels', sparseMean],
] as const)('a sparse delta of %s', (_, form) => {
  const read = (delta: Float32Array, residual?: Float32Array): Float32Array =>
    unpackSparse(packSparse(delta, form, residual).bytes, delta.length, form);

  it('has the largest elements of each chunk, and no others', () => {
    const delta = normal(10_000);
    const sent = read(delta);
    for (const [from, to] of [
      [0, 4_096],
      [4_096, 8_192],
      [8_192, 10_000],
    ] as const) {
      const places = Array.from({ length: to - from }, (__, index) => from + index);
      const [taken, left] = [places.filter((place) => sent[place] !== 0), places.filter((place) => sent[place] === 0)];
      const size = (place: number): number => Math.abs(delta[place] ?? 0);
      expect(taken).toHaveLength(form.kept);
      expect(Math.min(...taken.map(size))).toBeGreaterThan(Math.max(...left.map(size)));
      for (const place of taken) expect(Math.sign(sent[place] ?? 0)).toBe(Math.sign(delta[place] ?? 0));
    }
  });

  it('and its residual are what was meant, whatever the numbers', () => {
    fc.assert(
      fc.property(finite, (delta) => {
        const { bytes, residual } = packSparse(delta, form);
        const sent = unpackSparse(bytes, delta.length, form);
        expect(residual).toEqual(delta.map((value, index) => value - (sent[index] ?? 0)));
        expect(bytes.length).toBeLessThanOrEqual(sparseBytesMax(delta.length, form));
      }),
    );
  });

  it('is never longer than is said, where the places lie worst', () => {
    for (const size of [1, 100, 4_096, 4_097, 9_000])
      for (const delta of [
        normal(size),
        new Float32Array(size).fill(1),
        Float32Array.from({ length: size }, (__, at) => at),
      ])
        expect(packSparse(delta, form).bytes.length).toBeLessThanOrEqual(sparseBytesMax(size, form));
  });

  it('one byte more or less is refused, and so is another size or form', () => {
    const { bytes } = packSparse(normal(5_000), form);
    const other = form === sparseMean ? sparseUpdate : sparseMean;
    expect(() => unpackSparse(bytes.slice(0, -1), 5_000, form)).toThrow(code('INVALID_FORMAT'));
    expect(() => unpackSparse(Uint8Array.from([...bytes, 0]), 5_000, form)).toThrow(code('INVALID_FORMAT'));
    expect(() => unpackSparse(bytes.slice(0, 5), 5_000, form)).toThrow(code('INVALID_FORMAT'));
    expect(() => unpackSparse(bytes, 5_001, form)).toThrow(code('SHAPE_MISMATCH'));
    expect(() => unpackSparse(bytes, 5_000, other)).toThrow(code('INVALID_FORMAT'));
  });

  it('ten thousand mutations of it are read or refused with a code, none in more than 50 ms', () => {
    const random = seededRandom(form.magnitudeBits);
    const { bytes } = packSparse(normal(300), form);
    const refused = refusedMutations(bytes, random, (input) => {
      expect(unpackSparse(input, 300, form).every(Number.isFinite)).toBe(true);
    });
    expect(refused).toBeGreaterThan(5_000);
  });

  it('what is not finite is not packed', () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, 1.1e35])
      expect(() => packSparse(Float32Array.of(1, wrong), form)).toThrow(code('NOT_FINITE'));
  });
});

describe('a sparse delta', () => {
  it('of nothing but zeros sends none', () => {
    const { bytes, residual } = packSparse(new Float32Array(9), few);
    // Thirteen bits of a count after the header.
    expect(bytes).toHaveLength(8);
    expect(unpackSparse(bytes, 9, few)).toEqual(new Float32Array(9));
    expect(residual).toEqual(new Float32Array(9));
  });

  it('takes the first of equal elements, so that the same delta gives the same bytes', () => {
    const sent = unpackSparse(packSparse(new Float32Array(8).fill(0.5), few).bytes, 8, few);
    expect([...sent]).toEqual([0.5, 0.5, 0.5, 0, 0, 0, 0, 0]);
  });

  it('has these bytes', () => {
    // One of eight at place 2: count 1 (13 bits), scale 1.5 (0x3fc0), and with 11 low bits the gap 2: a zero, then 2; then the sign.
    const { bytes } = packSparse(Float32Array.of(0, 0, -1.5, 0, 0, 0, 0, 0), few);
    expect([...bytes.subarray(0, 6)]).toEqual([2, 0, 8, 0, 0, 0]);
    const bits = [...bytes.subarray(6)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    expect(bits).toBe(['0000000000001', '0011111111000000', '0', '00000000010', '1', '000000'].join(''));
  });

  it('sends in many rounds all of what the largest would hide, by what it carries over', () => {
    const delta = Float32Array.from({ length: 100 }, (_, index) => (index < 3 ? 1 : 0.01));
    const sum = new Float64Array(100);
    let residual: Float32Array | undefined;
    for (let round = 0; round < 1_000; round += 1) {
      const packed = packSparse(delta, few, residual);
      ({ residual } = packed);
      for (const [index, value] of unpackSparse(packed.bytes, 100, few).entries())
        sum[index] = (sum[index] ?? 0) + value;
    }
    // A thousand times 0.01, but for what waits still.
    expect(Math.min(...sum.subarray(3))).toBeGreaterThan(5);
    expect(Math.max(...sum.subarray(3))).toBeLessThan(15);
  });

  it('with more elements in a chunk than the form has, or a scale that is none, is refused', () => {
    // The second chunk has none, so that the whole is not too long.
    const delta = Float32Array.from({ length: 8_192 }, (_, place) => (place < 4 ? 1 : 0));
    const packed = (kept: number) => packSparse(delta, { kept, magnitudeBits: 0 }).bytes;
    expect(unpackSparse(packed(3), 8_192, few).filter((value) => value !== 0)).toHaveLength(3);
    expect(() => unpackSparse(packed(4), 8_192, few)).toThrow(code('INVALID_FORMAT'));
    for (const scale of [0, 0x7f80, 0x7fc0, 0xbf80, 0x7f00]) {
      const { bytes } = packSparse(Float32Array.of(1), few);
      // The scale begins after 13 bits of the first byte pair.
      const bits = (BigInt(1) << 16n) | BigInt(scale);
      const all = bits << 11n;
      for (let index = 0; index < 5; index += 1) bytes[6 + index] = Number((all >> BigInt(32 - 8 * index)) & 0xffn);
      expect(() => unpackSparse(bytes, 1, few)).toThrow(code('INVALID_FORMAT'));
    }
  });

  it('may have as many elements as the limit and not one more, before a byte is read or held', () => {
    const none = new Uint8Array();
    expect(() => unpackSparse(none, limits.deltaElementsMax, few)).toThrow(code('INVALID_FORMAT'));
    expect(() => unpackSparse(none, limits.deltaElementsMax + 1, few)).toThrow(code('LIMIT_REACHED'));
  });

  it('of an update takes less than a quarter of a bit an element, of a mean twice and a half of that', () => {
    const size = 102_400;
    const length = packSparse(normal(size), sparseUpdate).bytes.length;
    expect(length).toBeLessThan(size / 4 / 8);
    expect(sparseBytesMax(size, sparseUpdate)).toBeLessThan(length * 1.2);
    expect(packSparse(normal(size), sparseMean).bytes.length).toBeLessThan(length * 2.6);
  });
});
