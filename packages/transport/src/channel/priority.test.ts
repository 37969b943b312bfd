import type { Channel, Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { createTestNodes, until } from '../testing/index.ts';

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

const named = (priority: NonNullable<Protocol['priority']>): Protocol => ({
  id: `/peerai/test-${priority}/1`,
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_048_576,
  channelsPerPeerMax: 4,
  priority,
});

test('on a real link an urgent message comes before the end of a large one that left sooner, and both come whole', async () => {
  const b = await nodes.agent();
  // At this rate the large message takes two seconds: the urgent one has time for its way on any machine.
  const a = await nodes.agent({ bytesPerSecondMax: 300_000 });
  const came: (string | number)[] = [];
  for (const protocol of [named('low'), named('high')]) {
    b.network.answer(protocol, async (channel) => {
      for await (const message of channel) {
        came.push(protocol.priority ?? '', message.length);
        // What comes back waits until the message that is under way there has left.
        await channel.send(message.subarray(0, 1));
      }
    });
  }
  const open = (protocol: Protocol): Promise<Channel> =>
    a.network.open(b.network.self, protocol, {
      signal: AbortSignal.timeout(8_000),
      addresses: b.network.addresses(),
    });
  const [low, high] = [await open(named('low')), await open(named('high'))];
  const large = low.send(new Uint8Array(600_000).fill(7));
  await until(() => low.link.bytesSent > 50_000);
  await high.send(new Uint8Array(10));
  await large;
  await until(() => came.length === 4);
  expect(came).toEqual(['high', 10, 'low', 600_000]);
  expect((await low[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(7));
});

test('a channel that is reset in the midst of a message says why behind the rest of it', async () => {
  const b = await nodes.agent();
  const a = await nodes.agent({ bytesPerSecondMax: 300_000 });
  const reason = Promise.withResolvers<unknown>();
  b.network.answer(named('low'), async (channel) => {
    channel.signal.addEventListener('abort', () => reason.resolve(channel.signal.reason));
    for await (const _ of channel);
  });
  const channel = await a.network.open(b.network.self, named('low'), {
    signal: AbortSignal.timeout(8_000),
    addresses: b.network.addresses(),
  });
  const sending = channel.send(new Uint8Array(1_000_000)).catch((error: unknown) => error);
  await until(() => channel.link.bytesSent > 50_000);
  await channel.close('STOPPED');
  expect(await reason.promise).toMatchObject({ details: { code: 'STOPPED' } });
  await sending;
});
