import type { Clock, PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** How fast bytes may go to each peer, over all its links and channels together. */
export interface Bandwidth {
  readonly bytesPerSecond: number;
  /** Takes the room for these bytes and resolves when it is their turn. Rejects with the signal's reason. */
  pace(peer: PeerId, bytes: number, signal: AbortSignal): Promise<void>;
  /** Peers remembered. */
  readonly peers: number;
}

/**
 * A token bucket as one moment for each peer: until then everything promised will have left at the rate, so nothing has to be refilled. A peer that was
 * still for long may begin with `bandwidthBurstMs` worth of bytes at once.
 */
export function createBandwidth(clock: Clock, bytesPerSecond: number): Bandwidth {
  const freeAtMs = new Map<PeerId, number>();

  /** A moment that has passed says nothing. */
  function forgetIdle(): void {
    const nowMs = clock.elapsedMs();
    for (const [peer, atMs] of freeAtMs) if (atMs <= nowMs - limits.bandwidthBurstMs) freeAtMs.delete(peer);
  }

  return {
    bytesPerSecond,
    get peers() {
      return freeAtMs.size;
    },
    async pace(peer, bytes, signal) {
      const nowMs = clock.elapsedMs();
      if (!freeAtMs.has(peer)) forgetIdle();
      const startMs = Math.max(freeAtMs.get(peer) ?? 0, nowMs - limits.bandwidthBurstMs);
      freeAtMs.set(peer, startMs + (bytes * 1_000) / bytesPerSecond);
      if (startMs > nowMs) await clock.sleep(startMs - nowMs, signal);
    },
  };
}
