import type { Clock, PeerId } from '@peerai/core-protocol';
import { httpLimits } from './limits.ts';

/** What /stats says of one peer. */
export interface PeerCounts {
  sent: number;
  received: number;
  delivered: number;
  failed: number;
  /** Wall time of the last word from it, or of the last delivery to it. */
  seenMs?: number;
  lastError?: string;
  /** What it said was wrong with a message of ours, until one is delivered. */
  toldError?: string;
}
/** Messages over HTTP since the start, by peer; bounded, the one heard of longest ago goes first. */
export interface Counts {
  readonly verified: number;
  readonly rejected: number;
  get(peer: PeerId): Readonly<PeerCounts> | undefined;
  list(): readonly (readonly [PeerId, Readonly<PeerCounts>])[];
  received(peer: PeerId): void;
  rejectedOne(): void;
  /** One attempt to send, and how it ended: `code` when it failed. */
  sent(peer: PeerId, code?: string): void;
  /** An error message from it: its code. */
  told(peer: PeerId, code: string): void;
  isHealthy(peer: PeerId): boolean;
}

export interface CountsOptions {
  readonly peersMax?: number;
  /** Who says nothing for three heartbeats counts as not healthy. */
  readonly heartbeatMs?: number;
}

export function createCounts(clock: Pick<Clock, 'nowMs'>, options: CountsOptions = {}): Counts {
  const { peersMax = httpLimits.countedPeersMax, heartbeatMs = httpLimits.heartbeatMs } = options;
  const silentMsMax = httpLimits.heartbeatMissesMax * heartbeatMs;
  const peers = new Map<PeerId, PeerCounts>();
  let verified = 0;
  let rejected = 0;
  const of = (peer: PeerId): PeerCounts => {
    const counts = peers.get(peer) ?? { sent: 0, received: 0, delivered: 0, failed: 0 };
    peers.delete(peer);
    peers.set(peer, counts);
    const oldest = peers.size > peersMax ? peers.keys().next().value : undefined;
    if (oldest !== undefined) peers.delete(oldest);
    return counts;
  };
  return {
    get verified() {
      return verified;
    },
    get rejected() {
      return rejected;
    },
    get: (peer) => peers.get(peer),
    list: () => [...peers],
    received(peer) {
      verified += 1;
      const counts = of(peer);
      counts.received += 1;
      counts.seenMs = clock.nowMs();
    },
    rejectedOne() {
      rejected += 1;
    },
    sent(peer, code) {
      const counts = of(peer);
      counts.sent += 1;
      if (code === undefined) {
        counts.delivered += 1;
        counts.seenMs = clock.nowMs();
        delete counts.lastError;
        delete counts.toldError;
      } else {
        counts.failed += 1;
        counts.lastError = code;
      }
    },
    told(peer, code) {
      of(peer).toldError = code;
    },
    isHealthy(peer) {
      const { seenMs, lastError } = peers.get(peer) ?? {};
      return lastError === undefined && seenMs !== undefined && clock.nowMs() - seenMs <= silentMsMax;
    },
  };
}
