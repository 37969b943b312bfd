import type { PeerView } from '@peerai/peer/control';

/** Devices and guests by the way to them. A relay is neither: the link to it stands beside the relayed ones that go through it. */
export function countPaths(peers: readonly Pick<PeerView, 'kind' | 'state' | 'path'>[]): {
  readonly direct: number;
  readonly relayed: number;
  readonly offline: number;
} {
  const devices = peers.filter(({ kind }) => kind !== 'relay');
  const online = (path: PeerView['path']): number =>
    devices.filter((peer) => peer.state === 'online' && peer.path === path).length;
  return {
    direct: online('direct'),
    relayed: online('relayed'),
    offline: devices.filter(({ state }) => state === 'offline').length,
  };
}
