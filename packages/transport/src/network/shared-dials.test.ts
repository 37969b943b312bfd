import { limits as coreLimits, type Protocol } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, expect, test } from 'vitest';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { createTestNodes } from '../testing/index.ts';
import { shareDials } from './dialer.ts';

const hello: Protocol = {
  id: '/peerai/test-hello/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: coreLimits.messageBytesMax,
  channelsPerPeerMax: 4,
};
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

test('a peer that libp2p dials at the same moment has one link in the end', async () => {
  const b = await nodes.agent({ listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] });
  b.network.answer(hello, async (channel) => channel.close());
  const addresses = b.network.addresses();
  const of = (kind: boolean): string[] => addresses.filter((one) => one.includes('/ws') === kind);
  const opened = await Promise.all(
    Array.from({ length: 4 }, async () => {
      // Its bootstrap node is dialled as it starts, at another address than ours.
      const a = await nodes.agent({ bootstrap: of(true) });
      const options = { signal: AbortSignal.timeout(8_000), addresses: of(false) };
      return { a, channel: await a.network.open(b.network.self, hello, options) };
    }),
  );
  expect(opened.map(({ a }) => a.stats().connections)).toEqual([1, 1, 1, 1]);
  expect(b.stats().connections).toBe(4);
  await Promise.all(opened.map(({ channel }) => channel.close()));
});

test('a dial of libp2p waits for ours to the same peer, however that ends, but not for ever', async () => {
  const b = '12D3KooWGRUe1UgWB5pSTbjHHrdsRtjqWCzDvYFX3fZpdpUWAvnp';
  const ours = new Map<string, Promise<unknown>>();
  const asked: string[] = [];
  const openConnection = async (target: unknown): Promise<void> => void asked.push(String(target));
  const connectionManager = { openConnection, getDialQueue: () => [] };
  const clock = new ManualClock(0);
  shareDials({ connectionManager } as unknown as Components, clock, ours);
  const address = multiaddr(`/ip4/127.0.0.1/tcp/1/p2p/${b}`);
  const dial = (): Promise<unknown> =>
    (connectionManager as unknown as Components['connectionManager']).openConnection(address);
  const failing = Promise.withResolvers<void>();
  ours.set(b, failing.promise);
  const first = dial();
  expect(asked).toEqual([]);
  failing.reject(new Error('nobody there'));
  await first;
  expect(asked).toHaveLength(1);
  ours.set(b, new Promise(() => undefined));
  const second = dial();
  await clock.advance(limits.joinDialMs - 1);
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  await second;
  expect(asked).toHaveLength(2);
});
