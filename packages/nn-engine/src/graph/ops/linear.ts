import type { Value } from '../graph.ts';
import type { Dimension } from '../onnx.ts';
import { broadcastShape, fixedShape, mismatch, sizeOf } from '../shape.ts';
import { reshape, unbroadcast } from './broadcast.ts';
import { transpose } from './shape.ts';

/**
 * left · right over the last two axes, broadcasting the others: [… m, k] · [… k, n] → [… m, n]. Throws SHAPE_MISMATCH.
 *
 * dleft = d · rightᵀ, dright = leftᵀ · d; a two-dimensional right side takes one Gemm over all rows.
 */
export function matmul(left: Value, right: Value): Value {
  const { graph } = left;
  const node = graph.nextNodeName('MatMul');
  if (left.shape.length < 2 || right.shape.length < 2) mismatch(node, left.shape, right.shape, 'need two axes each');
  if (left.shape.at(-1) !== right.shape.at(-2)) mismatch(node, left.shape, right.shape, 'do not multiply');
  const outer = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  if (outer === undefined) mismatch(node, left.shape, right.shape, 'do not broadcast');
  const shape = [...outer, left.shape.at(-2) as Dimension, right.shape.at(-1) as Dimension];
  const output = graph.emit('MatMul', [left, right], shape);
  return graph.record('MatMul', output, [left, right], (gradient) =>
    right.shape.length === 2 ? rowsBackward(left, right, gradient) : batchBackward(left, right, gradient),
  );
}

function rowsBackward(left: Value, right: Value, gradient: Value): readonly (() => Value)[] {
  const [inner, columns] = fixedShape(right.shape) as readonly [number, number];
  const rows = sizeOf(left.shape) / inner;
  const flatGradient = (): Value => (gradient.shape.length === 2 ? gradient : reshape(gradient, [rows, columns]));
  const flatLeft = (): Value => (left.shape.length === 2 ? left : reshape(left, [rows, inner]));
  return [
    () => {
      const flat = gemm(flatGradient(), right, [rows, inner], { transB: 1 });
      return left.shape.length === 2 ? flat : reshape(flat, fixedShape(left.shape));
    },
    () => gemm(flatLeft(), flatGradient(), [inner, columns], { transA: 1 }),
  ];
}

function batchBackward(left: Value, right: Value, gradient: Value): readonly (() => Value)[] {
  return [
    () => unbroadcast(matmul(gradient, swapLast(right)), left.shape),
    () => unbroadcast(matmul(swapLast(left), gradient), right.shape),
  ];
}

function gemm(
  left: Value,
  right: Value,
  shape: readonly number[],
  attributes: Readonly<Record<string, number>>,
): Value {
  return left.graph.emit('Gemm', [left, right], shape, attributes);
}

/** The last two axes exchanged. */
export function swapLast(value: Value): Value {
  const axes = value.shape.map((_, axis) => axis);
  const rank = axes.length;
  return transpose(value, [...axes.slice(0, -2), rank - 1, rank - 2]);
}
