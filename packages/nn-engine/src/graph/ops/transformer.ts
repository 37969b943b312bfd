import type { Value } from '../graph.ts';
import { fixedShape, mismatch, sameShape } from '../shape.ts';
import { add, divide, multiply, squareRoot, subtract } from './elementwise.ts';
import { unbroadcast } from './broadcast.ts';
import { mean } from './reduce.ts';
import { concat, split } from './shape.ts';

/** Keeps the root away from zero; Llama's value. */
const rmsEpsilon = 1e-5;

/**
 * x / rms(x) · gain over the last axis (Zhang and Sennrich, arXiv 1910.07467): x [… d], gain [d] → [… d]. Throws SHAPE_MISMATCH.
 *
 * With n = x / rms: dx = (dy·gain − n · mean(dy·gain·n)) / rms, dgain = Σ dy·n.
 */
export function rmsNorm(value: Value, gain: Value): Value {
  const { graph, shape } = value;
  const last = shape.length - 1;
  if (!sameShape(gain.shape, [shape[last] ?? 0]))
    mismatch(graph.nextNodeName('Mul'), shape, gain.shape, 'do not fit as tensor and gain');
  const [output, normalised, root] = graph.untaped(() => {
    const root = squareRoot(add(mean(multiply(value, value), [last], true), graph.constant(rmsEpsilon)));
    const normalised = divide(value, root);
    return [multiply(normalised, gain), normalised, root] as const;
  });
  return graph.record('RmsNorm', output, [value, gain], (gradient) => [
    () => {
      const scaled = multiply(gradient, gain);
      return divide(subtract(scaled, multiply(normalised, mean(multiply(scaled, normalised), [last], true))), root);
    },
    () => unbroadcast(multiply(gradient, normalised), gain.shape),
  ]);
}

/**
 * Rotary positions (Su et al., arXiv 2104.09864), the half-split form: x [… t, d], cosines and sines [t, d/2] → [… t, d].
 *
 * Throws SHAPE_MISMATCH. The angle of pair i at position p is p / base^(2i/d); only distances between positions matter.
 */
export function rotate(value: Value, cosines: Value, sines: Value): Value {
  const axis = value.shape.length - 1;
  const width = fixedShape(value.shape.slice(-1))[0] as number;
  if (cosines.shape.at(-1) !== width / 2) {
    mismatch(value.graph.nextNodeName('Mul'), value.shape, cosines.shape, 'do not fit as tensor and half its angles');
  }
  const [left, right] = split(value, axis, [width / 2, width / 2]) as readonly [Value, Value];
  return concat(
    [subtract(multiply(left, cosines), multiply(right, sines)), add(multiply(right, cosines), multiply(left, sines))],
    axis,
  );
}

/** Cosines and sines of `rotate`, each [positions, width / 2], row-major. */
export function rotaryAngles(
  positions: number,
  width: number,
  base = 10_000,
): { cosines: Float32Array; sines: Float32Array } {
  const half = width / 2;
  const cosines = new Float32Array(positions * half);
  const sines = new Float32Array(positions * half);
  for (let position = 0; position < positions; position += 1) {
    for (let pair = 0; pair < half; pair += 1) {
      const angle = position / base ** ((2 * pair) / width);
      cosines[position * half + pair] = Math.cos(angle);
      sines[position * half + pair] = Math.sin(angle);
    }
  }
  return { cosines, sines };
}
