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
import { metricNames, type StateMetrics } from './metrics.ts';

/** One peer's metrics at one moment. */
export interface PeerState {
  readonly metrics: StateMetrics;
  /** Rises with each state of a peer. */
  readonly sequence: number;
  /** When it was so by the peer's clock, milliseconds since 1970. */
  readonly timeMs: number;
}
export interface SignedState extends PeerState {
  readonly peer: PeerId;
}

const tag = 'peerai/metrics/1 state';
const form = wire.message({
  sequence: wire.uint53(1),
  timeMs: wire.uint53(2),
  phi: wire.optional(wire.double(3)),
  coherence: wire.optional(wire.double(4)),
  entropy: wire.optional(wire.double(5)),
  valence: wire.optional(wire.double(6)),
  arousal: wire.optional(wire.double(7)),
  empathy: wire.optional(wire.double(8)),
  insight: wire.optional(wire.double(9)),
});

/** Throws INVALID_OPTION. */
export function signState(identity: Identity, { metrics, sequence, timeMs }: PeerState): Uint8Array {
  const problem = problemOf(metrics) ?? [sequence, timeMs].find((value) => !Number.isSafeInteger(value) || value < 0);
  if (problem !== undefined) throw new PeerAiError<NnErrorCode>('INVALID_OPTION', `No state has ${problem}.`);
  return sealSigned(identity, tag, form.encode({ ...metrics, sequence, timeMs }));
}

/** A state and whose it is; whether it is new and not stale is the table's to say. Throws INVALID_FORMAT, INVALID_SIGNATURE. */
export function openState(crypto: CryptoProvider, bytes: Uint8Array): SignedState {
  if (bytes.length > limits.stateBytesMax)
    throw new PeerAiError<NnErrorCode>('INVALID_FORMAT', 'A signed state is shorter.', { bytes: bytes.length });
  const { body, signer } = openSigned(crypto, tag, bytes);
  const { sequence, timeMs, ...read } = form.decode(body);
  const { phi, coherence, entropy, valence, arousal, empathy, insight } = read;
  const metrics = { phi, coherence, entropy, valence, arousal, empathy, insight };
  const problem = problemOf(metrics);
  if (problem !== undefined) throw new PeerAiError<NnErrorCode>('INVALID_FORMAT', `No state has ${problem}.`);
  return { metrics, sequence, timeMs, peer: peerIdFromPublicKey(signer) };
}

/** The first metric outside its range. */
function problemOf(metrics: StateMetrics): string | undefined {
  const wrong = metricNames.find((name) => {
    const value = metrics[name];
    return value !== undefined && !(value >= (name === 'valence' ? -1 : 0) && value <= 1);
  });
  return wrong === undefined ? undefined : `a ${wrong} of ${metrics[wrong]}`;
}
