import { type GossipSub, gossipsub, type Message, TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId as NodeId } from '@libp2p/interface';
import type { Clock, PeerId, Topics } from '@peerai/core-protocol';
import { transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import type { TopicGuard } from './guard.ts';

export const topicPrefix = 'peerai/1/';

/** Gossip as a service of libp2p. */
export function gossipService() {
  return gossipsub({
    emitSelf: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    // Several peers behind one address (an office, a NAT, this machine) are not an attack.
    scoreParams: { IPColocationFactorWeight: 0, retainScore: limits.scoreKeptMs },
    fastMsgIdFn: ({ signature }) => markOf(signature),
  });
}

/**
 * A message comes from every neighbour in the mesh, and without a mark gossipsub checks the signature of each copy before it sees that it has the message:
 * that was 45 % of the work among twelve. Marks are kept of what was checked only, and nobody can make another message with a signature that was.
 */
function markOf(signature: Uint8Array | undefined): string {
  return signature === undefined ? '' : String.fromCharCode(...signature.subarray(0, signatureBytes));
}
const signatureBytes = 64;

/** What gossipsub has and its public type does not name. */
interface Streams {
  readonly streamsOutbound: ReadonlyMap<string, unknown>;
}

/**
 * gossipsub speaks to a peer over one stream, opened when the peer comes. When that stream ends and another connection is left, or when it could not be
 * opened, the peer stays in the mesh and hears nothing of us until it comes anew. So a stream that is missing is asked for again, with growing pauses.
 */
export function keepGossipStreams(
  { events, registrar, connectionManager }: Components,
  pubsub: GossipSub,
  clock: Pick<Clock, 'elapsedMs'>,
): void {
  const { streamsOutbound } = pubsub as unknown as Streams;
  const asked = new Map<string, { readonly atMs: number; readonly pauseMs: number }>();

  function ask(peer: NodeId): void {
    const id = peer.toString();
    const open = connectionManager.getConnections(peer).find(({ status }) => status === 'open');
    if (open === undefined || streamsOutbound.has(id)) return;
    for (const protocol of pubsub.protocols)
      for (const topology of registrar.getTopologies(protocol)) void topology.onConnect?.(peer, open);
  }

  events.addEventListener('connection:close', ({ detail: { remotePeer } }) => {
    if (pubsub.getPeers().some((peer) => peer.equals(remotePeer))) queueMicrotask(() => ask(remotePeer));
  });
  events.addEventListener('peer:disconnect', ({ detail }) => void asked.delete(detail.toString()));
  pubsub.addEventListener('gossipsub:heartbeat', () => {
    for (const peer of pubsub.getPeers()) {
      const id = peer.toString();
      if (streamsOutbound.has(id)) {
        asked.delete(id);
        continue;
      }
      const last = asked.get(id);
      const nowMs = clock.elapsedMs();
      if (last !== undefined && nowMs - last.atMs < last.pauseMs) continue;
      const pauseMs =
        last === undefined ? limits.gossipStreamAgainMs : Math.min(2 * last.pauseMs, limits.gossipStreamAgainMsMax);
      asked.set(id, { atMs: nowMs, pauseMs });
      // The first look is a moment after the peer came: its stream may be on the way.
      if (last !== undefined) ask(peer);
    }
  });
}

/** `from` wrote and signed it, `via` is the neighbour that handed it to us. */
type Judge = (message: Uint8Array, from: PeerId, via: PeerId) => 'accept' | 'pass' | 'ignore' | 'reject';
interface Subscriber {
  readonly judge: Judge;
  readonly take: (message: Uint8Array) => void;
}

export interface RunningTopics extends Topics {
  /** Scores and counts; absent where nothing is held back. */
  readonly guard?: TopicGuard | undefined;
  subscribe(topic: string, judge: Judge, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Peers that gossip says listen to a topic. */
  subscribers(topic: string): readonly string[];
}

const results = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const;

/** `x` and `peerai/1/x` are one topic. Throws INVALID_FORMAT for an empty or too long name. */
function fullName(topic: string): string {
  const name = topic.startsWith(topicPrefix) ? topic.slice(topicPrefix.length) : topic;
  if (name.length === 0 || name.length > limits.topicNameCharsMax) {
    throw transportError('INVALID_FORMAT', `a topic has 1 to ${limits.topicNameCharsMax} characters`);
  }
  return topicPrefix + name;
}

/** Gossip topics over gossipsub; every message is signed by its author's peer key, which gossipsub checks. */
export function createTopics(pubsub: GossipSub, clock: Clock, guard?: TopicGuard): RunningTopics {
  const subscribers = new Map<string, Set<Subscriber>>();

  /** The strictest judge of this node decides; a message is judged once and then handed to those who accepted it. */
  function validate(name: string, via: PeerId, message: Message): TopicValidatorResult {
    const verdict = judgeAll(name, via, message);
    guard?.count(name, verdict);
    return results[verdict];
  }

  function judgeAll(name: string, via: PeerId, message: Message): keyof typeof results {
    if (message.type !== 'signed' || message.data.length > limits.topicMessageBytesMax) return 'reject';
    const from = message.from.toString() as PeerId;
    const rate = guard?.judge(name, from, via) ?? 'accept';
    if (rate !== 'accept') return rate;
    const accepting: Subscriber[] = [];
    let worst: keyof typeof results = 'accept';
    const data = new Uint8Array(message.data);
    for (const subscriber of subscribers.get(name) ?? []) {
      const verdict = judged(subscriber, data, from, via);
      if (verdict === 'accept') accepting.push(subscriber);
      else if (verdict !== 'pass' && worst !== 'reject') worst = verdict;
    }
    if (worst !== 'reject') for (const subscriber of accepting) subscriber.take(data);
    return worst;
  }

  function add(name: string, subscriber: Subscriber): void {
    const present = subscribers.get(name);
    if (present !== undefined) {
      present.add(subscriber);
      return;
    }
    subscribers.set(name, new Set([subscriber]));
    guard?.score(name);
    pubsub.topicValidators.set(name, (peer, message) => validate(name, peer.toString() as PeerId, message));
    pubsub.subscribe(name);
  }

  function remove(name: string, subscriber: Subscriber): void {
    const present = subscribers.get(name);
    present?.delete(subscriber);
    if (present === undefined || present.size > 0) return;
    subscribers.delete(name);
    pubsub.topicValidators.delete(name);
    quietly(() => pubsub.unsubscribe(name));
  }

  return {
    guard,
    subscribers: (topic) => quietly(() => pubsub.getSubscribers(fullName(topic)).map(String)) ?? [],
    async publish(topic, message) {
      const name = fullName(topic);
      guard?.publish(name);
      if (message.length > limits.topicMessageBytesMax) {
        throw transportError('LIMIT_EXCEEDED', `${message.length} bytes in one gossip message`, {
          bytesMax: limits.topicMessageBytesMax,
        });
      }
      // A peer that has just come is known to listen before our stream to it is up; then nobody would have got it.
      for (let attempt = 0; attempt < limits.publishTriesMax; attempt += 1) {
        const { recipients } = await pubsub.publish(name, new Uint8Array(message));
        if (recipients.length > 0 || pubsub.getSubscribers(name).length === 0) return;
        await clock.sleep(limits.publishAgainMs);
      }
    },
    subscribe(topic, judge, signal) {
      const name = fullName(topic);
      return listen(
        (take) => {
          const subscriber = { judge, take };
          add(name, subscriber);
          return () => remove(name, subscriber);
        },
        signal,
        guard?.isFull,
      );
    },
  };
}

/** gossipsub throws when it is not running; then nobody listens. */
function quietly<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

function judged({ judge }: Subscriber, ...message: Parameters<Judge>): ReturnType<Judge> {
  try {
    return judge(...message);
  } catch {
    return 'ignore';
  }
}

/** Subscribes at the call, not at the first read, so that nothing is missed in between. */
function listen(
  subscribe: (take: (message: Uint8Array) => void) => () => void,
  signal: AbortSignal,
  isFull: TopicGuard['isFull'] = ({ length }) => length >= limits.topicQueueMax,
): AsyncIterable<Uint8Array> {
  const queue: Uint8Array[] = [];
  let wake = Promise.withResolvers<void>();
  const unsubscribe = signal.aborted
    ? (): void => undefined
    : subscribe((message) => {
        if (isFull(queue)) queue.shift();
        queue.push(message);
        wake.resolve();
      });
  const stop = (): void => {
    unsubscribe();
    wake.resolve();
  };
  signal.addEventListener('abort', stop, { once: true });
  return {
    async *[Symbol.asyncIterator]() {
      try {
        while (!signal.aborted) {
          for (let next = queue.shift(); next !== undefined; next = queue.shift()) yield next;
          if (signal.aborted) return;
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      } finally {
        signal.removeEventListener('abort', stop);
        unsubscribe();
      }
    },
  };
}
