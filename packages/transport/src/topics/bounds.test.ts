import type { Connection } from '@libp2p/interface';
import { ManualClock, settle } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { createTopics, keepGossipStreams } from './topics.ts';

type PubSub = Parameters<typeof createTopics>[0];

/** Gossip that reaches as many as it is told, and what was handed to it. */
function gossip(recipients: (published: number) => number, listeners = 1) {
  const clock = new ManualClock();
  const published: number[] = [];
  const topicValidators = new Map<string, (peer: string, message: object) => unknown>();
  const pubsub = {
    topicValidators,
    subscribe: () => undefined,
    unsubscribe: () => undefined,
    getSubscribers: () => Array.from({ length: listeners }),
    publish: async () => {
      published.push(clock.elapsedMs());
      return { recipients: Array.from({ length: recipients(published.length) }) };
    },
  };
  const topics = createTopics(pubsub as unknown as PubSub, clock);
  const hear = (byte: number): void => {
    const message = { type: 'signed', data: Uint8Array.of(byte >> 8, byte & 255), from: 'author' };
    for (const validate of topicValidators.values()) validate('via', message);
  };
  return { clock, published, topics, hear };
}

test.each([0, 1])(
  'a subscriber that stands still has so many messages waiting; with %i more the oldest goes',
  async (more) => {
    const { topics, hear } = gossip(() => 1);
    const stopping = new AbortController();
    const heard = topics.subscribe('x', () => 'accept', stopping.signal);
    for (let count = 0; count < limits.topicQueueMax + more; count += 1) hear(count);
    const got: number[] = [];
    for await (const [high = 0, low = 0] of heard) {
      got.push((high << 8) | low);
      if (got.length === limits.topicQueueMax) stopping.abort();
    }
    expect([got.length, got[0], got.at(-1)]).toEqual([limits.topicQueueMax, more, limits.topicQueueMax - 1 + more]);
  },
);

test('a message that reaches no listener is published again so often, after so long each time; one that reaches somebody is not', async () => {
  const lost = gossip(() => 0);
  const done = lost.topics.publish('x', new Uint8Array(1));
  await lost.clock.advance(limits.publishTriesMax * limits.publishAgainMs);
  await done;
  expect(lost.published).toEqual(
    Array.from({ length: limits.publishTriesMax }, (_, place) => place * limits.publishAgainMs),
  );
  const late = gossip((published) => (published === 3 ? 1 : 0));
  const reached = late.topics.publish('x', new Uint8Array(1));
  await late.clock.advance(limits.publishTriesMax * limits.publishAgainMs);
  await reached;
  expect(late.published).toHaveLength(3);
  const nobody = gossip(() => 0, 0);
  await nobody.topics.publish('x', new Uint8Array(1));
  expect(nobody.published).toHaveLength(1);
});

test('a missing stream of gossip is asked for after a pause, and again after pauses that double up to the longest', async () => {
  const clock = new ManualClock();
  const asked: number[] = [];
  const peer = { toString: () => 'peer' };
  const pubsub = Object.assign(new EventTarget(), {
    streamsOutbound: new Map<string, unknown>(),
    protocols: ['/meshsub'],
    getPeers: () => [peer],
  });
  const components = {
    events: new EventTarget(),
    connectionManager: { getConnections: () => [{ status: 'open' } as Connection] },
    registrar: { getTopologies: () => [{ onConnect: () => void asked.push(clock.elapsedMs()) }] },
  };
  keepGossipStreams(components as unknown as Components, pubsub as unknown as PubSub, clock);
  const grainMs = limits.gossipStreamAgainMs / 2;
  const pass = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += grainMs) {
      pubsub.dispatchEvent(new Event('gossipsub:heartbeat'));
      await clock.advance(grainMs);
    }
  };
  await pass(5 * limits.gossipStreamAgainMsMax);
  const waits = asked.map((ms, place) => ms - (asked[place - 1] ?? 0));
  const doubled = Array.from({ length: 9 }, (_, place) =>
    Math.min(limits.gossipStreamAgainMs * 2 ** place, limits.gossipStreamAgainMsMax),
  );
  expect(waits.slice(0, doubled.length)).toEqual(doubled);
  expect(doubled.at(-1)).toBe(limits.gossipStreamAgainMsMax);
  // One that is there is not asked for.
  pubsub.streamsOutbound.set('peer', {});
  const before = asked.length;
  await pass(2 * limits.gossipStreamAgainMsMax);
  await settle();
  expect(asked).toHaveLength(before);
});
