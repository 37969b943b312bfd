import { expect, test } from 'vitest';
import { scopeOf } from './scope.ts';

test.each([
  ['/ip4/127.0.0.1/tcp/1', 'machine'],
  ['/ip6/::1/tcp/1', 'machine'],
  ['/dns4/localhost/tcp/1', 'machine'],
  ['/ip4/10.1.2.3/tcp/1', 'lan'],
  ['/ip4/172.15.0.1/tcp/1', 'public'],
  ['/ip4/172.16.0.1/tcp/1', 'lan'],
  ['/ip4/172.31.0.1/tcp/1', 'lan'],
  ['/ip4/172.32.0.1/tcp/1', 'public'],
  ['/ip4/192.168.0.1/udp/1/quic-v1', 'lan'],
  ['/ip4/169.254.0.1/tcp/1', 'lan'],
  ['/ip4/100.63.0.1/tcp/1', 'public'],
  ['/ip4/100.64.0.1/tcp/1', 'lan'],
  ['/ip4/100.127.0.1/tcp/1', 'lan'],
  ['/ip4/100.128.0.1/tcp/1', 'public'],
  ['/ip6/fe80::1/tcp/1', 'lan'],
  ['/ip6/fd00::1/tcp/1', 'lan'],
  ['/ip6/2001:db8::1/tcp/1', 'public'],
  ['/dns4/nas.local/tcp/1', 'lan'],
  ['/dns4/peer.example/tcp/443/wss', 'public'],
  ['/ip4/192.0.2.9/tcp/1/p2p/R/p2p-circuit/p2p/P', 'relayed'],
  ['/ip4/10.1.2.3/tcp/1/p2p/R/p2p-circuit/p2p/P', 'lan'],
  ['/ip4/127.0.0.1/tcp/1/p2p/R/p2p-circuit', 'machine'],
  ['/peerai-file/x', 'lan'],
])('%s is dialled from: %s', (address, scope) => expect(scopeOf(address)).toBe(scope));
