import type { Channel, Link, Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes, relayAddress, until } from '../testing/index.ts';

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 16,
};
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

interface Meeting {
  readonly relay: TransportNode;
  readonly a: TransportNode;
  readonly b: TransportNode;
  readonly addresses: readonly string[];
}

const answerEcho = (node: TransportNode): Disposable =>
  node.network.answer(echo, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });

async function roundTrip(channel: Channel, text: string): Promise<string> {
  await channel.send(new TextEncoder().encode(text));
  const next = await channel[Symbol.asyncIterator]().next();
  return new TextDecoder().decode(next.value as Uint8Array);
}

async function pairAtRelay(webrtc = true): Promise<Meeting> {
  const relay = await nodes.relay();
  const relays = [relayAddress(relay)];
  const options = { listen: [], relays, transports: { tcp: true, websocket: true, webrtc } };
  const a = await nodes.agent({ ...options, relays: [] });
  const b = await nodes.agent(options);
  answerEcho(b);
  const addresses = await until(
    () => b.network.addresses().filter((one) => one.includes('p2p-circuit')).length > 0 && b.network.addresses(),
  );
  return { relay, a, b, addresses };
}

/** The first proven direct link from one to the other. */
async function directLink(from: TransportNode, to: TransportNode): Promise<Link> {
  for await (const link of from.network.links(AbortSignal.timeout(10_000))) {
    if (link.peer === to.network.self && link.path === 'direct' && link.roundTripMs > 0) return link;
  }
  throw new Error('no direct link came up');
}

test('two agents meet at a relay, then a direct link takes over, lets the idle relayed one go and outlives the relay', async () => {
  const { relay, a, b, addresses } = await pairAtRelay();
  const signal = AbortSignal.timeout(15_000);
  const first = await a.network.open(b.network.self, echo, { signal, addresses });
  expect(first.link.path).toBe('relayed');
  expect(await roundTrip(first, 'over the relay')).toBe('over the relay');

  await directLink(a, b);
  const second = await a.network.open(b.network.self, echo, { signal });
  expect(second.link.path).toBe('direct');
  expect(await roundTrip(second, 'straight')).toBe('straight');

  await first.close();
  await until(() => a.stats().relayed === 0, 12_000);
  await relay.stop();
  expect(await roundTrip(second, 'without the relay')).toBe('without the relay');
});

test('when the direct link dies, the next open goes over the relay', async () => {
  const { a, b, addresses } = await pairAtRelay();
  const signal = AbortSignal.timeout(15_000);
  const first = await a.network.open(b.network.self, echo, { signal, addresses });
  await directLink(a, b);
  const direct = await a.network.open(b.network.self, echo, { signal });
  expect(direct.link.path).toBe('direct');
  await first.close();

  await a.network.disconnect(b.network.self);
  await expect(roundTrip(direct, 'lost')).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
  const again = await a.network.open(b.network.self, echo, { signal, addresses });
  expect(again.link.path).toBe('relayed');
  expect(await roundTrip(again, 'back')).toBe('back');
});

test('without WebRTC the link stays relayed and carries more than the 128 KiB of libp2p', async () => {
  const { a, b, addresses } = await pairAtRelay(false);
  const signal = AbortSignal.timeout(15_000);
  const channel = await a.network.open(b.network.self, echo, { signal, addresses });
  const message = new Uint8Array(65_536).fill(7);
  const reader = channel[Symbol.asyncIterator]();
  for (let round = 0; round < 32; round += 1) {
    await channel.send(message);
    expect((await reader.next()).value).toHaveLength(message.length);
  }
  expect(channel.link.path).toBe('relayed');
});
