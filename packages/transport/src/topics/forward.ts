import type { GossipSub } from '@libp2p/gossipsub';
import { limits } from '../limits.ts';
import { topicPrefix } from './topics.ts';

/**
 * A relay joins the topics its peers listen to, so that peers that know only the relay hear each other.
 * It carries the messages and looks at none; when the last listener has left, so does the relay.
 */
export function forwardTopics(pubsub: GossipSub, kept: ReadonlySet<string>): void {
  const joined = new Set<string>();
  pubsub.addEventListener('subscription-change', ({ detail }) => {
    for (const { topic, subscribe } of detail.subscriptions) {
      if (!topic.startsWith(topicPrefix) || kept.has(topic)) continue;
      if (topic.length > topicPrefix.length + limits.topicNameCharsMax) continue;
      if (subscribe && !joined.has(topic) && joined.size < limits.relayTopicsMax) {
        joined.add(topic);
        pubsub.subscribe(topic);
      }
    }
    for (const topic of joined) {
      if (pubsub.getSubscribers(topic).length > 0) continue;
      joined.delete(topic);
      pubsub.unsubscribe(topic);
    }
  });
}
