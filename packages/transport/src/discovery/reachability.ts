import type { Clock, PeerId } from '@peerai/core-protocol';
import { isPrivate } from '@libp2p/utils';
import { multiaddr } from '@multiformats/multiaddr';
import { limits } from '../limits.ts';

/** Who was there when it was last tried. */
export interface Reachability {
  note(peer: PeerId, isThere: boolean): void;
  /** It could not be reached, and that was not long ago. */
  isAway(peer: PeerId): boolean;
  readonly size: number;
}

/** Remembers those that were not there alone. */
export function createReachability(clock: Clock, peersMax: number = limits.awayPeersMax): Reachability {
  const away = new Map<PeerId, number>();
  return {
    get size() {
      return away.size;
    },
    note(peer, isThere) {
      away.delete(peer);
      if (!isThere) away.set(peer, clock.elapsedMs());
      const [oldest] = away.size > peersMax ? away.keys() : [];
      if (oldest !== undefined) away.delete(oldest);
    },
    isAway(peer) {
      const sinceMs = away.get(peer);
      return sinceMs !== undefined && clock.elapsedMs() - sinceMs < limits.awayMs;
    },
  };
}

/**
 * A record may name any address: one that a peer of the outer world told us must not make this node knock at the doors of its own house.
 *
 * @param via - the address of the link to who told it; undefined when it has gone.
 */
export function safeToDial(addresses: readonly string[], via: string | undefined): boolean {
  if (addresses.length === 0) return false;
  return (via !== undefined && isInHouse(via)) || !addresses.some(isInHouse);
}

/** This machine or a private network; of a circuit the relay's place counts. */
function isInHouse(address: string): boolean {
  const [, kind, host] = /^\/(ip4|ip6)\/([^/]+)/u.exec(address) ?? [];
  if (kind === undefined) return false;
  try {
    return isPrivate(multiaddr(`/${kind}/${host}`));
  } catch {
    return true;
  }
}
