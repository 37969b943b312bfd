import type { Value } from '../graph.ts';
import type { ElementType } from '../onnx.ts';
import { broadcastShape, mismatch } from '../shape.ts';
import { unbroadcast } from './broadcast.ts';

/** left + right, broadcasting. Throws SHAPE_MISMATCH. */
export function add(left: Value, right: Value): Value {
  return left.graph.record('Add', binary('Add', left, right), [left, right], (gradient) => [
    () => unbroadcast(gradient, left.shape),
    () => unbroadcast(gradient, right.shape),
  ]);
}

/** left − right, broadcasting. Throws SHAPE_MISMATCH. */
export function subtract(left: Value, right: Value): Value {
  return left.graph.record('Sub', binary('Sub', left, right), [left, right], (gradient) => [
    () => unbroadcast(gradient, left.shape),
    () => unbroadcast(negate(gradient), right.shape),
  ]);
}

/** left · right, element by element, broadcasting. Throws SHAPE_MISMATCH. */
export function multiply(left: Value, right: Value): Value {
  return left.graph.record('Mul', binary('Mul', left, right), [left, right], (gradient) => [
    () => unbroadcast(multiply(gradient, right), left.shape),
    () => unbroadcast(multiply(gradient, left), right.shape),
  ]);
}

/** left / right, broadcasting; d/dright = −output / right. Throws SHAPE_MISMATCH. */
export function divide(left: Value, right: Value): Value {
  const output = binary('Div', left, right);
  return left.graph.record('Div', output, [left, right], (gradient) => [
    () => unbroadcast(divide(gradient, right), left.shape),
    () => unbroadcast(negate(divide(multiply(gradient, output), right)), right.shape),
  ]);
}

/** value · factor. */
export function scale(value: Value, factor: number): Value {
  return multiply(value, value.graph.constant(factor));
}

export function negate(value: Value): Value {
  return unary('Neg', value, (gradient) => negate(gradient));
}

export function exponential(value: Value): Value {
  return unary('Exp', value, (gradient, output) => multiply(gradient, output));
}

export function logarithm(value: Value): Value {
  return unary('Log', value, (gradient) => divide(gradient, value));
}

export function squareRoot(value: Value): Value {
  return unary('Sqrt', value, (gradient, output) => divide(scale(gradient, 0.5), output));
}

export function reciprocal(value: Value): Value {
  return unary('Reciprocal', value, (gradient, output) => negate(multiply(gradient, multiply(output, output))));
}

export function tanh(value: Value): Value {
  const one = value.graph.constant(1);
  return unary('Tanh', value, (gradient, output) => multiply(gradient, subtract(one, multiply(output, output))));
}

export function sigmoid(value: Value): Value {
  const one = value.graph.constant(1);
  return unary('Sigmoid', value, (gradient, output) => multiply(gradient, multiply(output, subtract(one, output))));
}

/** max(0, x); the gradient at 0 is 0. */
export function relu(value: Value): Value {
  const zero = value.graph.constant(0);
  return unary('Relu', value, (gradient) => where(greater(value, zero), gradient, zero));
}

/** x · sigmoid(x) (Elfwing et al., arXiv 1702.03118); d/dx = s + y · (1 − s). */
export function silu(value: Value): Value {
  const { graph } = value;
  const [gate, output] = graph.untaped(() => {
    const gate = sigmoid(value);
    return [gate, multiply(value, gate)] as const;
  });
  return graph.record('Silu', output, [value], (gradient) => [
    () => multiply(gradient, add(gate, multiply(output, subtract(graph.constant(1), gate)))),
  ]);
}

/** The smaller of the two; not differentiable. Throws SHAPE_MISMATCH. */
export function minimum(left: Value, right: Value): Value {
  return binary('Min', left, right);
}

/** left > right as bool; not differentiable. */
export function greater(left: Value, right: Value): Value {
  return binary('Greater', left, right, 'bool');
}

/** left = right as bool; not differentiable. */
export function equal(left: Value, right: Value): Value {
  return binary('Equal', left, right, 'bool');
}

/** Both; bool. */
export function and(left: Value, right: Value): Value {
  return binary('And', left, right, 'bool');
}

/** `chosen` where the condition holds, else `otherwise`; broadcasting. Throws SHAPE_MISMATCH. */
export function where(condition: Value, chosen: Value, otherwise: Value): Value {
  const { graph } = condition;
  const node = graph.nextNodeName('Where');
  const values = broadcastShape(chosen.shape, otherwise.shape);
  if (values === undefined) mismatch(node, chosen.shape, otherwise.shape, 'do not broadcast');
  const shape = broadcastShape(condition.shape, values);
  if (shape === undefined) mismatch(node, condition.shape, values, 'do not broadcast');
  const output = graph.emit('Where', [condition, chosen, otherwise], shape, {}, chosen.type);
  const zero = graph.constant(0);
  return graph.record('Where', output, [condition, chosen, otherwise], (gradient) => [
    undefined,
    () => unbroadcast(where(condition, gradient, zero), chosen.shape),
    () => unbroadcast(where(condition, zero, gradient), otherwise.shape),
  ]);
}

function binary(operator: string, left: Value, right: Value, type: ElementType = left.type): Value {
  const shape = broadcastShape(left.shape, right.shape);
  if (shape === undefined) {
    mismatch(left.graph.nextNodeName(operator), left.shape, right.shape, 'do not broadcast');
  }
  return left.graph.emit(operator, [left, right], shape, {}, type);
}

function unary(operator: string, value: Value, derivative: (gradient: Value, output: Value) => Value): Value {
  const output = value.graph.emit(operator, [value], value.shape);
  return value.graph.record(operator, output, [value], (gradient) => [() => derivative(gradient, output)]);
}
