import { topicsContract } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { topicLimits } from './limits.ts';
import { createTestNodes, relayAddress, type TestNodes, until } from '../testing/index.ts';
import type { RunningTopics } from './topics.ts';

const hears = (node: TransportNode, topic: string): Promise<boolean> =>
  until(() => (node.topics as RunningTopics).subscribers(topic).length > 0);

/** Two agents that know only the same relay. */
async function atRelay(nodes: TestNodes): Promise<{ relay: TransportNode; a: TransportNode; b: TransportNode }> {
  const relay = await nodes.relay();
  const options = { listen: [], relays: [relayAddress(relay)] };
  const [a, b] = [await nodes.agent(options), await nodes.agent(options)];
  await until(() => relay.stats().reservations === 2);
  return { relay, a, b };
}

/** Gossip reaches from one to the other: every stream on the way is up. */
async function passes(from: TransportNode, to: TransportNode): Promise<void> {
  const controller = new AbortController();
  const heard = new Set<string>();
  to.topics.subscribe(
    'probe',
    () => {
      heard.add('probe');
      return 'accept';
    },
    controller.signal,
  );
  for (let round = 0; round < 80 && heard.size === 0; round += 1) {
    await from.topics.publish('probe', Uint8Array.of(round));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  controller.abort();
}

topicsContract('gossip between two agents', async () => {
  const nodes = createTestNodes();
  const b = await nodes.agent();
  const a = await nodes.agent({ bootstrap: [b.network.addresses()[0] ?? ''] });
  return {
    a: a.topics,
    b: b.topics,
    aPeer: a.network.self,
    ready: async (topic) => void (await hears(a, topic)),
    stop: () => nodes.stopAll(),
  };
});

topicsContract('gossip through a relay', async () => {
  const nodes = createTestNodes();
  const { relay, a, b } = await atRelay(nodes);
  return {
    a: a.topics,
    b: b.topics,
    aPeer: a.network.self,
    viaPeer: relay.network.self,
    ready: async (topic) => {
      await hears(a, topic);
      await passes(a, b);
    },
    stop: () => nodes.stopAll(),
  };
});

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const stop = new AbortController();

test('a message of the limit is published, one byte more is LIMIT_EXCEEDED', async () => {
  const { topics } = await nodes.agent();
  await topics.publish('big', new Uint8Array(limits.topicMessageBytesMax));
  await expect(topics.publish('big', new Uint8Array(limits.topicMessageBytesMax + 1))).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  });
});

test('a topic name of the limit is taken, one character more or none at all is not', async () => {
  const { topics } = await nodes.agent();
  const listen = (name: string): unknown => topics.subscribe(name, () => 'accept', stop.signal);
  listen('x'.repeat(limits.topicNameCharsMax));
  expect(() => listen('x'.repeat(limits.topicNameCharsMax + 1))).toThrow();
  expect(() => listen('')).toThrow();
});

test('a subscriber that does not read keeps the newest messages, within bounded bytes', async () => {
  const b = await nodes.agent();
  const a = await nodes.agent({ bootstrap: [b.network.addresses()[0] ?? ''] });
  const controller = new AbortController();
  let judged = 0;
  const messages = b.topics.subscribe(
    'much',
    () => {
      judged += 1;
      return 'accept';
    },
    controller.signal,
  );
  await hears(a, 'much');
  const large = limits.topicMessageBytesMax;
  const keptMax = topicLimits.topicWaitingBytesMax / large;
  const count = keptMax + 10;
  for (let index = 0; index < count; index += 1) {
    const message = new Uint8Array(large);
    message.set([index >> 8, index & 255]);
    await a.topics.publish('much', message);
  }
  await until(() => judged === count, 60_000);
  const kept: number[] = [];
  for await (const [high = 0, low = 0] of messages) {
    kept.push(high * 256 + low);
    if (kept.at(-1) === count - 1) break;
  }
  expect(kept).toHaveLength(keptMax);
  expect(kept[0]).toBe(10);
}, 90_000);

test('a subscriber that stands still while a thousand messages come misses none', async () => {
  const b = await nodes.agent();
  const a = await nodes.agent({ bootstrap: [b.network.addresses()[0] ?? ''] });
  let judged = 0;
  const take = (): 'accept' => {
    judged += 1;
    return 'accept';
  };
  const messages = b.topics.subscribe('burst', take, stop.signal);
  await hears(a, 'burst');
  const count = 1_000;
  for (let index = 0; index < count; index += 1)
    await a.topics.publish('burst', Uint8Array.of(index >> 8, index & 255));
  await until(() => judged === count, 60_000);
  const kept: number[] = [];
  for await (const [high = 0, low = 0] of messages) {
    kept.push(high * 256 + low);
    if (kept.length === count) break;
  }
  expect(kept.toSorted((one, other) => one - other)).toEqual(Array.from({ length: count }, (_, index) => index));
}, 90_000);

test('a judge that throws keeps the message back and ends nothing', async () => {
  const b = await nodes.agent();
  const a = await nodes.agent({ bootstrap: [b.network.addresses()[0] ?? ''] });
  const messages = b.topics.subscribe(
    'strict',
    ([first]) => {
      if (first === 1) throw new Error('a defect');
      return 'accept';
    },
    stop.signal,
  );
  await hears(a, 'strict');
  await a.topics.publish('strict', Uint8Array.of(1));
  await a.topics.publish('strict', Uint8Array.of(2));
  expect((await messages[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(2));
});
