import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { Value } from './graph.ts';
import { add } from './ops/elementwise.ts';
import { mismatch, sameShape } from './shape.ts';

/**
 * Reverse-mode differentiation: adds the nodes that compute d loss / d value for each of `values`, in their order and shapes.
 *
 * Throws SHAPE_MISMATCH when the loss is not a scalar, NOT_DIFFERENTIABLE when a value does not reach the loss.
 */
export function gradients(loss: Value, values: readonly Value[]): readonly Value[] {
  if (loss.shape.length !== 0) mismatch('loss', loss.shape, [], 'differ: a loss is a scalar');
  return gradientsFrom(loss, loss.graph.constant(1), values);
}

/**
 * The same from a value inside a larger network: `seed` is d loss / d `output`, computed elsewhere from what came after it.
 *
 * Throws SHAPE_MISMATCH when the two differ in shape, NOT_DIFFERENTIABLE when a value does not reach the output.
 */
export function gradientsFrom(output: Value, seed: Value, values: readonly Value[]): readonly Value[] {
  const { graph } = output;
  if (!sameShape(output.shape, seed.shape))
    mismatch(output.name, output.shape, seed.shape, 'differ: a gradient has the shape of its value');
  const wanted = new Set(values.map((value) => value.name));
  const tape = [...graph.tape];
  for (const { inputs, outputs } of tape) {
    if (inputs.some((input) => wanted.has(input.name))) for (const result of outputs) wanted.add(result.name);
  }
  const known = new Map<string, Value>([[output.name, seed]]);
  graph.untaped(() => {
    for (const { inputs, outputs, backward } of tape.toReversed()) {
      const received = outputs.map((result) => (wanted.has(result.name) ? known.get(result.name) : undefined));
      if (received.every((gradient) => gradient === undefined)) continue;
      backward(received).forEach((make, index) => {
        const input = inputs[index];
        if (make === undefined || input === undefined || !wanted.has(input.name)) return;
        const before = known.get(input.name);
        known.set(input.name, before === undefined ? make() : add(before, make()));
      });
    }
  });
  return values.map((value) => {
    const gradient = known.get(value.name);
    if (gradient !== undefined) return gradient;
    throw new PeerAiError<NnErrorCode>(
      'NOT_DIFFERENTIABLE',
      `${value.name} does not reach the loss through differentiable operations.`,
      {
        node: value.name,
      },
    );
  });
}
