import type { CryptoProvider, PeerId } from '@peerai/core-protocol';

import { limits } from '../limits.ts';
import { type ArrivedSignal, forwardErrorSignal, latencyWeight, openErrorSignal } from './error-signal.ts';

/** What came of a signal. */
export interface Received {
  readonly cluster: string;
  readonly origin: PeerId;
  readonly sequence: number;
  /** The origin's error times the weight of the whole way: what `learn` takes. */
  readonly error: Float64Array;
  readonly weight: number;
  /** Links it came over. */
  readonly hops: number;
  /** For the neighbours, except the one it came from; absent when it came as far as it may. */
  readonly forward: Uint8Array | undefined;
}

export interface ErrorRelay {
  /**
   * Reads a signal, weighs it by the latency of the link it came over, and says how to pass it on. Throws INVALID_FORMAT, INVALID_SIGNATURE.
   *
   * @param latencyMs - one way, as measured here.
   * @returns undefined for a signal that is this peer's own, or not newer than the last of its origin and cluster: it is not passed on.
   */
  receive(bytes: Uint8Array, latencyMs: number): Received | undefined;
}

/** Hears each error signal once, however many ways it comes, and passes it on over a bounded number of links. */
export function createErrorRelay(
  { crypto }: { readonly crypto: CryptoProvider },
  { self, hopsMax = limits.errorHopsMax }: { readonly self: PeerId; readonly hopsMax?: number },
): ErrorRelay {
  const lastHeard = new Map<string, number>();
  const isNew = ({ origin, cluster, sequence }: ArrivedSignal): boolean => {
    const name = `${origin} ${cluster}`;
    if (origin === self || (lastHeard.get(name) ?? -1) >= sequence) return false;
    lastHeard.delete(name);
    lastHeard.set(name, sequence);
    const oldest = lastHeard.size > limits.errorOriginsMax ? lastHeard.keys().next().value : undefined;
    if (oldest !== undefined) lastHeard.delete(oldest);
    return true;
  };
  return {
    receive(bytes, latencyMs) {
      const signal = openErrorSignal(crypto, bytes);
      if (!isNew(signal)) return undefined;
      const { cluster, origin, sequence } = signal;
      const weight = signal.weight * latencyWeight(latencyMs);
      const hops = signal.hop + 1;
      const forward =
        hops < Math.min(hopsMax, limits.errorHopsMax) ? forwardErrorSignal(bytes, { hop: hops, weight }) : undefined;
      const error = signal.error.map((value) => value * weight);
      return { cluster, origin, sequence, error, weight, hops, forward };
    },
  };
}
