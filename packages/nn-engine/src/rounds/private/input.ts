import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import { type FixedPoint, fromFixedPoint, toFixedPoint } from '../../privacy/masked-sum/index.ts';
import type { RunSpec } from '../run-spec.ts';
import { extraElements } from './terms.ts';

/** Losses above this are told as this, nats. */
const lossMax = 64;

/** The change of one member, or the mean of many. */
export interface Change {
  readonly delta: Float32Array;
  /** Nats; NaN where it is not told. */
  readonly loss: number;
}

/** What one member adds to the sum: its change, its loss, and whether it tells it. Throws NOT_FINITE. */
export function inputOf(spec: RunSpec, { delta, loss }: Change): Uint32Array {
  const scale = scaleOf(spec);
  const values = new Float32Array(spec.size + extraElements);
  values.set(delta);
  if (!Number.isNaN(loss)) {
    values[spec.size] = (Math.min(loss, lossMax) / lossMax) * scale.elementMax;
    values[spec.size + 1] = scale.elementMax;
  }
  return toFixedPoint(values, scale);
}

/** @param total - the sum of the inputs of `count` members. */
export function meanOf(spec: RunSpec, total: Uint32Array, count: number): Change {
  const scale = scaleOf(spec);
  const mean = fromFixedPoint(total, scale, count);
  const [loss = 0, told = 0] = mean.subarray(spec.size);
  // Who tells at all adds a whole `elementMax`; below half of one member's there is none.
  const isTold = told > scale.elementMax / (2 * count);
  return { delta: mean.subarray(0, spec.size), loss: isTold ? (loss / told) * lossMax : Number.NaN };
}

function scaleOf({ private: terms }: RunSpec): FixedPoint {
  if (terms === undefined) throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'An open run has no common scale.');
  return { elementMax: terms.elementMax, members: terms.members.length };
}
