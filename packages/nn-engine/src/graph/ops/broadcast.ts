import type { Value } from '../graph.ts';
import type { Shape } from '../onnx.ts';
import { broadcastShape, fixedShape, mismatch, sameShape, sizeOf } from '../shape.ts';

/** The same elements in another shape. Throws SHAPE_MISMATCH when their number differs. */
export function reshape(value: Value, shape: readonly number[]): Value {
  const { graph } = value;
  if (sizeOf(value.shape) !== sizeOf(shape)) {
    mismatch(graph.nextNodeName('Reshape'), value.shape, shape, 'differ in their number of elements');
  }
  const output = graph.emit('Reshape', [value, graph.integers(shape)], shape, {}, value.type);
  return graph.record('Reshape', output, [value], (gradient) => [() => reshape(gradient, fixedShape(value.shape))]);
}

/** Reshape with open sizes: 0 keeps the size in that place, −1 takes what is left over; `shape` is what comes out. Not differentiable. */
export function reshapeOpen(value: Value, sizes: readonly number[], shape: Shape): Value {
  const { graph } = value;
  return graph.emit('Reshape', [value, graph.integers(sizes)], shape, {}, value.type);
}

/** The sum over `axes`; with `keep` the summed axes stay with size 1. Throws SHAPE_MISMATCH for an axis that is not there. */
export function sum(value: Value, axes: readonly number[], keep = false): Value {
  const { graph, shape } = value;
  for (const axis of axes) {
    if (axis < 0 || axis >= shape.length)
      mismatch(graph.nextNodeName('ReduceSum'), shape, axes, 'do not fit as tensor and axes');
  }
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const result = keep ? kept : shape.filter((_, axis) => !axes.includes(axis));
  const output = graph.emit('ReduceSum', [value, graph.integers(axes)], result, { keepdims: keep ? 1 : 0 });
  return graph.record('ReduceSum', output, [value], (gradient) => [
    () => expand(keep ? gradient : reshape(gradient, fixedShape(kept)), fixedShape(shape)),
  ]);
}

/** Repeats axes of size 1 up to `shape`. Throws SHAPE_MISMATCH when the value does not broadcast to it. */
export function expand(value: Value, shape: readonly number[]): Value {
  const { graph } = value;
  const result = broadcastShape(value.shape, shape);
  if (result === undefined || !sameShape(result, shape)) {
    mismatch(
      graph.nextNodeName('Expand'),
      value.shape,
      shape,
      'do not fit: the first does not broadcast to the second',
    );
  }
  const output = graph.emit('Expand', [value, graph.integers(shape)], shape, {}, value.type);
  return graph.record('Expand', output, [value], (gradient) => [() => unbroadcast(gradient, value.shape)]);
}

/** Sums a gradient down to the shape that was broadcast. */
export function unbroadcast(gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const added = gradient.shape.length - shape.length;
  const axes = gradient.shape
    .map((size, axis) => (axis < added || (shape[axis - added] === 1 && size !== 1) ? axis : -1))
    .filter((axis) => axis >= 0);
  const summed = axes.length === 0 ? gradient : sum(gradient, axes, true);
  return summed.shape.length === shape.length ? summed : reshape(summed, fixedShape(shape));
}
