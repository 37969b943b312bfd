import type { Value } from '../graph.ts';
import { fixedShape } from '../shape.ts';
import { sum } from './broadcast.ts';
import { multiply, scale, subtract } from './elementwise.ts';

/** The mean over `axes`. */
export function mean(value: Value, axes: readonly number[], keep = false): Value {
  const sizes = fixedShape(axes.map((axis) => value.shape[axis] ?? 1));
  return scale(
    sum(value, axes, keep),
    sizes.reduce((product, size) => product / size, 1),
  );
}

/** exp(x) / Σ exp(x) over the last axis; dx = y · (dy − Σ dy·y). */
export function softmax(value: Value): Value {
  const last = value.shape.length - 1;
  const output = value.graph.emit('Softmax', [value], value.shape, { axis: -1 });
  return value.graph.record('Softmax', output, [value], (gradient) => [
    () => {
      const weighted = multiply(gradient, output);
      return subtract(weighted, multiply(output, sum(weighted, [last], true)));
    },
  ]);
}
