import {
  type CryptoProvider,
  type Identity,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  sealSigned,
  wire,
} from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';

/** An error somebody measured, for the clusters of that name at other peers. */
export interface ErrorSignal {
  readonly cluster: string;
  /** An output each: target minus share, −1 to 1. */
  readonly error: ArrayLike<number>;
  /** Rises with each signal of this origin about this cluster, also over restarts: begin at the time in milliseconds. */
  readonly sequence: number;
}
/** As it arrives: what its origin signed, and what those who passed it on say of the way. */
export interface ArrivedSignal extends ErrorSignal {
  readonly error: Float64Array;
  readonly origin: PeerId;
  /** Links before the last one: 0 when it came from its origin. */
  readonly hop: number;
  /** Product of the weights of those links, 0 to 1. */
  readonly weight: number;
}

const tag = 'peerai/cluster/1 error';
const bodyForm = wire.message({
  cluster: wire.string(1),
  error: wire.repeated(wire.double(2), limits.clusterOutputsMax),
  sequence: wire.uint53(3),
});
const form = wire.message({ signed: wire.bytes(1), hop: wire.uint32(2), weight: wire.double(3) });

/** A signal that sets out here. Throws INVALID_OPTION. */
export function signErrorSignal(identity: Identity, { cluster, error, sequence }: ErrorSignal): Uint8Array {
  const body = { cluster, error: Array.from(error), sequence };
  const problem = problemOf(body);
  if (problem !== undefined) throw new PeerAiError<NnErrorCode>('INVALID_OPTION', problem);
  return form.encode({ signed: sealSigned(identity, tag, bodyForm.encode(body)), hop: 0, weight: 1 });
}

/** Throws INVALID_FORMAT, INVALID_SIGNATURE. */
export function openErrorSignal(crypto: CryptoProvider, bytes: Uint8Array): ArrivedSignal {
  const { signed, hop, weight } = form.decode(bytes);
  if (hop >= limits.errorHopsMax || !(weight >= 0 && weight <= 1))
    throw invalid('An error signal has come too far, or weighs what none can.');
  const { body, signer } = openSigned(crypto, tag, signed);
  const { cluster, error, sequence } = bodyForm.decode(body);
  const problem = problemOf({ cluster, error, sequence });
  if (problem !== undefined) throw invalid(problem);
  const origin = peerIdFromPublicKey(signer);
  return { cluster, error: Float64Array.from(error), sequence, origin, hop, weight };
}

/** The same signal, one link further. */
export function forwardErrorSignal(
  bytes: Uint8Array,
  { hop, weight }: Pick<ArrivedSignal, 'hop' | 'weight'>,
): Uint8Array {
  return form.encode({ signed: form.decode(bytes).signed, hop, weight });
}

/** How much a signal counts that was so long on the way: 1 / (1 + latency), in units of 100 ms one way. */
export function latencyWeight(latencyMs: number): number {
  return 1 / (1 + Math.max(0, latencyMs) / limits.errorLatencyUnitMs);
}

function problemOf({ cluster, error, sequence }: ReturnType<typeof bodyForm.decode>): string | undefined {
  if (cluster === '' || cluster.length > limits.clusterNameCharsMax)
    return 'A cluster has a name of 1 to 64 characters.';
  if (error.length === 0 || error.length > limits.clusterOutputsMax) return 'An error signal has 1 to 64 errors.';
  if (!error.every((value) => Math.abs(value) <= 1)) return 'An error lies within −1 and 1.';
  return Number.isSafeInteger(sequence) && sequence >= 0 ? undefined : 'A sequence is a whole number.';
}

const invalid = (text: string): PeerAiError<NnErrorCode> => new PeerAiError('INVALID_FORMAT', text);
