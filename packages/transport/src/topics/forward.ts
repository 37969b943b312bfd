import { type GossipSub, TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { TopicGuard } from './guard.ts';
import { topicPrefix } from './topics.ts';

export type ForwardTopics = (pubsub: GossipSub, kept: ReadonlySet<string>, guard: TopicGuard | undefined) => void;

/**
 * A relay joins the topics its peers listen to, so that peers that know only the relay hear each other.
 * No peer has more than its share of them. It looks at the size of messages and at their authors' rates, at nothing else; when the last listener has left, so does the relay.
 */
export const forwardTopics: ForwardTopics = (pubsub, kept, guard) => {
  /** For whom each was joined: in whose share it counts. */
  const joined = new Map<string, string>();
  const countOf = (peer: string): number => [...joined.values()].filter((one) => one === peer).length;
  /** What nobody listens to any more is left; what its first listener has left counts for the one with the fewest. */
  const review = (): void => {
    for (const [topic, first] of joined) {
      const listeners = pubsub.getSubscribers(topic).map(String);
      if (listeners.includes(first)) continue;
      const next = listeners.toSorted((a, b) => countOf(a) - countOf(b))[0];
      if (next !== undefined) {
        joined.set(topic, next);
        continue;
      }
      joined.delete(topic);
      pubsub.topicValidators.delete(topic);
      pubsub.unsubscribe(topic);
    }
  };
  pubsub.addEventListener('subscription-change', ({ detail }) => {
    review();
    const peer = String(detail.peerId);
    for (const { topic, subscribe } of detail.subscriptions) {
      if (!topic.startsWith(topicPrefix) || kept.has(topic)) continue;
      if (topic.length > topicPrefix.length + limits.topicNameCharsMax) continue;
      if (!subscribe || joined.has(topic) || joined.size >= limits.relayTopicsMax) continue;
      if (countOf(peer) >= limits.relayTopicsPerPeerMax) continue;
      joined.set(topic, peer);
      if (guard !== undefined) hold(pubsub, topic, guard);
      pubsub.subscribe(topic);
    }
  });
};

function hold(pubsub: GossipSub, topic: string, guard: TopicGuard): void {
  guard.score(topic);
  pubsub.topicValidators.set(topic, (via, message) => {
    const isWhole = message.type === 'signed' && message.data.length <= limits.topicMessageBytesMax;
    const verdict = isWhole ? guard.judge(topic, String(message.from) as PeerId, String(via) as PeerId) : 'reject';
    guard.count(topic, verdict);
    if (verdict === 'accept') return TopicValidatorResult.Accept;
    return verdict === 'ignore' ? TopicValidatorResult.Ignore : TopicValidatorResult.Reject;
  });
}
