import type { Channel, Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createTestNodes, relayAddress, until } from '../testing/index.ts';

const llama: Protocol = {
  id: '/llama/1.0.0',
  access: 'anyone',
  framing: 'raw',
  messageBytesMax: 1_048_576,
  channelsPerPeerMax: 4,
};
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const signal = (): AbortSignal => AbortSignal.timeout(12_000);

async function all(channel: Channel): Promise<Uint8Array> {
  const pieces: number[] = [];
  for await (const piece of channel) pieces.push(...piece);
  return Uint8Array.from(pieces);
}

async function pair(
  over: 'tcp' | 'webrtc',
): Promise<{ open: () => Promise<Channel>; answer: (handler: (channel: Channel) => Promise<void>) => void }> {
  if (over === 'tcp') {
    const [a, b] = [await nodes.agent(), await nodes.agent()];
    return {
      open: () => a.network.open(b.network.self, llama, { signal: signal(), addresses: b.network.addresses() }),
      answer: (handler) => void b.network.answer(llama, handler),
    };
  }
  const relay = await nodes.relay();
  const a = await nodes.agent({ listen: [], path: 'direct-only' });
  const b = await nodes.agent({ listen: [], relays: [relayAddress(relay)] });
  await until(() => relay.stats().reservations === 1 && b.network.addresses().length > 0);
  return {
    open: () => a.network.open(b.network.self, llama, { signal: signal(), addresses: b.network.addresses() }),
    answer: (handler) => void b.network.answer(llama, handler),
  };
}

test.each(['tcp', 'webrtc'] as const)(
  'over %s: the bytes as they are, read to the half-close, then answered',
  async (over) => {
    const { open, answer } = await pair(over);
    answer(async (channel) => {
      const question = await all(channel);
      await channel.send(Uint8Array.from(question, (byte) => byte + 1));
    });
    const channel = await open();
    await channel.send(Uint8Array.of(1, 2));
    await channel.send(Uint8Array.of(3));
    await channel.close();
    expect(await all(channel)).toEqual(Uint8Array.of(2, 3, 4));
    expect(channel.link.path).toBe('direct');
  },
);

test('an answer that ends before the question was asked is heard whole', async () => {
  const { open, answer } = await pair('tcp');
  answer(async (channel) => channel.send(Uint8Array.of(1, 2, 3)));
  for (let round = 0; round < 20; round += 1) {
    const channel = await open();
    expect(await all(channel)).toEqual(Uint8Array.of(1, 2, 3));
    await channel.close();
  }
});

test('a slow reader over TCP stops the sender and loses nothing', async () => {
  const { open, answer } = await pair('tcp');
  const total = 24 * 1_048_576;
  let received = 0;
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  answer(async (channel) => {
    await gate;
    for await (const piece of channel) received += piece.length;
  });
  const channel = await open();
  let sent = 0;
  const sending = (async () => {
    for (; sent < total; sent += 65_536) await channel.send(new Uint8Array(65_536));
    await channel.close();
  })();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const whileWaiting = sent;
  go();
  await sending;
  await until(() => received === total);
  // What the reader holds, and yamux's own window on both sides.
  expect(whileWaiting).toBeLessThan(2 * limits.rawQueueBytesMax);
  expect(whileWaiting).toBeLessThan(total);
});

test('over WebRTC, which cannot wait, a reader that falls behind loses the channel instead of the memory', async () => {
  const { open, answer } = await pair('webrtc');
  let reason: unknown;
  answer(async (channel) => {
    await new Promise((resolve) => channel.signal.addEventListener('abort', resolve, { once: true }));
    reason = channel.signal.reason;
  });
  const channel = await open();
  const sending = (async () => {
    for (;;) await channel.send(new Uint8Array(65_536));
  })();
  await expect(sending).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
  await until(() => reason !== undefined);
  expect(reason).toMatchObject({ code: 'CHANNEL_CLOSED', details: { code: 'LIMIT_EXCEEDED' } });
});

test('a refused raw channel is reset: raw has no words', async () => {
  const [a, b] = [await nodes.agent(), await nodes.agent({}, { isGranted: () => false })];
  b.network.answer({ ...llama, access: 'granted' }, async () => undefined);
  const channel = await a.network.open(b.network.self, llama, { signal: signal(), addresses: b.network.addresses() });
  await channel.send(Uint8Array.of(1));
  await expect(all(channel)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});
