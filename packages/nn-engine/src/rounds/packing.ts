import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { deltaBytes, type DeltaBits, type PackedDelta, packDelta, unpackDelta } from './delta.ts';
import type { RunSpec } from './run-spec.ts';
import { packSparse, type SparseForm, sparseBytesMax, sparseMean, sparseUpdate, unpackSparse } from './sparse.ts';

/** `bits` of a run whose updates are signs at a few places. */
export const sparseBits = 1;

/** How a delta of a run travels. */
export interface Packing {
  /** Bytes it has at least and at the most. */
  readonly bytesMin: number;
  readonly bytesMax: number;
  /** Throws as `packDelta` does. */
  pack(delta: Float32Array, residual?: Float32Array): PackedDelta;
  /** Throws as `unpackDelta` does. */
  unpack(bytes: Uint8Array): Float32Array;
}

/** The bits in which a mean goes back to the members: at 8 nothing is lost that training would notice, so nothing is carried over. */
const meanBits = 8;

/** Of a member's update. Throws INVALID_OPTION for a private run: its updates are masked words. */
export function updatePacking({ bits, size }: Pick<RunSpec, 'bits' | 'size'>): Packing {
  if (bits === 32)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'A run cannot have bits 32 where updates are packed.');
  return bits === sparseBits ? sparse(size, sparseUpdate) : dense(size, bits);
}

/** Of what goes back to the members. */
export const meanPacking = ({ bits, size }: Pick<RunSpec, 'bits' | 'size'>): Packing =>
  bits === sparseBits ? sparse(size, sparseMean) : dense(size, meanBits);

/** Throws SHAPE_MISMATCH for a length that no update of the run has. */
export function checkUpdateBytes({ bytesMin, bytesMax }: Packing, received: number): void {
  if (received < bytesMin || received > bytesMax)
    throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', 'The update has another length than this run’s.', {
      expected: bytesMax,
      received,
    });
}

/**
 * What a member carries on from a round that closed with its update: what packing left out; and of a sparse run what it sent where the mean had no room, so
 * that only members keep what is not sent yet, whoever coordinates.
 *
 * @param mean - the mean as all unpacked it.
 */
export function carriedOver(
  run: Pick<RunSpec, 'bits' | 'size'>,
  { packed, residual }: { readonly packed: Uint8Array; readonly residual: Float32Array },
  mean: Float32Array,
): Float32Array {
  if (run.bits !== sparseBits) return residual;
  const sent = updatePacking(run).unpack(packed);
  return residual.map((value, place) => (mean[place] === 0 ? value + (sent[place] ?? 0) : value));
}

function dense(size: number, bits: DeltaBits): Packing {
  const length = deltaBytes(size, bits);
  return {
    bytesMin: length,
    bytesMax: length,
    pack: (delta, residual) => packDelta(delta, bits, residual),
    unpack: (bytes) => unpackDelta(bytes, size),
  };
}

function sparse(size: number, form: SparseForm): Packing {
  return {
    bytesMin: 0,
    bytesMax: sparseBytesMax(size, form),
    pack: (delta, residual) => packSparse(delta, form, residual),
    unpack: (bytes) => unpackSparse(bytes, size, form),
  };
}
