import type { Value } from '../graph.ts';
import { unbroadcast } from './broadcast.ts';
import { greater, multiply, negate, scale, sigmoid, subtract, where } from './elementwise.ts';

/** How a gradient passes a step whose true derivative is 0 everywhere. */
export type GateGradient =
  /** As if the gate were x − threshold (Bengio et al., arXiv 1308.3432). */
  | 'straight-through'
  /** As if it were sigmoid(steepness · (x − threshold)) (a surrogate gradient, Neftci et al., arXiv 1901.09948). */
  | { readonly steepness: number };

/** 1 where the value is above the threshold, else 0; broadcasting. Its gradient is a declared stand-in, not a derivative. Throws SHAPE_MISMATCH. */
export function thresholdGate(value: Value, threshold: Value, gradientRule: GateGradient): Value {
  const { graph } = value;
  const [output, above] = graph.untaped(() => {
    const above = subtract(value, threshold);
    return [where(greater(above, graph.constant(0)), graph.constant(1), graph.constant(0)), above] as const;
  });
  return graph.record('ThresholdGate', output, [value, threshold], (gradient) => {
    const passed = (): Value =>
      gradientRule === 'straight-through' ? gradient : soft(gradient, above, gradientRule.steepness);
    return [() => unbroadcast(passed(), value.shape), () => unbroadcast(negate(passed()), threshold.shape)];
  });
}

/** d · steepness · s · (1 − s) with s = sigmoid(steepness · above). */
function soft(gradient: Value, above: Value, steepness: number): Value {
  const open = sigmoid(scale(above, steepness));
  const slope = multiply(open, subtract(above.graph.constant(1), open));
  return multiply(gradient, scale(slope, steepness));
}
