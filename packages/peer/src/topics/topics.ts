import { type Clock, PeerAiError, type PeerId, type Topics, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { readInterest } from './interest.ts';
import type { PublishedView, TopicMessageView } from './topics.schema.ts';

export interface PeerTopicsDeps {
  readonly clock: Clock;
  readonly devices: Devices;
  readonly isRefused: (peer: PeerId) => boolean;
  /** Absent where this peer's world has no gossip. */
  readonly topics: Topics | undefined;
}
/** Words to everybody who listens now: gossip between devices, signed by their author, kept by nobody. */
export interface PeerTopics {
  /** Throws INVALID_FORMAT (name), LIMIT_EXCEEDED, LIMIT_REACHED (too many a second), UNSUPPORTED. */
  publish(topic: string, payload: unknown): Promise<PublishedView>;
  /**
   * What paired devices publish from now on, until the signal; with `where` only messages it holds for (see `readInterest`).
   * Throws INVALID_FORMAT (name, filter), LIMIT_REACHED, UNSUPPORTED.
   */
  subscribe(topic: string, signal: AbortSignal, where?: string): AsyncIterable<TopicMessageView>;
}

interface Letter {
  readonly payload: unknown;
  readonly sentMs: number;
}
const letter = wire.jsonCodec((value): Letter => {
  const { payload, sentMs } = value as Record<string, unknown>;
  if (typeof sentMs !== 'number' || !Number.isFinite(sentMs)) throw new TypeError('no time');
  return { payload: payload ?? null, sentMs };
});

export function createPeerTopics({ clock, devices, isRefused, topics }: PeerTopicsDeps): PeerTopics {
  let open = 0;
  const gossip = (): Topics => {
    if (topics !== undefined) return topics;
    throw new PeerAiError('UNSUPPORTED', 'this peer has no gossip');
  };
  return {
    async publish(topic, payload) {
      const sentMs = clock.nowMs();
      const bytes = letter.encode({ payload: payload ?? null, sentMs });
      if (bytes.length > limits.topicBytesMax)
        throw new PeerAiError('LIMIT_EXCEEDED', `a message of ${bytes.length} bytes; at most ${limits.topicBytesMax}`);
      await gossip().publish(fullName(topic), bytes);
      return { v: 1, topic, sentMs };
    },
    subscribe(topic, signal, where) {
      const name = fullName(topic);
      const wants = where === undefined ? undefined : readInterest(where);
      if (open >= limits.topicsOpenMax)
        throw new PeerAiError('LIMIT_REACHED', `${open} subscriptions are open already; end one first`);
      /** Who wrote it: the port tells the judge alone, about the very bytes that come out below. */
      const read = new WeakMap<Uint8Array, Letter & { readonly from: PeerId }>();
      const judge = (bytes: Uint8Array, from: PeerId): 'accept' | 'pass' | 'ignore' => {
        const device = devices.get(from);
        if (device === undefined || device.blocked || isRefused(from)) return 'ignore';
        if (bytes.length > limits.topicBytesMax) return 'ignore';
        const said = decode(bytes);
        if (said === undefined) return 'ignore';
        // Others may want it, so it goes on to them.
        if (wants?.(said.payload) === false) return 'pass';
        read.set(bytes, { ...said, from });
        return 'accept';
      };
      const heard = gossip().subscribe(name, judge, signal);
      if (!signal.aborted) {
        open += 1;
        signal.addEventListener('abort', () => (open -= 1), { once: true });
      }
      return views(heard, (bytes) => {
        const said = read.get(bytes);
        const device = said === undefined ? undefined : devices.get(said.from);
        if (said === undefined || device === undefined) return undefined;
        return { topic, from: device.peer, fromName: device.name, payload: said.payload, sentMs: said.sentMs };
      });
    },
  };
}

/** Nothing for bytes that say nothing. */
function decode(bytes: Uint8Array): Letter | undefined {
  try {
    return letter.decode(bytes);
  } catch (error) {
    if (PeerAiError.is(error, 'INVALID_FORMAT')) return undefined;
    throw error;
  }
}

async function* views(
  heard: AsyncIterable<Uint8Array>,
  view: (bytes: Uint8Array) => TopicMessageView | undefined,
): AsyncGenerator<TopicMessageView> {
  for await (const bytes of heard) {
    const message = view(bytes);
    if (message !== undefined) yield message;
  }
}

/** Beside the topics that the house uses itself. Throws INVALID_FORMAT. */
function fullName(topic: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(topic)) return `user/${topic}`;
  throw new PeerAiError('INVALID_FORMAT', 'a topic is 1 to 64 letters, digits, ., _ and -');
}
