import { seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { refusedMutations } from '../../test/mutations.ts';
import { limits } from '../limits.ts';
import { gaussian, seededUnit } from '../train/random.ts';
import { deltaBytes, type DeltaBits, packDelta, unpackDelta } from './delta.ts';

const widths: readonly DeltaBits[] = [4, 8];
const finite = fc.float32Array({ maxLength: 600, noNaN: true, min: Math.fround(-1e30), max: Math.fround(1e30) });
const normal = (size: number): Float32Array => {
  const random = seededUnit(size);
  return Float32Array.from({ length: size }, () => gaussian(random) * 1e-3);
};

describe.each(widths)('a delta packed in %d bits', (bits) => {
  const top = bits === 8 ? 127 : 7;

  it('is read as what was meant, within half a level of its block', () => {
    fc.assert(
      fc.property(finite, (delta) => {
        const read = unpackDelta(packDelta(delta, bits).bytes, delta.length);
        const block = bits === 8 ? 256 : 64;
        delta.forEach((value, index) => {
          const from = index - (index % block);
          const most = delta.subarray(from, from + block).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
          // The scale is rounded up by at most one part in 128.
          if (Math.abs(value - (read[index] ?? Number.NaN)) > (most / top) * 0.505 + 1e-38)
            expect.fail(`element ${index}: ${value} was read as ${read[index]}`);
        });
      }),
    );
  });

  it('leaves out what the residual says, to the last bit of a float32', () => {
    const delta = normal(1_000);
    const { bytes, residual } = packDelta(delta, bits);
    const read = unpackDelta(bytes, delta.length);
    expect(residual).toEqual(delta.map((value, index) => value - (read[index] ?? 0)));
    expect(residual.some((value) => value !== 0)).toBe(true);
  });

  it('has the length that is said, and one byte more or less is refused', () => {
    for (const size of [0, 1, 63, 64, 65, 255, 256, 257]) {
      const { bytes } = packDelta(normal(size), bits);
      expect(bytes.length).toBe(deltaBytes(size, bits));
      expect(() => unpackDelta(bytes.slice(0, -1), size)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
      const longer = Uint8Array.from([...bytes, 0]);
      expect(() => unpackDelta(longer, size)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
    }
  });

  it('is refused for a model of another size', () => {
    const { bytes } = packDelta(normal(10), bits);
    expect(() => unpackDelta(bytes, 11)).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
  });

  it('ten thousand mutations of it are read or refused with a code, none in more than 50 ms', () => {
    const random = seededRandom(bits);
    const { bytes } = packDelta(normal(300), bits);
    const refused = refusedMutations(bytes, random, (input) => {
      expect(unpackDelta(input, 300).every(Number.isFinite)).toBe(true);
    });
    expect(refused).toBeGreaterThan(5_000);
  });

  it('what is not finite is not packed', () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.1e35])
      expect(() => packDelta(Float32Array.of(1, wrong), bits)).toThrow(
        expect.objectContaining({ code: 'NOT_FINITE', details: { index: 1 } }),
      );
  });

  it('a scale that is not finite is refused', () => {
    const { bytes } = packDelta(normal(10), bits);
    // Infinity, NaN, a negative one, and one that a level would make infinite.
    for (const scale of [0x7f80, 0x7fc0, 0xbf80, 0x7f00]) {
      new DataView(bytes.buffer).setUint16(6, scale, true);
      expect(() => unpackDelta(bytes, 10)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
    }
  });
});

describe('error feedback', () => {
  it('sends in the sum of many rounds what the values were, where rounding alone would lose the small ones', () => {
    // One large element makes the others of its block round to nothing.
    const delta = new Float32Array(64).fill(0.01);
    delta[0] = 1;
    let residual: Float32Array | undefined;
    const sums = { fed: new Float64Array(64), alone: new Float64Array(64) };
    for (let round = 0; round < 100; round += 1) {
      const packed = packDelta(delta, 4, residual);
      ({ residual } = packed);
      add(sums.fed, unpackDelta(packed.bytes, 64));
      add(sums.alone, unpackDelta(packDelta(delta, 4).bytes, 64));
    }
    expect(sums.fed[1]).toBeCloseTo(1, 0);
    expect(sums.alone[1]).toBe(0);
  });

  it('a residual of another length is refused', () => {
    expect(() => packDelta(new Float32Array(3), 4, new Float32Array(2))).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });
});

describe('the size of a delta', () => {
  it('may be the limit and not one more, before a byte is read or held', () => {
    const limit = limits.deltaElementsMax;
    const none = new Uint8Array();
    expect(() => unpackDelta(none, limit)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
    expect(() => unpackDelta(none, limit + 1)).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
  });

  it('4 bits take less than a seventh of float32 and 8 bits less than a third', () => {
    expect(deltaBytes(1_054_848, 4)).toBeLessThan((1_054_848 * 4) / 7);
    expect(deltaBytes(1_054_848, 8)).toBeLessThan((1_054_848 * 4) / 3);
  });
});

function add(sum: Float64Array, values: Float32Array): void {
  for (const [index, value] of values.entries()) sum[index] = (sum[index] ?? 0) + value;
}
