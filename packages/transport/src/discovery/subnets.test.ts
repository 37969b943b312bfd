import type { PeerInfo } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createSubnetShare, subnetOf } from './subnets.ts';

const peer = (name: string, address: string): PeerInfo => ({
  id: { toString: () => name } as PeerInfo['id'],
  multiaddrs: [multiaddr(address)],
});

test.each([
  ['/ip4/203.1.113.9/tcp/1', '203.1.113'],
  ['/ip6/2a00:1450:4001:81b::200e/tcp/1', '2a00:1450:4001'],
  ['/ip6/2a00::1/udp/1/quic-v1', '2a00:0:0'],
  ['/ip4/127.0.0.1/tcp/1', undefined],
  ['/ip4/192.168.1.7/tcp/1', undefined],
  ['/dns4/example.org/tcp/1', undefined],
  ['/ip4/203.1.113.9/tcp/1/p2p-circuit', undefined],
])('%s is in the network %s', (address, subnet) => {
  expect(subnetOf(address)).toBe(subnet);
});

test('a public network has its share in the routing table and not one more; what leaves makes room', () => {
  const places = new Map<string, string>();
  const share = createSubnetShare((id) => places.get(id.toString()));
  const join = (name: string, address: string): boolean => {
    const one = peer(name, address);
    places.set(name, address);
    const isIn = share.admit(one).multiaddrs.length > 0;
    if (isIn) share.added(one.id);
    return isIn;
  };
  const tries = Array.from({ length: limits.dhtPeersPerSubnetMax + 1 }, (_, index) =>
    join(`a${index}`, `/ip4/203.1.113.${index + 1}/tcp/1`),
  );
  expect(tries).toEqual([...Array<boolean>(limits.dhtPeersPerSubnetMax).fill(true), false]);
  expect(join('b', '/ip4/203.1.114.1/tcp/1')).toBe(true);
  share.removed(peer('a0', '/ip4/203.1.113.1/tcp/1').id);
  expect(join('c', '/ip4/203.1.113.77/tcp/1')).toBe(true);
  expect(join('d', '/ip4/203.1.113.78/tcp/1')).toBe(false);
});

test('peers on this machine and in the house may be many', () => {
  const share = createSubnetShare(() => '/ip4/192.168.0.4/tcp/1');
  for (let index = 0; index < 50; index += 1) {
    const one = peer(`p${index}`, '/ip4/192.168.0.4/tcp/1');
    expect(share.admit(one).multiaddrs).toHaveLength(1);
    share.added(one.id);
  }
});

test('where a peer is connected from counts, not what it tells', () => {
  const share = createSubnetShare(() => '/ip4/203.1.113.5/tcp/1');
  for (let index = 0; index < limits.dhtPeersPerSubnetMax; index += 1)
    share.added(peer(`p${index}`, '/ip4/9.9.9.9/tcp/1').id);
  expect(share.admit(peer('liar', '/ip4/9.9.9.9/tcp/1')).multiaddrs).toEqual([]);
});
