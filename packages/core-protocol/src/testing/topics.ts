import type { PeerId, Topics } from '../ports/index.ts';
import type { MemoryNetworks } from './network.ts';

/** Messages one slow subscriber may have waiting; then its oldest is dropped. */
const queueMax = 1024;

interface Subscriber {
  readonly peer: PeerId;
  readonly topic: string;
  readonly isAlive: () => boolean;
  offer(message: Uint8Array, from: PeerId): void;
}

/** Gossip without the gossip: one hop to everybody whom the publisher reaches. Peers share topics when they share `networks`. */
export function memoryTopics(networks: MemoryNetworks, self: PeerId): Topics {
  const subscribers = subscribersOf(networks);
  const life = networks.life(self);
  // Who was killed neither speaks nor hears again, also when the peer is back.
  const isAlive = (): boolean => networks.life(self) === life;
  return {
    async publish(topic, message) {
      for (const subscriber of isAlive() ? subscribers : []) {
        const { peer } = subscriber;
        if (subscriber.topic === topic && peer !== self && subscriber.isAlive() && networks.reaches(self, peer))
          subscriber.offer(message.slice(), self);
      }
    },
    subscribe(topic, judge, signal) {
      const waiting: Uint8Array[] = [];
      let wake = (): void => {};
      const subscriber: Subscriber = {
        peer: self,
        topic,
        isAlive,
        offer(message, from) {
          // One hop: who wrote it brings it.
          if (judge(message, from, from) !== 'accept') return;
          waiting.push(message);
          if (waiting.length > queueMax) waiting.shift();
          wake();
        },
      };
      subscribers.add(subscriber);
      signal.addEventListener(
        'abort',
        () => {
          subscribers.delete(subscriber);
          wake();
        },
        { once: true },
      );
      return (async function* () {
        while (!signal.aborted) {
          const message = waiting.shift();
          if (message === undefined) await new Promise<void>((resolve) => void (wake = resolve));
          else yield message;
        }
      })();
    },
  };
}

const worlds = new WeakMap<MemoryNetworks, Set<Subscriber>>();

function subscribersOf(networks: MemoryNetworks): Set<Subscriber> {
  const known = worlds.get(networks) ?? new Set();
  worlds.set(networks, known);
  return known;
}
