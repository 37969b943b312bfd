import { type Network, PeerAiError, type Protocol } from '@peerai/core-protocol';
import { blobProtocol, type BlobSource, serveBlobs } from '@peerai/core-protocol/blob';

/** `/peerai/stage/weights/1`: blobs of the driver's, under a name of their own, because who holds a stage need not have what else the driver gives. */
export const weightsProtocol: Protocol = { ...blobProtocol, id: '/peerai/stage/weights/1' };

/** Gives weights to the peers that hold stages; `source.length` says no to all others. */
export const serveStageWeights = (network: Network, source: BlobSource): Disposable =>
  serveBlobs(network, source, weightsProtocol);

/** A stage's weights as a blob: little-endian float32, as they lie in the model's checkpoint. */
export function packWeights(weights: Float32Array): Uint8Array {
  const bytes = new Uint8Array(weights.byteLength);
  const view = new DataView(bytes.buffer);
  weights.forEach((weight, index) => view.setFloat32(4 * index, weight, true));
  return bytes;
}

/** Throws INVALID_FORMAT for bytes that are no whole number of weights. */
export function unpackWeights(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0) throw new PeerAiError('INVALID_FORMAT', 'Weights have four bytes each.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}
