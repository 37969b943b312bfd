import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { SharedState } from './outer.ts';

const headerBytes = 8;

/** Bytes of the state of a run with so many weights. */
export const stateBytes = (size: number): number => headerBytes + size * 8;

/** Round and element count (uint32), weights, momentum: little-endian float32. The bytes a late member fetches, a checkpoint, and what is hashed. */
export function encodeState({ round, weights, momentum }: SharedState): Uint8Array {
  const bytes = new Uint8Array(stateBytes(weights.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, round, true);
  view.setUint32(4, weights.length, true);
  [weights, momentum].forEach((vector, part) => {
    const start = headerBytes + part * weights.length * 4;
    for (let index = 0; index < vector.length; index += 1) view.setFloat32(start + index * 4, vector[index] ?? 0, true);
  });
  return bytes;
}

/** @param size - elements of the run's weights. Throws INVALID_FORMAT. */
export function decodeState(bytes: Uint8Array, size: number): SharedState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length !== stateBytes(size) || view.getUint32(4, true) !== size)
    throw new PeerAiError<NnErrorCode>(
      'INVALID_FORMAT',
      'The state of a run has another length than its weights need.',
      {
        expected: stateBytes(size),
        received: bytes.length,
      },
    );
  const vector = (part: number): Float32Array => {
    const start = headerBytes + part * size * 4;
    return Float32Array.from({ length: size }, (_, index) => view.getFloat32(start + index * 4, true));
  };
  return { round: view.getUint32(0, true), weights: vector(0), momentum: vector(1) };
}

/** A run's first state. */
export const firstState = (weights: Float32Array): SharedState => ({
  round: 0,
  weights,
  momentum: new Float32Array(weights.length),
});
