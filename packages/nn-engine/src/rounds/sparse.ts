import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { type BitReader, bitReader, bitWriter } from './bit-stream.ts';
import {
  checkCount,
  halfValue,
  invalid,
  largest,
  magnitudeMax,
  type PackedDelta,
  scaleHalf,
  wantedOf,
} from './delta.ts';

/** How much of a delta is sent. */
export interface SparseForm {
  /** Elements of each chunk of 4,096, the largest ones, count. */
  readonly kept: number;
  /** Bits of an element's magnitude, beside its sign: with none all of a chunk have the same. */
  readonly magnitudeBits: number;
}

/** 3 % of the elements of an update, as signs: less than a quarter of a bit for each element of the model. */
export const sparseUpdate: SparseForm = { kept: 123, magnitudeBits: 0 };
/** Of the mean of updates: two members that have none in common send twice as many. Where there are more, the largest are taken, and the members keep the rest. */
export const sparseMean: SparseForm = { kept: 2 * sparseUpdate.kept, magnitudeBits: 3 };

const version = 2;
const headerBytes = 6;
const chunk = 4_096;
/** Bits of a chunk's count, 0 to 4,096, and of its scale, a bfloat16. */
const [countBits, scaleBits] = [13, 16];

/**
 * The largest elements of each chunk, by their places and signs (Strom 2015; in chunks as DeMo, arXiv 2411.19870, and SparseLoCo, arXiv 2508.15706).
 *
 * Bytes: version 2, magnitude bits, element count (uint32, little-endian); then a stream of bits, the highest of each number first: for each chunk of 4,096
 * the count of its elements (13), and where that is not 0 the scale (16, a bfloat16) and for each element the gap to the one before it (Rice code:
 * gap >> b as ones and a zero, then its b lowest bits), the sign (1 where it is negative) and the level less one. b is the largest for which 3 · count · 2^b does
 * not pass 2 · 4,096 (the shortest code for places drawn at random, Rice 1979). An element is read as ±level · scale in float32. Bits to a whole byte are 0.
 *
 * @param residual - what the last packing left out; zeros when absent.
 * Throws as `packDelta` does.
 */
export function packSparse(delta: Float32Array, form: SparseForm, residual?: Float32Array): PackedDelta {
  const wanted = wantedOf(delta, residual);
  const { magnitudeBits } = form;
  const top = 1 << magnitudeBits;
  const stream = bitWriter(sparseBytesMax(delta.length, form) - headerBytes);
  for (let from = 0; from < wanted.length; from += chunk) {
    const to = Math.min(wanted.length, from + chunk);
    const most = largest(wanted, from, to);
    const places = placesOfLargest(wanted, from, to, form.kept);
    const sum = places.reduce((before, place) => before + Math.abs(wanted[place] ?? 0), 0);
    const half = scaleHalf(top === 1 ? sum / Math.max(1, places.length) : most / top);
    const scale = halfValue(half);
    // Numbers so small that a part of them is none in float32 wait.
    const levelOf = (place: number): number =>
      scale === 0 ? 0 : top === 1 ? 1 : Math.min(top, Math.round(Math.abs(wanted[place] ?? 0) / scale));
    const sent = places.filter((place) => levelOf(place) > 0);
    stream.write(sent.length, countBits);
    if (sent.length === 0) continue;
    stream.write(half, scaleBits);
    const riceBits = riceBitsOf(sent.length);
    let next = from;
    for (const place of sent) {
      const level = levelOf(place);
      const value = wanted[place] ?? 0;
      stream.writeUnary((place - next) >> riceBits);
      stream.write((place - next) & ((1 << riceBits) - 1), riceBits);
      stream.write(value < 0 ? 1 : 0, 1);
      stream.write(level - 1, magnitudeBits);
      wanted[place] = value - Math.fround(Math.sign(value) * level * scale);
      next = place + 1;
    }
  }
  const packed = stream.bytes();
  const bytes = new Uint8Array(headerBytes + packed.length);
  bytes.set([version, magnitudeBits]);
  new DataView(bytes.buffer).setUint32(2, delta.length, true);
  bytes.set(packed, headerBytes);
  return { bytes, residual: wanted };
}

/**
 * @param size - elements the reader expects: the model's.
 * Throws INVALID_FORMAT when the bytes are cut, longer, not finite, or not what `packSparse` writes in that form; SHAPE_MISMATCH for another element count.
 */
export function unpackSparse(bytes: Uint8Array, size: number, form: SparseForm): Float32Array {
  checkCount(size);
  if (bytes.length < headerBytes) throw invalid('is cut');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint8(0) !== version || view.getUint8(1) !== form.magnitudeBits) throw invalid('is of another version');
  const count = view.getUint32(2, true);
  if (count !== size)
    throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', `A delta of ${count} elements came for ${size} weights.`, {
      expected: size,
      received: count,
    });
  if (bytes.length > sparseBytesMax(size, form)) throw invalid('is longer than any of its form');
  const stream = bitReader(bytes.subarray(headerBytes));
  const delta = new Float32Array(size);
  for (let from = 0; from < size; from += chunk) readChunk(stream, delta, from, Math.min(size, from + chunk), form);
  if (!stream.isAtEnd()) throw invalid('has more bytes than its elements need');
  return delta;
}

/** Bytes that a packed delta has at the most. */
export function sparseBytesMax(size: number, { kept, magnitudeBits }: SparseForm): number {
  let bits = 0;
  for (const length of [chunk, size % chunk]) {
    const count = Math.min(kept, length);
    // All gaps together are no longer than the chunk, and each takes its low bits and a zero. A chunk with fewer elements takes fewer bits, but for what its longer gaps save.
    const chunks = length === chunk ? Math.floor(size / chunk) : length === 0 ? 0 : 1;
    bits += chunks * mostBitsOf(length, count, magnitudeBits);
  }
  return headerBytes + Math.ceil(bits / 8);
}

/** Of a chunk with up to so many elements. */
function mostBitsOf(length: number, countMax: number, magnitudeBits: number): number {
  let most = countBits;
  for (let count = 1; count <= countMax; count += 1) {
    const low = riceBitsOf(count);
    most = Math.max(most, countBits + scaleBits + count * (low + 2 + magnitudeBits) + ((length - count) >> low));
  }
  return most;
}

function readChunk(stream: BitReader, delta: Float32Array, from: number, to: number, form: SparseForm): void {
  const count = stream.read(countBits);
  if (count === undefined) throw invalid('is cut');
  if (count > form.kept || count > to - from) throw invalid('has more elements in a chunk than may be sent');
  if (count === 0) return;
  const scale = halfValue(stream.read(scaleBits) ?? 0);
  const top = 1 << form.magnitudeBits;
  // Also the sum of a thousand such deltas is a number.
  if (!(scale > 0 && scale * top <= magnitudeMax * 1.01))
    throw invalid('has a scale that is not above 0, or too large');
  const riceBits = riceBitsOf(count);
  let next = from;
  for (let index = 0; index < count; index += 1) {
    const high = stream.readUnary((to - next) >> riceBits);
    const low = stream.read(riceBits);
    const sign = stream.read(1);
    const level = stream.read(form.magnitudeBits);
    if (high === undefined || low === undefined || sign === undefined || level === undefined)
      throw invalid('is cut, or has an element outside its chunk');
    const place = next + (high << riceBits) + low;
    if (place >= to) throw invalid('has an element outside its chunk');
    delta[place] = (sign === 1 ? -1 : 1) * (level + 1) * scale;
    next = place + 1;
  }
}

/** The low bits of a gap in a chunk with so many elements: b with 2^b at most two thirds of the mean gap. */
function riceBitsOf(count: number): number {
  let bits = 0;
  while (3 * count * 2 ** (bits + 1) <= 2 * chunk) bits += 1;
  return bits;
}

/** Places of the largest magnitudes in rising order; of equal ones the first, and none of a zero. */
function placesOfLargest(values: Float32Array, from: number, to: number, kept: number): readonly number[] {
  const magnitudes = values.slice(from, to).map(Math.abs);
  const least = smallestOfLargest(magnitudes, Math.min(kept, magnitudes.length));
  let equals = kept - magnitudes.reduce((above, magnitude) => above + (magnitude > least ? 1 : 0), 0);
  const places: number[] = [];
  for (let place = from; place < to; place += 1) {
    const magnitude = Math.abs(values[place] ?? 0);
    if (magnitude === 0 || magnitude < least) continue;
    if (magnitude === least) {
      if (equals === 0) continue;
      equals -= 1;
    }
    places.push(place);
  }
  return places;
}

/** The element that has `count - 1` of the others before it when the largest come first (quickselect, Hoare 1961). Changes their order. */
function smallestOfLargest(values: Float32Array, count: number): number {
  let [low, high] = [0, values.length - 1];
  const wanted = count - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] ?? 0;
    let [left, right] = [low, high];
    while (left <= right) {
      while ((values[left] ?? 0) > pivot) left += 1;
      while ((values[right] ?? 0) < pivot) right -= 1;
      if (left > right) break;
      const kept = values[left] ?? 0;
      values[left] = values[right] ?? 0;
      values[right] = kept;
      left += 1;
      right -= 1;
    }
    if (wanted <= right) high = right;
    else if (wanted >= left) low = left;
    else break;
  }
  return values[wanted] ?? 0;
}
