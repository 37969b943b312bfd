import type { Connection } from '@libp2p/interface';
import {
  type Channel,
  createIdentity,
  type Network,
  type OpenOptions,
  PeerAiError,
  type PeerId,
  type Protocol,
  type Random,
} from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import type { MemoryNetworks } from '@peerai/core-protocol/testing';
import { createSealing, type PostQuantum } from '../hybrid/sealing.ts';
import type { LinkSealing } from '../network/sealing.ts';

/** What may happen to a message on the wire: it arrives as this, in this order. */
export type Tap = (message: Uint8Array, at: { readonly from: PeerId; readonly protocol: string }) => Uint8Array[];

export interface SealedMemory {
  readonly network: Network;
  readonly sealing: LinkSealing;
  /** Whether the link to a peer is sealed, once known. */
  hybrid(peer: PeerId): boolean | undefined;
  /** Peers whose link the sealing ended. */
  readonly ended: readonly PeerId[];
  connectionTo(peer: PeerId): Connection;
  /** The link to this peer ends: its keys too. */
  drop(peer: PeerId): void;
}

/** A peer of the network in memory, where no link protects anything: what leaves is what the sealing makes of it. */
export function joinSealed(
  networks: MemoryNetworks,
  world: { readonly seed: Uint8Array; readonly random: Random },
  options: {
    readonly policy?: PostQuantum;
    readonly isHybrid?: (peer: PeerId) => boolean;
    readonly isGranted?: (peer: PeerId) => boolean;
    readonly tap?: Tap;
  } = {},
): SealedMemory {
  const { policy = 'preferred', isHybrid, isGranted, tap = (message) => [message] } = options;
  const crypto = nodeCrypto;
  const self = createIdentity(crypto, world.seed).peer;
  const inner = networks.join(self, isGranted === undefined ? {} : { isGranted });
  const connections = new Map<PeerId, Connection>();
  const known = new Map<PeerId, boolean>();
  const ended: PeerId[] = [];
  const drop = (peer: PeerId): void => {
    const connection = connections.get(peer);
    if (connection !== undefined) sealing.dropped(connection);
    connections.delete(peer);
  };
  const connectionTo = (peer: PeerId): Connection => {
    const abort = (): void => {
      ended.push(peer);
      drop(peer);
      void inner.disconnect(peer);
    };
    const fake = { remotePeer: peer, status: 'open', streams: [], abort };
    const connection = connections.get(peer) ?? (fake as unknown as Connection);
    connections.set(peer, connection);
    return connection;
  };
  const open = async (peer: PeerId, protocol: Protocol, openOptions: OpenOptions): Promise<Channel> => {
    const { first, ...rest } = openOptions;
    const channel = tapped(await inner.open(peer, protocol, rest), { from: self, protocol: protocol.id }, tap);
    if (first !== undefined) await channel.send(await first);
    return channel;
  };
  const sealing = createSealing(
    {
      seed: world.seed,
      random: world.random,
      clock: networks.clock,
      crypto,
      ...(isHybrid === undefined ? {} : { isHybrid }),
    },
    policy,
  )({
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    open: async (connection, protocol, signal, first) => {
      try {
        return await open(connection.remotePeer.toString() as PeerId, protocol, {
          signal,
          first: Promise.resolve(first),
        });
      } catch (error) {
        // As the real network says that a protocol is not answered.
        if (!PeerAiError.is(error, 'REFUSED')) throw error;
        throw new PeerAiError('REFUSED', error.message, { reason: 'unsupported' });
      }
    },
    hybrid: (connection, is) => void known.set(connection.remotePeer.toString() as PeerId, is),
  });
  const answer = (
    protocol: Protocol,
    handler: (channel: Channel, connection: Connection) => Promise<void>,
  ): Disposable =>
    inner.answer(protocol, (channel) =>
      handler(tapped(channel, { from: self, protocol: protocol.id }, tap), connectionTo(channel.link.peer)),
    );
  answer(sealing.exchange.protocol, sealing.exchange.handler);
  return {
    sealing,
    hybrid: (peer) => known.get(peer),
    ended,
    connectionTo,
    drop,
    network: {
      self,
      addresses: () => inner.addresses(),
      links: (signal) => inner.links(signal),
      async disconnect(peer) {
        drop(peer);
        await inner.disconnect(peer);
      },
      async open(peer, protocol, openOptions) {
        const { first } = openOptions;
        first?.catch(() => undefined);
        const seal = await sealing.opening(connectionTo(peer), protocol, openOptions.signal);
        const plain = await open(peer, seal?.protocol ?? protocol, { signal: openOptions.signal });
        const channel = seal?.over(plain) ?? plain;
        try {
          if (first !== undefined) await channel.send(await first);
          return channel;
        } catch (error) {
          await channel.close('ABORTED');
          throw error;
        }
      },
      answer(protocol, handler) {
        const plain = answer(protocol, (channel, connection) => {
          if (!sealing.refuses(connection, protocol)) return handler(channel);
          return Promise.reject(new PeerAiError('POST_QUANTUM_REQUIRED', 'a channel that is not sealed'));
        });
        const sealed = answer(sealing.sealedProtocol(protocol), async (channel, connection) => {
          const one = sealing.answering(connection, protocol, channel);
          await handler(one);
          await one.close();
        });
        return {
          [Symbol.dispose]() {
            plain[Symbol.dispose]();
            sealed[Symbol.dispose]();
          },
        };
      },
    },
  };
}

function tapped(inner: Channel, at: { readonly from: PeerId; readonly protocol: string }, tap: Tap): Channel {
  return {
    get link() {
      return inner.link;
    },
    signal: inner.signal,
    async send(message) {
      for (const one of tap(message, at)) await inner.send(one);
    },
    close: (code) => inner.close(code),
    [Symbol.asyncIterator]: () => inner[Symbol.asyncIterator](),
  };
}
