import type { Value } from '../graph.ts';
import type { Dimension } from '../onnx.ts';
import { fixedShape, mismatch, sameShape, sizeOf } from '../shape.ts';

/** Axis i of the result is axis `order[i]` of the value. Throws SHAPE_MISMATCH when `order` is not a permutation. */
export function transpose(value: Value, order: readonly number[]): Value {
  const { graph, shape } = value;
  const inverse = shape.map((_, axis) => order.indexOf(axis));
  if (order.length !== shape.length || inverse.includes(-1)) {
    mismatch(graph.nextNodeName('Transpose'), shape, order, 'do not fit as tensor and order of axes');
  }
  const output = graph.emit(
    'Transpose',
    [value],
    order.map((axis) => shape[axis] as Dimension),
    { perm: order },
    value.type,
  );
  return graph.record('Transpose', output, [value], (gradient) => [() => transpose(gradient, inverse)]);
}

/** Elements `start` to before `end` along `axis`. Throws SHAPE_MISMATCH when they are not there. */
export function slice(value: Value, axis: number, start: number, end: number): Value {
  const { graph, shape } = value;
  const size = shape[axis];
  if (typeof size !== 'number' || start < 0 || start >= end || end > size) {
    mismatch(graph.nextNodeName('Slice'), shape, [start, end], `do not fit as tensor and range along axis ${axis}`);
  }
  const result = shape.with(axis, end - start);
  const bounds = [graph.integers([start]), graph.integers([end]), graph.integers([axis])];
  const output = graph.emit('Slice', [value, ...bounds], result, {}, value.type);
  return graph.record('Slice', output, [value], (gradient) => [
    () => {
      const before = shape.map((_, index) => (index === axis ? start : 0));
      const after = shape.map((_, index) => (index === axis ? size - end : 0));
      return graph.emit('Pad', [gradient, graph.integers([...before, ...after])], shape);
    },
  ]);
}

/**
 * The values one after the other along `axis`. Throws SHAPE_MISMATCH when they differ elsewhere.
 *
 * @param openSize - the name of the result's size along `axis`, where a part's size is open.
 */
export function concat(values: readonly Value[], axis: number, openSize?: string): Value {
  const [first] = values;
  if (first === undefined) throw new RangeError('concat needs at least one value');
  const { graph, shape } = first;
  for (const value of values) {
    if (value.shape.length !== shape.length || !sameShape(value.shape.with(axis, 0), shape.with(axis, 0))) {
      mismatch(graph.nextNodeName('Concat'), shape, value.shape, `differ outside axis ${axis}`);
    }
  }
  const size = openSize ?? values.reduce((total, value) => total + sizeOf(value.shape.slice(axis, axis + 1)), 0);
  const output = graph.emit('Concat', values, shape.with(axis, size), { axis }, first.type);
  return graph.record('Concat', output, values, (gradient) => {
    let offset = 0;
    return values.map((value) => {
      const start = offset;
      offset += sizeOf(value.shape.slice(axis, axis + 1));
      const end = offset;
      return () => slice(gradient, axis, start, end);
    });
  });
}

/** Consecutive parts along `axis`. Throws SHAPE_MISMATCH when the sizes do not add up to the axis. */
export function split(value: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  const { graph, shape } = value;
  if (shape[axis] !== sizes.reduce((all, size) => all + size, 0)) {
    mismatch(graph.nextNodeName('Split'), shape, sizes, `do not fit as tensor and parts of axis ${axis}`);
  }
  const shapes = sizes.map((size) => shape.with(axis, size));
  const outputs = graph.emitMany('Split', [value, graph.integers(sizes)], shapes, { axis }, value.type);
  graph.recordMany('Split', outputs, [value], (gradients) => [
    () => {
      const zeros = (part: number): Value => {
        const missing = fixedShape(shapes[part] ?? []);
        return graph.constant(new Float32Array(sizeOf(missing)), missing);
      };
      return concat(
        gradients.map((gradient, part) => gradient ?? zeros(part)),
        axis,
      );
    },
  ]);
  return outputs;
}

/**
 * Parts that one node may give. WebGPU promises a shader eight buffers (`maxStorageBuffersPerShaderStage`), and ONNX Runtime's Split is one shader that
 * binds what it reads and every part; its Concat takes as many parts as come, in turns.
 */
const shaderPartsMax = 7;

/** Cuts a flat vector into consecutive parts. Throws SHAPE_MISMATCH when the sizes do not add up. Not differentiable: ask for the parts. */
export function splitFlat(value: Value, sizes: readonly number[]): readonly Value[] {
  const { graph } = value;
  const total = sizes.reduce((all, size) => all + size, 0);
  if (value.shape.length !== 1 || value.shape[0] !== total) {
    mismatch(graph.nextNodeName('Split'), value.shape, [total], 'differ in their number of elements');
  }
  if (sizes.length > shaderPartsMax) {
    let end = 0;
    return sizes.map((size) => {
      const start = end;
      end += size;
      return slice(value, 0, start, end);
    });
  }
  const shapes = sizes.map((size) => [size]);
  return graph.emitMany('Split', [value, graph.integers(sizes)], shapes, { axis: 0 }, value.type);
}
