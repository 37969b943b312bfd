import {
  type Channel,
  type Clock,
  createTokenBucket,
  type CryptoProvider,
  type Identity,
  type Network,
  orAborted,
  PeerAiError,
  type PeerId,
  type Protocol,
  type TokenBucket,
} from '@peerai/core-protocol';

import { throwIfAborted } from '../abort.ts';
import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { createErrorRelay, type Received } from './error-relay.ts';
import { signErrorSignal } from './error-signal.ts';

/** `/peerai/cluster/1`: error signals, one a message, from the peer that opened the channel; nothing is answered. */
export const errorProtocol: Protocol = {
  id: '/peerai/cluster/1',
  access: 'granted',
  framing: 'messages',
  messageBytesMax: limits.errorSignalBytesMax,
  channelsPerPeerMax: 2,
  priority: 'low',
};

export interface ErrorExchangeDeps {
  readonly network: Network;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly clock: Clock;
}
export interface ErrorExchangeOptions {
  /** Hears each signal of others once: `cluster.learn(received.error)` where there is a cluster of that name and as many outputs. */
  readonly onSignal: (received: Received) => void;
  /** Ends everything. */
  readonly signal: AbortSignal;
}
export interface ErrorExchange {
  /** Whom signals go to from now on, own ones and those passed on. Throws LIMIT_REACHED. */
  setNeighbours(peers: readonly PeerId[]): void;
  /**
   * Tells the neighbours of an error, signed, and does not wait: a neighbour that is slow or away misses signals. Throws INVALID_OPTION.
   */
  send(cluster: string, error: ArrayLike<number>): void;
}

/** Sends, hears and passes on error signals over a Network until the signal fires. Throws ABORTED. */
export function createErrorExchange(
  deps: ErrorExchangeDeps,
  { onSignal, signal }: ErrorExchangeOptions,
): ErrorExchange {
  throwIfAborted(signal);
  const { network, crypto, identity, clock } = deps;
  const relay = createErrorRelay({ crypto }, { self: identity.peer });
  const buckets = new Map<PeerId, TokenBucket>();
  let neighbours = new Map<PeerId, Neighbour>();
  let lastSequence = 0;
  const hear = (bytes: Uint8Array, { link }: Channel): void => {
    const received = relay.receive(bytes, link.roundTripMs / 2);
    if (received === undefined) return;
    onSignal(received);
    const { forward, origin } = received;
    if (forward === undefined) return;
    for (const [peer, neighbour] of neighbours) if (peer !== link.peer && peer !== origin) neighbour.tell(forward);
  };
  const bucketOf = (peer: PeerId): TokenBucket => {
    const { errorSignalsBurst: burst, errorSignalsPerMinute: perMinute } = limits;
    const bucket = buckets.get(peer) ?? createTokenBucket(clock, { burst, perMinute });
    buckets.delete(peer);
    buckets.set(peer, bucket);
    const oldest = buckets.size > limits.errorOriginsMax ? buckets.keys().next().value : undefined;
    if (oldest !== undefined) buckets.delete(oldest);
    return bucket;
  };
  const answering = network.answer(errorProtocol, async (channel) => {
    try {
      for await (const bytes of channel) if (bucketOf(channel.link.peer).take() === 0) hear(bytes, channel);
      await channel.close();
    } catch (error) {
      await channel.close(PeerAiError.is(error) ? error.code : 'INTERNAL');
    }
  });
  const stop = (): void => {
    answering[Symbol.dispose]();
    for (const neighbour of neighbours.values()) neighbour.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  return {
    setNeighbours(peers) {
      if (peers.length > limits.errorNeighboursMax)
        throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `At most ${limits.errorNeighboursMax} neighbours.`);
      if (signal.aborted) return;
      const others = peers.filter((peer) => peer !== identity.peer);
      const next = new Map(others.map((peer) => [peer, neighbours.get(peer) ?? neighbourOf(deps, peer)]));
      for (const [peer, neighbour] of neighbours) if (!next.has(peer)) neighbour.stop();
      neighbours = next;
    },
    send(cluster, error) {
      lastSequence = Math.max(lastSequence + 1, clock.nowMs());
      const bytes = signErrorSignal(identity, { cluster, error, sequence: lastSequence });
      for (const neighbour of neighbours.values()) neighbour.tell(bytes);
    },
  };
}

interface Neighbour {
  tell(bytes: Uint8Array): void;
  stop(): void;
}

/** One channel to one peer, opened when there is something to say. */
function neighbourOf({ network, clock }: ErrorExchangeDeps, peer: PeerId): Neighbour {
  const stopped = new AbortController();
  let waiting: Uint8Array[] = [];
  let channel: Channel | undefined;
  let busy = false;
  let restsUntilMs = -Infinity;
  const sendAll = async (): Promise<void> => {
    for (let bytes = waiting.shift(); bytes !== undefined; bytes = waiting.shift()) {
      if (channel === undefined || channel.signal.aborted) {
        const signal = clock.deadline(limits.errorOpenMs, stopped.signal);
        channel = await network.open(peer, errorProtocol, { signal });
      }
      await orAborted(channel.send(bytes), stopped.signal);
    }
  };
  const work = async (): Promise<void> => {
    busy = true;
    try {
      await sendAll();
    } catch {
      // Away, unwilling or full: what waited is late by now, and the next try comes with a later signal.
      waiting = [];
      restsUntilMs = clock.elapsedMs() + limits.errorRetryMs;
      await channel?.close('ABORTED');
      channel = undefined;
    } finally {
      busy = false;
    }
  };
  return {
    tell(bytes) {
      if (stopped.signal.aborted || clock.elapsedMs() < restsUntilMs) return;
      waiting.push(bytes);
      if (waiting.length > limits.errorQueueMax) waiting.shift();
      if (!busy) void work();
    },
    stop() {
      stopped.abort();
      waiting = [];
      void channel?.close('ABORTED');
    },
  };
}
