import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { Dimension, Shape } from './onnx.ts';

/** `[2, past, 4]`. */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(left: Shape, right: Shape): boolean {
  return left.length === right.length && left.every((size, index) => size === right[index]);
}

/** Elements of a shape; throws SHAPE_MISMATCH when a size is only known at run time. */
export function sizeOf(shape: Shape): number {
  return fixedShape(shape).reduce((product, size) => product * size, 1);
}

/** The shape as numbers; throws SHAPE_MISMATCH when a size is only known at run time. */
export function fixedShape(shape: Shape): readonly number[] {
  return shape.map((size) => {
    if (typeof size === 'number') return size;
    throw new PeerAiError<NnErrorCode>(
      'SHAPE_MISMATCH',
      `${showShape(shape)} has the open size "${size}" where a number is needed.`,
      {
        left: showShape(shape),
      },
    );
  });
}

/** The shape of an elementwise result (numpy's rule), or undefined when the two do not fit. */
export function broadcastShape(left: Shape, right: Shape): Shape | undefined {
  const rank = Math.max(left.length, right.length);
  const result: Dimension[] = [];
  for (let index = 0; index < rank; index += 1) {
    const a = left[left.length - rank + index] ?? 1;
    const b = right[right.length - rank + index] ?? 1;
    if (a !== b && a !== 1 && b !== 1) return undefined;
    result.push(a === 1 ? b : a);
  }
  return result;
}

/** Throws SHAPE_MISMATCH that names the node and both shapes. */
export function mismatch(node: string, left: Shape, right: Shape, why: string): never {
  throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', `${node}: ${showShape(left)} and ${showShape(right)} ${why}.`, {
    node,
    left: showShape(left),
    right: showShape(right),
  });
}
