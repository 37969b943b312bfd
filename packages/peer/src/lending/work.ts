import { PeerAiError } from '@peerai/core-protocol';
import type { Cluster } from '@peerai/nn-engine/cluster';
import { lendingLimits as limits } from './limits.ts';

/** Float64, little-endian, row by row. */
export function encodeNumbers(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (let place = 0; place < values.length; place += 1) view.setFloat64(place * 8, values[place] ?? 0, true);
  return bytes;
}

/** Throws INVALID_FORMAT. */
export function decodeNumbers(bytes: Uint8Array): Float64Array {
  if (bytes.length % 8 !== 0) throw new PeerAiError('INVALID_FORMAT', 'numbers of 8 bytes were expected');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / 8 }, (_, place) => view.getFloat64(place * 8, true));
}

interface Shape {
  readonly inputs: number;
  readonly size: number;
}

/** Vectors that one run may have through a cluster of this shape. */
export function vectorsPerRun({ inputs, size }: Shape): number {
  const byNumbers = Math.floor(limits.runValuesMax / Math.max(inputs, size));
  return Math.max(1, Math.min(byNumbers, Math.floor(limits.runWorkMax / (size * (inputs + 16)))));
}

/**
 * Each vector through the cluster, one step of time each: the same here and there, to the bit.
 * Throws INVALID_FORMAT, LIMIT_EXCEEDED, INVALID_OPTION for a number no cluster takes.
 *
 * @returns what each node gave for each vector.
 */
export function throughCluster(cluster: Cluster, numbers: Float64Array): Float64Array {
  const { inputs, size } = cluster;
  const vectors = numbers.length / inputs;
  if (!Number.isInteger(vectors) || vectors === 0)
    throw new PeerAiError('INVALID_FORMAT', `vectors of ${inputs} numbers were expected`);
  if (vectors > vectorsPerRun(cluster))
    throw new PeerAiError('LIMIT_EXCEEDED', `at most ${vectorsPerRun(cluster)} vectors in one run`);
  const outputs = new Float64Array(vectors * size);
  for (let row = 0; row < vectors; row += 1)
    outputs.set(cluster.process(numbers.subarray(row * inputs, (row + 1) * inputs)), row * size);
  return outputs;
}
