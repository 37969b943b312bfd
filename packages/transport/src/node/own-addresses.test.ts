import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, expect, test } from 'vitest';
import { assembleNode } from '../libp2p/assemble.ts';
import type { Components } from '../libp2p/components.ts';
import type { TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { testDeps } from '../testing/index.ts';
import { tellOwnAddresses } from './own-addresses.ts';

const nodes: TransportNode[] = [];
afterEach(() => Promise.all(nodes.splice(0).map((node) => node.stop())));

/** A node whose transports say that they listen at a public address. */
async function listening(tell: (components: Components) => void): Promise<readonly string[]> {
  const node = await assembleNode(testDeps(), {
    listen: ['/ip4/127.0.0.1/tcp/0'],
    transports: [tcp()],
    services: {
      public: (components: Components): object => {
        components.transportManager.getAddrs = () => [multiaddr('/ip4/8.8.8.8/tcp/4001')];
        tell(components);
        return {};
      },
    },
    relays: [],
    bootstrap: [],
    maxConnections: limits.connectionsMax,
    connectionTimeoutMs: limits.connectionTimeoutMs,
    directOnly: false,
    webrtc: false,
  });
  nodes.push(node);
  await node.start();
  return node.network.addresses();
}

test('a public address that is listened on is told to others', async () => {
  expect(await listening(() => undefined)).toEqual([]);
  expect(await listening(tellOwnAddresses)).toEqual([expect.stringMatching(/^\/ip4\/8\.8\.8\.8\/tcp\/4001\/p2p\//)]);
});
