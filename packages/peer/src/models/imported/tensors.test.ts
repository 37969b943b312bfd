import { PeerAiError } from '@peerai/core-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelLimits } from '../limits.ts';
import type { ImportedModelView } from '../imported.schema.ts';
import { readInputs, writeOutputs } from './tensors.ts';

type Type = ImportedModelView['inputs'][number]['type'];
const read = (type: Type, given: unknown) => readInputs([{ name: 'x', type, shape: ['?'] }], { x: given })['x'];
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'nothing was thrown';
  } catch (error) {
    return PeerAiError.is(error) ? error.code : String(error);
  }
};

describe('inputs of a model as JSON', () => {
  it.each<[string, Type, unknown, object]>([
    [
      'lists in lists',
      'float32',
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    ],
    ['one number', 'float32', 7, { shape: [], data: Float32Array.of(7) }],
    ['a shape and data', 'int32', { shape: [1, 2], data: [-1, 2] }, { shape: [1, 2], data: Int32Array.of(-1, 2) }],
    ['nothing in a list', 'int64', [], { shape: [0], data: new BigInt64Array() }],
    ['large whole numbers as text', 'int64', ['9223372036854775807'], { data: BigInt64Array.of(2n ** 63n - 1n) }],
    ['what JSON has no number for', 'float32', ['NaN', '-Infinity'], { data: Float32Array.of(NaN, -Infinity) }],
    ['half precision', 'float16', [0.5], { type: 'float32', data: Float32Array.of(0.5) }],
    ['truth values', 'bool', [true, 0], { type: 'uint8', data: Uint8Array.of(1, 0) }],
  ])('%s', (_, type, given, expected) => {
    expect(read(type, given)).toMatchObject(expected);
  });

  it.each<[string, Type, unknown]>([
    ['lists of different lengths', 'float32', [[1, 2], [3]]],
    ['a list where a number stands', 'float32', [[1], 2]],
    ['text', 'float32', ['one']],
    ['null', 'float32', null],
    ['a fraction', 'int64', [0.5]],
    ['a number of 65 bits', 'int64', ['9223372036854775808']],
    ['a number of 33 bits', 'int32', [2 ** 31]],
    ['a byte below 0', 'uint8', [-1]],
    ['a truth of 2', 'bool', [2]],
    ['a shape of other size', 'float32', { shape: [2], data: [1] }],
    ['a shape below 0', 'float32', { shape: [-1], data: [] }],
    ['something more', 'float32', { shape: [1], data: [1], more: 1 }],
  ])('refuses %s', (_, type, given) => {
    expect(codeOf(() => read(type, given))).toBe('INVALID_FORMAT');
  });

  it('names what is missing and what is too much', () => {
    const values = [{ name: 'x', type: 'float32', shape: [1] }] as const;
    const copies = values.map((value) => ({ ...value, shape: [...value.shape] }));
    expect(() => readInputs(copies, {})).toThrow('"x" is missing');
    expect(() => readInputs(copies, { x: 1, z: 1 })).toThrow('no input "z"');
  });
});

it('whatever JSON is given, it is read or refused by name', () => {
  const types = fc.constantFrom<Type>('float32', 'float16', 'int64', 'int32', 'uint8', 'bool');
  const given = fc.oneof(fc.jsonValue(), fc.record({ shape: fc.jsonValue(), data: fc.jsonValue() }));
  const numbers = fc.array(fc.array(fc.oneof(fc.integer(), fc.double()), { maxLength: 3 }), { maxLength: 3 });
  fc.assert(
    fc.property(types, fc.oneof(given, numbers), (type, one) => {
      expect(['nothing was thrown', 'INVALID_FORMAT', 'LIMIT_EXCEEDED']).toContain(codeOf(() => read(type, one)));
    }),
    { numRuns: 10_000 },
  );
});

describe('limits of numbers', () => {
  const max = modelLimits.modelElementsMax;
  const numbers = (count: number): number[] => Array.from({ length: count }, () => 1);
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  it('that go in', () => {
    expect(read('uint8', numbers(max))?.data.length).toBe(max);
    expect(codeOf(() => read('uint8', numbers(max + 1)))).toBe('LIMIT_EXCEEDED');
    expect(codeOf(() => read('uint8', { shape: [max + 1], data: numbers(max + 1) }))).toBe('LIMIT_EXCEEDED');
  });
  it('that come out', () => {
    const tensor = (count: number) => ({ y: { type: 'uint8', shape: [count], data: new Uint8Array(count) } as const });
    expect(writeOutputs(tensor(max))['y']?.data.length).toBe(max);
    expect(codeOf(() => writeOutputs(tensor(max + 1)))).toBe('LIMIT_EXCEEDED');
  });
  it('of lists inside each other', () => {
    expect(read('uint8', nested(modelLimits.modelRankMax))?.shape.length).toBe(modelLimits.modelRankMax);
    expect(codeOf(() => read('uint8', nested(modelLimits.modelRankMax + 1)))).toBe('INVALID_FORMAT');
    const flat = (rank: number) => ({ shape: Array.from({ length: rank }, () => 1), data: [1] });
    expect(read('uint8', flat(modelLimits.modelRankMax))?.shape.length).toBe(modelLimits.modelRankMax);
    expect(codeOf(() => read('uint8', flat(modelLimits.modelRankMax + 1)))).toBe('INVALID_FORMAT');
  });
});

it('what a model gave keeps what JSON has no number for', () => {
  const tensors = {
    floats: { type: 'float32', shape: [2], data: Float32Array.of(NaN, 0.5) },
    whole: { type: 'int64', shape: [2], data: BigInt64Array.of(7n, 2n ** 60n) },
  } as const;
  const outputs = writeOutputs(tensors);
  expect(outputs['floats']?.data).toEqual(['NaN', 0.5]);
  expect(outputs['whole']?.data).toEqual([7, String(2n ** 60n)]);
});
