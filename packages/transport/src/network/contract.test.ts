import { nobleCrypto, type PeerId, peerIdFromPublicKey } from '@peerai/core-protocol';
import { networkContract, type NetworkPair } from '@peerai/core-protocol/testing';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes, realRandom, relayAddress, type TestNodes, until } from '../testing/index.ts';

const stranger = (): PeerId => peerIdFromPublicKey(nobleCrypto.ed25519.publicKey(realRandom.bytes(32)));

/** @param meet - two nodes, and how the first finds the second; `isGranted` is the second's. */
async function pairOf(
  meet: (nodes: TestNodes, isGranted: () => boolean) => Promise<{ a: TransportNode; b: TransportNode }>,
): Promise<NetworkPair> {
  const nodes = createTestNodes();
  let granted = false;
  const { a, b } = await meet(nodes, () => granted);
  return {
    a: a.network,
    b: b.network,
    addresses: b.network.addresses(),
    stranger: stranger(),
    grant: (value) => void (granted = value),
    stop: () => nodes.stopAll(),
  };
}

networkContract('TCP', () =>
  pairOf(async (nodes, isGranted) => ({ a: await nodes.agent(), b: await nodes.agent({}, { isGranted }) })),
);

networkContract('TCP, to a peer that does not seal', () =>
  pairOf(async (nodes, isGranted) => ({
    a: await nodes.agent(),
    b: await nodes.agent({ postQuantum: 'off' }, { isGranted }),
  })),
);

networkContract('WebSocket', () =>
  pairOf(async (nodes, isGranted) => {
    const listen = ['/ip4/127.0.0.1/tcp/0/ws'];
    return { a: await nodes.agent({ listen }), b: await nodes.agent({ listen }, { isGranted }) };
  }),
);

networkContract('QUIC', () =>
  pairOf(async (nodes, isGranted) => {
    const listen = ['/ip4/127.0.0.1/udp/0/quic-v1'];
    return { a: await nodes.agent({ listen }), b: await nodes.agent({ listen }, { isGranted }) };
  }),
);

networkContract('a relayed link', () =>
  pairOf(async (nodes, isGranted) => {
    const relay = await nodes.relay();
    const transports = { tcp: true, websocket: false, webrtc: false };
    const a = await nodes.agent({ listen: [], transports });
    const b = await nodes.agent({ listen: [], transports, relays: [relayAddress(relay)] }, { isGranted });
    await until(() => b.network.addresses().length > 0);
    return { a, b };
  }),
);

networkContract('WebRTC', () =>
  pairOf(async (nodes, isGranted) => {
    const relay = await nodes.relay();
    const a = await nodes.agent({ listen: [], path: 'direct-only' });
    const b = await nodes.agent({ listen: [], relays: [relayAddress(relay)] }, { isGranted });
    await until(() => b.network.addresses().length > 0);
    return { a, b };
  }),
);
