import type { GossipSub } from '@libp2p/gossipsub';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { forwardTopics } from './forward.ts';
import { topicPrefix } from './topics.ts';

/** Gossip of a relay whose peers listen to whatever they like. */
function relay() {
  const gossip = new EventTarget();
  const [joined, listened] = [new Set<string>(), new Set<string>()];
  const pubsub = Object.assign(gossip, {
    topicValidators: new Map(),
    subscribe: (topic: string) => void joined.add(topic),
    unsubscribe: (topic: string) => void joined.delete(topic),
    getSubscribers: (topic: string) => (listened.has(topic) ? ['a peer'] : []),
  });
  forwardTopics(pubsub as unknown as GossipSub, new Set(), undefined);
  const say = (names: readonly string[], subscribe: boolean): void => {
    const topics = names.map((name) => `${topicPrefix}${name}`);
    for (const topic of topics)
      if (subscribe) listened.add(topic);
      else listened.delete(topic);
    const subscriptions = topics.map((topic) => ({ topic, subscribe }));
    gossip.dispatchEvent(new CustomEvent('subscription-change', { detail: { subscriptions } }));
  };
  return { joined, say };
}
const names = (count: number) => Array.from({ length: count }, (_, at) => `t${at}`);

test('a relay joins `relayTopicsMax` topics, and another one when somebody leaves one of them', () => {
  const { joined, say } = relay();
  say(names(limits.relayTopicsMax), true);
  expect(joined.size).toBe(limits.relayTopicsMax);
  say(['one-more'], true);
  expect([joined.size, joined.has(`${topicPrefix}one-more`)]).toEqual([limits.relayTopicsMax, false]);
  say(['t0'], false);
  expect(joined.size).toBe(limits.relayTopicsMax - 1);
  say(['one-more'], true);
  expect(joined.has(`${topicPrefix}one-more`)).toBe(true);
});

test('a relay joins a topic whose name has `topicNameCharsMax` characters, and no longer one', () => {
  const { joined, say } = relay();
  say(['x'.repeat(limits.topicNameCharsMax), 'x'.repeat(limits.topicNameCharsMax + 1)], true);
  expect([...joined]).toEqual([`${topicPrefix}${'x'.repeat(limits.topicNameCharsMax)}`]);
});
