import { describe, expect, it } from 'vitest';

import { initialWeights, type LanguageModelSizes } from '../models/language-model.ts';
import { seededUnit } from '../train/random.ts';
import { baseCodec, type BaseModel, decodeBase, encodeBase } from './base-file.ts';

const sizes: LanguageModelSizes = { vocabulary: 256, width: 8, layers: 1, heads: 2, hidden: 8, context: 8 };
const weights = initialWeights(sizes, seededUnit(1));
const vocabulary = { characters: ['a', 'b', ' '], merges: [[4, 5]] as const };
const invalid = expect.objectContaining({ code: 'INVALID_FORMAT' });

describe('the file of a base', () => {
  it.each<[string, BaseModel]>([
    ['bytes', { sizes, vocabulary: null, weights }],
    ['word pieces', { sizes, vocabulary, weights }],
  ])('holds a model of %s, and the same model gives the same bytes', (_, base) => {
    const file = encodeBase(base);
    expect(decodeBase(file)).toEqual(base);
    // In whatever order its parts were written down.
    const { context, ...rest } = sizes;
    expect(encodeBase({ ...base, sizes: { context, ...rest } })).toEqual(file);
    const reader = baseCodec(base).reader();
    expect(
      baseCodec(base)
        .encode('ab')
        .map((token) => reader.push(token))
        .join(''),
    ).toBe('ab');
  });

  it('is refused when it is cut, another file, or has too few weights', () => {
    const file = encodeBase({ sizes, vocabulary: null, weights });
    expect(() => decodeBase(file.subarray(0, -8))).toThrowError(invalid);
    expect(() => decodeBase(new Uint8Array(64))).toThrowError(invalid);
    const text = Array.from(file, (byte) => String.fromCodePoint(byte)).join('');
    const more = Uint8Array.from(text.replace('"layers":1', '"layers":2'), (sign) => sign.charCodeAt(0));
    expect(() => decodeBase(more)).toThrowError(invalid);
    expect(() => encodeBase({ sizes, vocabulary: null, weights: weights.subarray(1) })).toThrowError(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });
});
