import type { Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { createTestNodes } from '../testing/index.ts';

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 4,
};
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/udp/0/quic-v1'];
const signal = (): AbortSignal => AbortSignal.timeout(10_000);
const answer = (node: Awaited<ReturnType<typeof nodes.agent>>): void => {
  node.network.answer(echo, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });
};

test('a link is known by what carries it; TCP comes before QUIC, which is taken where TCP is not', async () => {
  const [a, b] = [await nodes.agent({ listen }), await nodes.agent({ listen })];
  answer(b);
  const [tcp, quic] = ['/tcp/', '/quic-v1/'].map((kind) => b.network.addresses().filter((one) => one.includes(kind)));
  const both = await a.network.open(b.network.self, echo, { signal: signal(), addresses: b.network.addresses() });
  expect(both.link).toMatchObject({ path: 'direct', transport: 'tcp', address: tcp?.[0] });

  const c = await nodes.agent({ listen: [] });
  const channel = await c.network.open(b.network.self, echo, { signal: signal(), addresses: quic ?? [] });
  expect(channel.link).toMatchObject({ path: 'direct', transport: 'quic' });
});

test('an agent without QUIC neither listens with it nor dials it', async () => {
  const off = { tcp: true, websocket: true, webrtc: false, quic: false };
  const [a, b] = [await nodes.agent({ listen, transports: off }), await nodes.agent({ listen })];
  expect(a.network.addresses().some((one) => one.includes('quic'))).toBe(false);
  answer(b);
  const addresses = b.network.addresses().filter((one) => one.includes('quic'));
  await expect(a.network.open(b.network.self, echo, { signal: signal(), addresses })).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    details: { attempts: [{ address: addresses[0], step: 'direct' }] },
  });
});

test('where TCP is refused, QUIC is not waited for', async () => {
  const b = await nodes.agent({ listen });
  const addresses = b.network.addresses();
  await b.stop();
  const a = await nodes.agent({ listen: [] });
  await expect(a.network.open(b.network.self, echo, { signal: signal(), addresses })).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    details: {
      attempts: [
        { reason: expect.stringContaining('ECONNREFUSED') },
        { reason: expect.stringContaining('refused TCP') },
      ],
    },
  });
});
