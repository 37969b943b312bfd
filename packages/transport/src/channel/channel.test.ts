import type { Channel, PeerId, Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createTcpProxy, createTestNodes, until } from '../testing/index.ts';

const protocol: Protocol = {
  id: '/peerai/test/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 100_000,
  channelsPerPeerMax: 3,
};
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const soon = (): AbortSignal => AbortSignal.timeout(8_000);

async function pair(isGranted: (peer: PeerId) => boolean = () => true) {
  const [a, b] = [await nodes.agent(), await nodes.agent({}, { isGranted })];
  const open = (wanted: Protocol = protocol): Promise<Channel> =>
    a.network.open(b.network.self, wanted, { signal: soon(), addresses: b.network.addresses() });
  return { a, b, open };
}

const echo = async (channel: Channel): Promise<void> => {
  for await (const message of channel) await channel.send(message);
};
const nextOf = async (channel: Channel): Promise<Uint8Array> =>
  (await channel[Symbol.asyncIterator]().next()).value as Uint8Array;
const idle = (channel: Channel): Promise<void> =>
  new Promise((resolve) => channel.signal.addEventListener('abort', () => resolve(), { once: true }));

test('messages keep their bounds: two hundred sends of odd sizes arrive as two hundred messages', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, echo);
  const channel = await open();
  const sizes = Array.from({ length: 200 }, (_, index) => (index * 977) % 5_000);
  const sending = (async () => {
    for (const size of sizes) await channel.send(new Uint8Array(size).fill(size));
    await channel.close();
  })();
  const heard: number[] = [];
  for await (const message of channel) heard.push(message.length);
  await sending;
  expect(heard).toEqual(sizes);
});

test('a stranger is refused with the code, and let in once granted', async () => {
  const granted = new Set<PeerId>();
  const { a, b, open } = await pair((peer) => granted.has(peer));
  const guarded: Protocol = { ...protocol, access: 'granted' };
  b.network.answer(guarded, echo);
  await expect(open(guarded)).rejects.toMatchObject({ code: 'REFUSED' });
  granted.add(a.network.self);
  const channel = await open(guarded);
  await channel.send(Uint8Array.of(5));
  expect(await nextOf(channel)).toEqual(Uint8Array.of(5));
});

test('a protocol nobody answers is REFUSED, at once', async () => {
  const { open } = await pair();
  await expect(open()).rejects.toMatchObject({ code: 'REFUSED', details: { reason: 'unsupported' } });
});

test('one channel more than channelsPerPeerMax is LIMIT_REACHED; one that ends makes room', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, echo);
  const channels = [await open(), await open(), await open()];
  await expect(open()).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  await channels[0]?.close();
  await until(() => b.stats().channels === 2);
  await (await open()).close();
});

test('a message of the limit passes, one byte more is LIMIT_EXCEEDED and harms nothing', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, echo);
  const channel = await open();
  await expect(channel.send(new Uint8Array(protocol.messageBytesMax + 1))).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  });
  await channel.send(new Uint8Array(protocol.messageBytesMax));
  expect(await nextOf(channel)).toHaveLength(protocol.messageBytesMax);
});

test('a sender that believes in a larger limit is reset with LIMIT_EXCEEDED', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, echo);
  const channel = await open({ ...protocol, messageBytesMax: protocol.messageBytesMax + 1 });
  await channel.send(new Uint8Array(protocol.messageBytesMax + 1));
  await idle(channel);
  expect(channel.signal.reason).toMatchObject({ code: 'CHANNEL_CLOSED', details: { code: 'LIMIT_EXCEEDED' } });
});

test('a code given to close() reaches the other side, and ends both', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, async (channel) => channel.close('BUSY'));
  const channel = await open();
  await expect(nextOf(channel)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED', details: { code: 'BUSY' } });
  await expect(channel.send(Uint8Array.of(1))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

test('a handler that throws resets with its code; what it sent before arrives', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, async (channel) => {
    await channel.send(Uint8Array.of(1));
    throw new TypeError('a defect');
  });
  const channel = await open();
  expect(await nextOf(channel)).toEqual(Uint8Array.of(1));
  await expect(nextOf(channel)).rejects.toMatchObject({ details: { code: 'INTERNAL' } });
});

test('a client that closes frees the handler within a second, also while it sends to a full window', async () => {
  const { b, open } = await pair();
  let freedMs = 0;
  b.network.answer(protocol, async (channel) => {
    try {
      for (;;) await channel.send(new Uint8Array(60_000));
    } finally {
      freedMs = performance.now();
    }
  });
  const channel = await open();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const closedMs = performance.now();
  await channel.close('ABORTED');
  await until(() => freedMs > 0);
  expect(freedMs - closedMs).toBeLessThan(1_000);
});

test('a peer that goes silent frees the handler within five seconds and a little', async () => {
  const { a, b } = await pair();
  const proxy = await createTcpProxy(b.network.addresses()[0] ?? '');
  let reason: unknown;
  b.network.answer(protocol, async (channel) => {
    await idle(channel);
    reason = channel.signal.reason;
  });
  const channel = await a.network.open(b.network.self, protocol, { signal: soon(), addresses: [proxy.address] });
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(channel.signal.aborted).toBe(false);
  proxy.silence();
  const silentMs = performance.now();
  await until(() => reason !== undefined, 9_000);
  expect(performance.now() - silentMs).toBeLessThan(6_000);
  expect(reason).toMatchObject({ code: 'CHANNEL_CLOSED' });
  proxy.close();
});

test('an idle channel lives on: the heartbeat keeps it, and costs no message', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, echo);
  const channel = await open();
  await new Promise((resolve) => setTimeout(resolve, limits.heartbeatTickMs * (limits.heartbeatDeadTicks + 3)));
  await channel.send(Uint8Array.of(3));
  expect(await nextOf(channel)).toEqual(Uint8Array.of(3));
});

test('disposing an answer ends its channels and refuses new ones', async () => {
  const { b, open } = await pair();
  const answer = b.network.answer(protocol, echo);
  const channel = await open();
  answer[Symbol.dispose]();
  await idle(channel);
  await expect(open()).rejects.toMatchObject({ code: 'REFUSED' });
});

test('answering one protocol twice is a mistake that is told', async () => {
  const { b } = await pair();
  b.network.answer(protocol, echo);
  expect(() => b.network.answer(protocol, echo)).toThrow(
    expect.objectContaining({ code: 'ALREADY_ANSWERED' }) as Error,
  );
});

test('bytes of a link count both ways', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, echo);
  const channel = await open();
  await channel.send(new Uint8Array(10_000));
  await nextOf(channel);
  expect(channel.link.bytesSent).toBeGreaterThan(10_000);
  expect(channel.link.bytesReceived).toBeGreaterThan(10_000);
  expect(b.stats().bytesReceived).toBeGreaterThan(10_000);
});

test('two hundred opens and closes leave nothing behind', async () => {
  const { b, open } = await pair();
  b.network.answer(protocol, echo);
  for (let round = 0; round < 200; round += 1) {
    const channel = await open();
    await channel.send(Uint8Array.of(round));
    await channel.close();
    for await (const message of channel) expect(message).toEqual(Uint8Array.of(round));
  }
  await until(() => b.stats().channels === 0);
});
