import type { PeerId as Libp2pPeerId, PeerInfo } from '@libp2p/interface';
import { isPrivate } from '@libp2p/utils';
import { multiaddr } from '@multiformats/multiaddr';
import { limits } from '../limits.ts';

/** Of which network the peers of a routing table are, so that no single one can fill it. */
export interface SubnetShare {
  /** The peer with its addresses, or without any when its network has its share already: kad-dht leaves such a peer out. */
  admit(peer: PeerInfo): PeerInfo;
  added(peer: Libp2pPeerId): void;
  removed(peer: Libp2pPeerId): void;
}

/** @param addressOf - where a peer of the table is connected from; undefined where it is not. */
export function createSubnetShare(
  addressOf: (peer: Libp2pPeerId) => string | undefined,
  perSubnetMax: number = limits.dhtPeersPerSubnetMax,
): SubnetShare {
  const subnetOfPeer = new Map<string, string>();
  const count = (subnet: string): number => [...subnetOfPeer.values()].filter((one) => one === subnet).length;

  return {
    admit(peer) {
      if (subnetOfPeer.has(peer.id.toString())) return peer;
      // The address it is connected from cannot be made up; told ones can.
      const connected = addressOf(peer.id);
      const addresses = connected === undefined ? peer.multiaddrs.map(String) : [connected];
      const isFull = addresses.map(subnetOf).some((subnet) => subnet !== undefined && count(subnet) >= perSubnetMax);
      return isFull ? { ...peer, multiaddrs: [] } : peer;
    },
    added(peer) {
      const subnet = subnetOf(addressOf(peer) ?? '');
      if (subnet !== undefined) subnetOfPeer.set(peer.toString(), subnet);
    },
    removed: (peer) => void subnetOfPeer.delete(peer.toString()),
  };
}

/** The /24 of a public IPv4 address, the /48 of an IPv6 one; undefined for private ones, names and relays. */
export function subnetOf(address: string): string | undefined {
  const [, kind, host = ''] = /^\/(ip4|ip6)\/([^/]+)/u.exec(address) ?? [];
  if (kind === undefined || address.includes('/p2p-circuit') || isPrivate(multiaddr(`/${kind}/${host}`)))
    return undefined;
  if (kind === 'ip4') return host.split('.').slice(0, 3).join('.');
  const [front = '', back = ''] = host.split('::');
  const before = front === '' ? [] : front.split(':');
  const after = back === '' ? [] : back.split(':');
  const gap = Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(gap).fill('0'), ...after];
  return groups
    .slice(0, 3)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
