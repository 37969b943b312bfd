import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  add,
  averagePool,
  broadcastShape,
  concat,
  convolve,
  expand,
  Graph,
  gatherRows,
  matmul,
  maxPool,
  reshape,
  rmsNorm,
  rotate,
  slice,
  split,
  splitFlat,
  sum,
  thresholdGate,
  transpose,
  where,
} from './index.ts';

const graph = new Graph();
const shaped = (...shape: number[]) => graph.input(`x${shape.join('x')}`, shape);

describe('a graph', () => {
  it.each([
    ['add', () => add(shaped(2, 3), shaped(2)), /^Add_\d+: \[2, 3\] and \[2\]/],
    ['matmul inside', () => matmul(shaped(2, 3), shaped(2, 3)), /^MatMul_\d+: \[2, 3\] and \[2, 3\]/],
    ['matmul outside', () => matmul(shaped(2, 4, 3), shaped(3, 3, 2)), /^MatMul_\d+/],
    ['matmul of a vector', () => matmul(shaped(3), shaped(3, 2)), /^MatMul_\d+/],
    ['reshape', () => reshape(shaped(2, 3), [5]), /^Reshape_\d+: \[2, 3\] and \[5\]/],
    ['transpose', () => transpose(shaped(2, 3), [0, 0]), /^Transpose_\d+/],
    ['slice', () => slice(shaped(2, 3), 1, 2, 4), /^Slice_\d+: \[2, 3\] and \[2, 4\]/],
    ['an empty slice', () => slice(shaped(2, 3), 1, 2, 2), /^Slice_\d+/],
    ['concat', () => concat([shaped(2, 3), shaped(3, 3)], 1), /^Concat_\d+: \[2, 3\] and \[3, 3\]/],
    ['expand', () => expand(shaped(2, 3), [2, 1]), /^Expand_\d+/],
    ['sum', () => sum(shaped(2, 3), [2]), /^ReduceSum_\d+/],
    ['split', () => splitFlat(shaped(5), [2, 2]), /^Split_\d+: \[5\] and \[4\]/],
    ['split along an axis', () => split(shaped(2, 5), 1, [2, 2]), /^Split_\d+: \[2, 5\] and \[2, 2\]/],
    ['where', () => where(shaped(2), shaped(3), shaped(2)), /^Where_\d+: \[3\] and \[2\]/],
    ['gather', () => gatherRows(shaped(2, 3), shaped(1, 2)), /^Gather_\d+/],
    ['rmsNorm', () => rmsNorm(shaped(2, 3), shaped(2)), /^Mul_\d+: \[2, 3\] and \[2\]/],
    ['rotate', () => rotate(shaped(2, 4), shaped(2, 3), shaped(2, 3)), /^Mul_\d+: \[2, 4\] and \[2, 3\]/],
    [
      'convolve',
      () => convolve(shaped(1, 2, 4, 4), shaped(3, 1, 3, 3)),
      /^Conv_\d+: \[1, 2, 4, 4\] and \[3, 1, 3, 3\]/,
    ],
    ['a kernel beyond the image', () => convolve(shaped(1, 1, 2, 4), shaped(1, 1, 3, 3)), /^Conv_\d+: .* padding 0/],
    ['maxPool', () => maxPool(shaped(1, 1, 4, 5), 2), /^MaxPool_\d+: \[1, 1, 4, 5\] and \[2, 2\]/],
    ['averagePool of a table', () => averagePool(shaped(4, 4), 2), /^AveragePool_\d+: \[4, 4\] and \[2, 2\]/],
    ['thresholdGate', () => thresholdGate(shaped(2, 3), shaped(2), 'straight-through'), /^Sub_\d+: \[2, 3\] and \[2\]/],
    ['a constant', () => graph.constant([1, 2, 3], [2]), /^constant_\d+: \[3\] and \[2\]/],
  ])('%s with shapes that do not fit is a SHAPE_MISMATCH naming the node and both', (_, build, message) => {
    expect(build).toThrowError(
      expect.objectContaining({ code: 'SHAPE_MISMATCH', message: expect.stringMatching(message) }),
    );
  });

  it('keeps open sizes by name', () => {
    const open = graph.input('open', ['past', 3]);
    expect(add(open, shaped(3)).shape).toEqual(['past', 3]);
    expect(matmul(open, shaped(3, 2)).shape).toEqual(['past', 2]);
    expect(() => reshape(open, [6])).toThrowError(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
    expect(() => add(open, graph.input('other', ['length', 3]))).toThrowError(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });

  it('writes equal small constants once', () => {
    const fresh = new Graph();
    expect(fresh.constant(1)).toBe(fresh.constant(1));
    expect(fresh.integers([1])).not.toBe(fresh.constant([1]));
    expect(fresh.constant([1])).not.toBe(fresh.constant(1));
  });

  it('the same calls give the same bytes', () => {
    const build = (): Uint8Array => {
      const fresh = new Graph();
      fresh.output('y', add(fresh.input('x', [2]), fresh.constant([1, 2])));
      return fresh.toModel();
    };
    expect(build()).toEqual(build());
  });
});

describe('broadcasting', () => {
  const shape = fc.array(fc.constantFrom(1, 2, 3), { maxLength: 4 });

  it('does not depend on the side, and a shape fits itself and a scalar', () => {
    fc.assert(
      fc.property(shape, shape, (left, right) => {
        expect(broadcastShape(left, right)).toEqual(broadcastShape(right, left));
        expect(broadcastShape(left, left)).toEqual(left);
        expect(broadcastShape(left, [])).toEqual(left);
      }),
    );
  });

  it('gives the larger of each pair of sizes', () => {
    expect(broadcastShape([4, 1, 3], [2, 1])).toEqual([4, 2, 3]);
    expect(broadcastShape([2], [3])).toBeUndefined();
  });
});
