import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';

/** The scale all members of a masked sum share: without it their masks would cancel and their numbers would not add. */
export interface FixedPoint {
  /** Largest magnitude of an element; more is cut to it. */
  readonly elementMax: number;
  /** Most members that add up. */
  readonly members: number;
}

const wordHalf = 2_147_483_648;

/** Whole steps in `elementMax`: so many that the sum of all members just fits into 32 bits, sign included. */
function stepsOf({ elementMax, members }: FixedPoint): number {
  if (!(elementMax > 0 && Number.isFinite(elementMax)) || !Number.isSafeInteger(members) || members < 1)
    throw new PeerAiError<NnErrorCode>(
      'INVALID_OPTION',
      'A scale needs a largest element above 0 and a count of members.',
      {
        elementMax,
        members,
      },
    );
  return Math.floor((wordHalf - 1) / members);
}

/** float32 → residues modulo 2^32. Throws NOT_FINITE: one such element would spoil everybody's sum. */
export function toFixedPoint(values: Float32Array, scale: FixedPoint): Uint32Array {
  const steps = stepsOf(scale);
  return Uint32Array.from(values, (value, index) => {
    if (!Number.isFinite(value))
      throw new PeerAiError<NnErrorCode>('NOT_FINITE', `Element ${index} is not a finite number.`, { index });
    const cut = Math.max(-scale.elementMax, Math.min(scale.elementMax, value));
    return Math.round((cut / scale.elementMax) * steps);
  });
}

/** The sum as numbers, or with `count` the mean of so many members. */
export function fromFixedPoint(sum: Uint32Array, scale: FixedPoint, count = 1): Float32Array {
  const unit = scale.elementMax / stepsOf(scale) / count;
  return Float32Array.from(sum, (word) => (word | 0) * unit);
}
