import type { Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { createTcpProxy, createTestNodes, realRandom, relayAddress, until } from '../testing/index.ts';

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 16,
};
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

const noWebrtc = { tcp: true, websocket: true, webrtc: false };
const circuits = (node: TransportNode): string[] =>
  node.network.addresses().filter((address) => address.includes('/p2p-circuit'));

test('an agent holds a place on every relay it was told of, however many it asks at once', async () => {
  const relays = await Promise.all([nodes.relay(), nodes.relay(), nodes.relay()]);
  await nodes.agent({ listen: [], relays: relays.map((relay) => relayAddress(relay)) });
  await until(() => relays.every((relay) => relay.stats().reservations === 1));
});

test('a place on a relay is told beside an announced address', async () => {
  const relay = await nodes.relay();
  const announce = ['/ip4/192.0.2.1/tcp/4001'];
  const agent = await nodes.agent({ announce, relays: [relayAddress(relay)] });
  await until(() => circuits(agent).length > 0);
  const { self } = agent.network;
  expect(agent.network.addresses()).toContain(`/ip4/192.0.2.1/tcp/4001/p2p/${self}`);
  expect(circuits(agent)).toContain(`${relayAddress(relay)}/p2p-circuit/p2p/${self}`);
});

test('a relay that has no place is no way in, though the link to it is up', async () => {
  const relay = await nodes.relay({ limits: { reservationsMax: 0 } });
  const agent = await nodes.agent({ relays: [relayAddress(relay)] });
  await until(() => relay.stats().connections > 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(circuits(agent)).toEqual([]);
});

test('who dials a peer that has no place on its relay is told that it may come soon', async () => {
  const relay = await nodes.relay();
  const stranger = await nodes.agent({ listen: [] });
  const asker = await nodes.agent({ listen: [] });
  const open = (addresses: readonly string[]) =>
    asker.network.open(stranger.network.self, echo, { signal: AbortSignal.timeout(8_000), addresses });
  await expect(open([`${relayAddress(relay)}/p2p-circuit`])).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    details: { mayComeSoon: true },
  });
  await expect(open(['/ip4/127.0.0.1/tcp/9'])).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    details: { mayComeSoon: false },
  });
});

test('a peer whose old line to the relay fell silent is reached over its new one at once', async () => {
  const relay = await nodes.relay();
  const address = relayAddress(relay);
  const wire = await createTcpProxy(address);
  const seed = realRandom.bytes(32);
  const asker = await nodes.agent({ listen: [], transports: noWebrtc });
  const options = { listen: [], transports: noWebrtc };
  const old = await nodes.agent({ ...options, relays: [`${wire.address}/p2p/${relay.network.self}`] }, { seed });
  await until(() => circuits(old).length > 0);
  wire.silence();

  const restarted = await nodes.agent({ ...options, relays: [address] }, { seed });
  restarted.network.answer(echo, (channel) => channel.close());
  await until(() => circuits(restarted).length > 0);
  const { self } = restarted.network;
  // A relay that asks over the old line hears nothing for at least the five seconds of a ping.
  const signal = AbortSignal.timeout(4_000);
  const channel = await asker.network.open(self, echo, { signal, addresses: circuits(restarted) });
  expect(channel.link.path).toBe('relayed');
  wire.close();
});

test('a node that relayed nothing at first is asked again once it does', async () => {
  const seed = realRandom.bytes(32);
  const plain = await nodes.agent({}, { seed });
  const address = plain.network.addresses().find((one) => !one.includes('/webrtc')) ?? '';
  const agent = await nodes.agent({ listen: [], relays: [address] });
  await until(() => agent.stats().connections > 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await plain.stop();
  const relay = await nodes.relay({ listen: [address.replace(/\/p2p\/.*$/, '')] }, { seed });
  await until(() => relay.stats().reservations === 1, 15_000);
}, 30_000);
