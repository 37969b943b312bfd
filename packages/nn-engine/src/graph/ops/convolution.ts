import type { Value } from '../graph.ts';
import type { Dimension, Shape } from '../onnx.ts';
import { fixedShape, mismatch, sizeOf } from '../shape.ts';
import { expand, reshape, sum } from './broadcast.ts';
import { divide, equal, multiply, scale, where } from './elementwise.ts';
import { slice, transpose } from './shape.ts';

export interface ConvolutionOptions {
  /** Places between two windows, along both axes. Default 1. */
  readonly stride?: number;
  /** Zeros added on every side. Default 0. */
  readonly padding?: number;
}

/**
 * Two-dimensional convolution (cross-correlation, as everywhere in this field): images [n, in, h, w] · kernel [out, in, kh, kw] →
 * [n, out, ⌊(h + 2·padding − kh) / stride⌋ + 1, …]. Throws SHAPE_MISMATCH.
 *
 * dimages is the transposed convolution of d with the kernel; dkernel convolves the images with d as a kernel whose elements stand `stride` apart.
 */
export function convolve(images: Value, kernel: Value, { stride = 1, padding = 0 }: ConvolutionOptions = {}): Value {
  const { graph } = images;
  const node = graph.nextNodeName('Conv');
  const fits = images.shape.length === 4 && kernel.shape.length === 4 && images.shape[1] === kernel.shape[1];
  if (!fits) mismatch(node, images.shape, kernel.shape, 'do not fit as images and kernel');
  const [out, , ...window] = fixedShape(kernel.shape) as readonly [number, number, number, number];
  const sides = fixedShape(images.shape.slice(2));
  const spare = sides.map((side, axis) => side + 2 * padding - (window[axis] ?? 0));
  if (stride < 1 || padding < 0 || spare.some((places) => places < 0))
    mismatch(node, images.shape, kernel.shape, `do not fit with stride ${stride} and padding ${padding}`);
  const places = spare.map((free) => Math.floor(free / stride) + 1);
  const pads = [padding, padding, padding, padding];
  const output = graph.emit('Conv', [images, kernel], [images.shape[0] as Dimension, out, ...places], {
    kernel_shape: window,
    strides: [stride, stride],
    pads,
  });
  return graph.record('Conv', output, [images, kernel], (gradient) => [
    () =>
      graph.emit('ConvTranspose', [gradient, kernel], images.shape, {
        kernel_shape: window,
        strides: [stride, stride],
        pads,
        output_padding: spare.map((free) => free % stride),
      }),
    () => kernelGradient(images, gradient, window, { stride, padding }),
  ]);
}

/** The images as [in, n, …] convolved with d as [out, n, …], cut to the window, axes back in order. */
function kernelGradient(
  images: Value,
  gradient: Value,
  window: readonly number[],
  { stride, padding }: Required<ConvolutionOptions>,
): Value {
  const [channels, ...sides] = fixedShape(images.shape.slice(1));
  const [out, ...places] = fixedShape(gradient.shape.slice(1));
  const reach = sides.map((side, axis) => side + 2 * padding - stride * ((places[axis] ?? 1) - 1));
  const channelsFirst = (value: Value): Value => transpose(value, [1, 0, 2, 3]);
  let result = images.graph.emit(
    'Conv',
    [channelsFirst(images), channelsFirst(gradient)],
    [channels as number, out as number, ...reach],
    { kernel_shape: places, dilations: [stride, stride], pads: [padding, padding, padding, padding] },
  );
  window.forEach((size, axis) => {
    if (size !== reach[axis]) result = slice(result, axis + 2, 0, size);
  });
  return channelsFirst(result);
}

/**
 * The largest of each square of `side` · `side` places, squares side by side: [n, c, h, w] → [n, c, h / side, w / side].
 *
 * Throws SHAPE_MISMATCH when the squares do not cover the image exactly. Places that tie share the gradient.
 */
export function maxPool(images: Value, side: number): Value {
  const { graph } = images;
  const output = graph.emit('MaxPool', [images], pooledShape('MaxPool', images, side), {
    kernel_shape: [side, side],
    strides: [side, side],
  });
  return graph.record('MaxPool', output, [images], (gradient) => [
    () => {
      const largest = where(equal(images, enlarge(output, side)), graph.constant(1), graph.constant(0));
      const [n, c, h, w] = fixedShape(output.shape) as readonly [number, number, number, number];
      const ties = sum(reshape(largest, [n, c, h, side, w, side]), [3, 5]);
      return multiply(largest, enlarge(divide(gradient, ties), side));
    },
  ]);
}

/** The mean of each square of `side` · `side` places, as `maxPool`. Throws SHAPE_MISMATCH. */
export function averagePool(images: Value, side: number): Value {
  const { graph } = images;
  const output = graph.emit('AveragePool', [images], pooledShape('AveragePool', images, side), {
    kernel_shape: [side, side],
    strides: [side, side],
  });
  return graph.record('AveragePool', output, [images], (gradient) => [
    () => enlarge(scale(gradient, 1 / (side * side)), side),
  ]);
}

/** All axes after the first as one: [n, …] → [n, product]; n may be open. */
export function flatten(value: Value): Value {
  const { graph, shape } = value;
  const output = graph.emit('Flatten', [value], [shape[0] as Dimension, sizeOf(shape.slice(1))], { axis: 1 });
  return graph.record('Flatten', output, [value], (gradient) => [() => reshape(gradient, fixedShape(shape))]);
}

function pooledShape(operator: string, images: Value, side: number): Shape {
  const node = images.graph.nextNodeName(operator);
  if (images.shape.length !== 4 || side < 1)
    mismatch(node, images.shape, [side, side], 'do not fit as images and square');
  const places = fixedShape(images.shape.slice(2)).map((size) => size / side);
  if (!places.every(Number.isInteger)) mismatch(node, images.shape, [side, side], 'do not fit: squares would be cut');
  return [...images.shape.slice(0, 2), ...places];
}

/** Every place repeated over a square. */
function enlarge(pooled: Value, side: number): Value {
  const [n, c, h, w] = fixedShape(pooled.shape) as readonly [number, number, number, number];
  const squares = expand(reshape(pooled, [n, c, h, 1, w, 1]), [n, c, h, side, w, side]);
  return reshape(squares, [n, c, h * side, w * side]);
}
