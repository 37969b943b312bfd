import type { GossipSub } from '@libp2p/gossipsub';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { forwardTopics } from './forward.ts';
import { topicPrefix } from './topics.ts';

/** Gossip of a relay whose peers listen to whatever they like. */
function relay() {
  const gossip = new EventTarget();
  const joined = new Set<string>();
  const listened = new Map<string, Set<string>>();
  const pubsub = Object.assign(gossip, {
    topicValidators: new Map(),
    subscribe: (topic: string) => void joined.add(topic),
    unsubscribe: (topic: string) => void joined.delete(topic),
    getSubscribers: (topic: string) => [...(listened.get(topic) ?? [])],
  });
  forwardTopics(pubsub as unknown as GossipSub, new Set(), undefined);
  const say = (peerId: string, names: readonly string[], subscribe: boolean): void => {
    const subscriptions = names.map((name) => ({ topic: `${topicPrefix}${name}`, subscribe }));
    for (const { topic } of subscriptions) {
      const peers = listened.get(topic) ?? new Set();
      listened.set(topic, peers);
      if (subscribe) peers.add(peerId);
      else peers.delete(peerId);
    }
    gossip.dispatchEvent(new CustomEvent('subscription-change', { detail: { peerId, subscriptions } }));
  };
  return {
    joined,
    hears: (peer: string, ...names: readonly string[]) => say(peer, names, true),
    leaves: (peer: string, ...names: readonly string[]) => say(peer, names, false),
    /** As a link that breaks: nobody says so. */
    goes: (peer: string) => listened.forEach((peers) => peers.delete(peer)),
    has: (name: string) => joined.has(`${topicPrefix}${name}`),
  };
}
const names = (of: string, count: number) => Array.from({ length: count }, (_, at) => `${of}-${at}`);
const share = limits.relayTopicsPerPeerMax;

test('a relay joins `relayTopicsMax` topics, and another one when somebody leaves one of them', () => {
  const { joined, hears, leaves, has } = relay();
  for (let peer = 0; peer < limits.relayTopicsMax / share; peer += 1) hears(`p${peer}`, ...names(`t${peer}`, share));
  expect(joined.size).toBe(limits.relayTopicsMax);
  hears('late', 'one-more');
  expect([joined.size, has('one-more')]).toEqual([limits.relayTopicsMax, false]);
  leaves('p0', 't0-0');
  expect(joined.size).toBe(limits.relayTopicsMax - 1);
  hears('late', 'one-more');
  expect(has('one-more')).toBe(true);
});

test('a relay joins `relayTopicsPerPeerMax` topics for one peer, all of them for others too, and one more when it leaves one', () => {
  const { joined, hears, leaves, has } = relay();
  hears('greedy', ...names('t', share + 1));
  expect([joined.size, has(`t-${share}`)]).toEqual([share, false]);
  hears('other', 'own', ...names('t', share + 1));
  expect([joined.size, has('own'), has(`t-${share}`)]).toEqual([share + 2, true, true]);
  hears('greedy', 'again');
  expect(has('again')).toBe(false);
  // It counts for the other from here on, who listens to it still.
  leaves('greedy', 't-0');
  hears('greedy', 'again');
  expect([joined.size, has('t-0'), has('again')]).toEqual([share + 3, true, true]);
});

test('what a peer took counts for nobody once it is gone, and is left when no other listens to it', () => {
  const { joined, hears, goes, has } = relay();
  hears('greedy', ...names('t', share));
  hears('other', 't-0');
  goes('greedy');
  hears('greedy', 'new');
  expect([joined.size, has('t-0'), has('t-1'), has('new')]).toEqual([2, true, false, true]);
});

test('a relay joins a topic whose name has `topicNameCharsMax` characters, and no longer one', () => {
  const { joined, hears } = relay();
  hears('a', 'x'.repeat(limits.topicNameCharsMax), 'x'.repeat(limits.topicNameCharsMax + 1));
  expect([...joined]).toEqual([`${topicPrefix}${'x'.repeat(limits.topicNameCharsMax)}`]);
});
