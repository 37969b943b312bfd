import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';

/** Bits of one element of a packed delta. */
export type DeltaBits = 4 | 8;

/** A packed delta, and what packing it left out: added to the next one, nothing is lost for good (error feedback, Seide et al. 2014). */
export interface PackedDelta {
  readonly bytes: Uint8Array;
  /** Delta plus the residual that went in, minus what `unpackDelta` will give. */
  readonly residual: Float32Array;
}

const version = 1;
const headerBytes = 6;
/** Elements that share one scale, count. */
const blockOf: Readonly<Record<DeltaBits, number>> = { 4: 64, 8: 256 };
const scaleBytes = 2;
/** Levels on each side of zero, count. */
const topOf: Readonly<Record<DeltaBits, number>> = { 4: 7, 8: 127 };
/** A change this large is no training; below it, sums of all of a round's deltas stay finite in float32. */
export const magnitudeMax = 1e35;

/**
 * Blockwise symmetric quantisation: each block of 64 (4 bits) or 256 elements (8 bits) has one scale, the largest magnitude over 7 or 127.
 *
 * Bytes: version 1, bits, element count (uint32), the scales (bfloat16), the elements (two's complement; of two 4-bit elements the first is the
 * low half). Everything little-endian. A 1 M delta takes 0.53 MB at 4 bits, 1.06 MB at 8.
 *
 * @param residual - what the last packing left out; zeros when absent.
 * Throws NOT_FINITE; SHAPE_MISMATCH when the residual has another length; LIMIT_REACHED over `deltaElementsMax`.
 */
export function packDelta(delta: Float32Array, bits: DeltaBits, residual?: Float32Array): PackedDelta {
  const wanted = wantedOf(delta, residual);
  const layout = layoutOfBytes(delta.length, bits);
  const bytes = new Uint8Array(layout.total);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, bits);
  view.setUint32(2, delta.length, true);
  const top = topOf[bits];
  for (let block = 0; block < layout.blocks; block += 1) {
    const from = block * layout.block;
    const to = Math.min(delta.length, from + layout.block);
    const half = scaleHalf(largest(wanted, from, to) / top);
    view.setUint16(headerBytes + block * scaleBytes, half, true);
    const scale = halfValue(half);
    for (let index = from; index < to; index += 1) {
      const value = wanted[index] ?? 0;
      const level = scale === 0 ? 0 : Math.max(-top, Math.min(top, Math.round(value / scale)));
      if (bits === 8) view.setInt8(layout.values + index, level);
      else bytes[layout.values + (index >> 1)]! |= (level & 0xf) << (index % 2 === 0 ? 0 : 4);
      wanted[index] = value - Math.fround(level * scale);
    }
  }
  return { bytes, residual: wanted };
}

/**
 * @param size - elements the reader expects: the model's.
 * Throws INVALID_FORMAT when the bytes are cut, longer, not finite, or not what `packDelta` writes; SHAPE_MISMATCH for another element count.
 */
export function unpackDelta(bytes: Uint8Array, size: number): Float32Array {
  checkCount(size);
  if (bytes.length < headerBytes) throw invalid('is cut');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = view.getUint8(1);
  if (view.getUint8(0) !== version || (bits !== 4 && bits !== 8)) throw invalid('is of another version');
  const count = view.getUint32(2, true);
  if (count !== size)
    throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', `A delta of ${count} elements came for ${size} weights.`, {
      expected: size,
      received: count,
    });
  const layout = layoutOfBytes(size, bits);
  if (bytes.length !== layout.total) throw invalid('has another length than its header says');
  const delta = new Float32Array(size);
  const top = topOf[bits];
  for (let block = 0; block < layout.blocks; block += 1) {
    const scale = halfValue(view.getUint16(headerBytes + block * scaleBytes, true));
    // Also what a level times the scale gives must be a number: the sum of a thousand such deltas is one still.
    if (!(scale >= 0 && scale * top <= magnitudeMax * 1.01)) throw invalid('has a scale that is negative or too large');
    const to = Math.min(size, (block + 1) * layout.block);
    for (let index = block * layout.block; index < to; index += 1)
      delta[index] = levelAt(view, layout.values, index, bits) * scale;
  }
  if (bits === 4 && size % 2 === 1 && view.getUint8(layout.total - 1) >> 4 !== 0)
    throw invalid('has a set bit in its padding');
  return delta;
}

/** What is to be sent, in memory of its own. Throws SHAPE_MISMATCH, LIMIT_REACHED. */
export function wantedOf(delta: Float32Array, residual: Float32Array | undefined): Float32Array {
  checkCount(delta.length);
  if (residual !== undefined && residual.length !== delta.length)
    throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', 'The residual has another length than the delta.', {
      delta: delta.length,
      residual: residual.length,
    });
  return residual === undefined ? delta.slice() : delta.map((value, index) => value + (residual[index] ?? 0));
}

/** Bytes of a packed delta. */
export function deltaBytes(size: number, bits: DeltaBits): number {
  return layoutOfBytes(size, bits).total;
}

function layoutOfBytes(size: number, bits: DeltaBits) {
  const block = blockOf[bits];
  const blocks = Math.ceil(size / block);
  const values = headerBytes + blocks * scaleBytes;
  return { block, blocks, values, total: values + (bits === 8 ? size : Math.ceil(size / 2)) };
}

/** The most negative level is never written, so that one delta has one form. */
function levelAt(view: DataView, values: number, index: number, bits: DeltaBits): number {
  if (bits === 8) {
    const level = view.getInt8(values + index);
    if (level === -128) throw invalid('has a level that is never written');
    return level;
  }
  const nibble = (view.getUint8(values + (index >> 1)) >> (index % 2 === 0 ? 0 : 4)) & 0xf;
  if (nibble === 8) throw invalid('has a level that is never written');
  return nibble > 7 ? nibble - 16 : nibble;
}

export function largest(values: Float32Array, from: number, to: number): number {
  let most = 0;
  for (let index = from; index < to; index += 1) {
    const magnitude = Math.abs(values[index] ?? 0);
    if (!(magnitude <= magnitudeMax))
      throw new PeerAiError<NnErrorCode>(
        'NOT_FINITE',
        `Element ${index} of the delta is no number, or far too large.`,
        { index },
      );
    if (magnitude > most) most = magnitude;
  }
  return most;
}

const word = new Float32Array(1);
const halves = new Uint32Array(word.buffer);

/** The upper half of a float32 (bfloat16), rounded up so that no level is cut; range and sign as float32. */
export function scaleHalf(scale: number): number {
  word[0] = scale;
  const whole = halves[0] ?? 0;
  return (whole >>> 16) + ((whole & 0xffff) === 0 ? 0 : 1);
}

export function halfValue(half: number): number {
  halves[0] = half << 16;
  return word[0] ?? 0;
}

export function checkCount(count: number): void {
  if (count > limits.deltaElementsMax)
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `A delta may have ${limits.deltaElementsMax} elements.`, {
      limit: limits.deltaElementsMax,
      received: count,
    });
}

export function invalid(what: string): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('INVALID_FORMAT', `The packed delta ${what}.`);
}
