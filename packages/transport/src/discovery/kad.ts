import type { Stream, TypedEventTarget } from '@libp2p/interface';
import { kadDHT, type KadDHTComponents, type SingleKadDHT } from '@libp2p/kad-dht';
import type { Clock, CryptoProvider, Logger, PeerId } from '@peerai/core-protocol';
import { transportError } from '../errors.ts';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';
import { createFarDirectory } from './far.ts';
import { createIntake, type Intake } from './intake.ts';
import { kadRules } from './kad-rules.ts';
import { KadStore } from './kad-store.ts';
import { createSubnetShare } from './subnets.ts';

/** Ours alone: peers of the public IPFS network have nothing to find here. */
export const kadProtocol = '/peerai/kad/1.0.0';

interface KadDeps {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The DHT as a service of libp2p. A server keeps and answers for others, a client only asks. */
function kadService(deps: KadDeps, mode: 'server' | 'client'): (components: Components) => SingleKadDHT {
  const { crypto, clock } = deps;
  const nowMs = (): number => clock.nowMs();
  return (components) => {
    const subnets = createSubnetShare((peer) =>
      components.connectionManager.getConnections(peer)[0]?.remoteAddr.toString(),
    );
    const make = kadDHT({
      protocol: kadProtocol,
      kBucketSize: limits.dhtCopies,
      alpha: limits.dhtQuestionsAtOnce,
      clientMode: mode === 'client',
      allowQueryWithZeroPeers: true,
      peerInfoMapper: (peer) => subnets.admit(peer),
      reprovide: { validity: limits.dhtOfferMs, threshold: limits.dhtOfferMs / 2, interval: limits.dhtCleanMs },
      ...kadRules(crypto, nowMs),
    });
    const dht = make({
      ...pick(components),
      datastore: new KadStore(crypto, nowMs),
      registrar: boundedRegistrar(components, createIntake(clock, limits.dhtBytesPerSourceMax)),
    }) as SingleKadDHT;
    const table = dht.routingTable as unknown as TypedEventTarget<TableEvents>;
    table.addEventListener('peer:add', ({ detail }) => subnets.added(detail));
    table.addEventListener('peer:remove', ({ detail }) => subnets.removed(detail));
    return dht;
  };
}

interface TableEvents {
  'peer:add': CustomEvent<KadDHTComponents['peerId']>;
  'peer:remove': CustomEvent<KadDHTComponents['peerId']>;
}

function pick(components: Components): Omit<KadDHTComponents, 'datastore' | 'registrar'> {
  const { peerId, privateKey, addressManager, peerStore, connectionManager, events, logger } = components;
  const { ping } = components as unknown as Pick<KadDHTComponents, 'ping'>;
  return { peerId, privateKey, addressManager, peerStore, connectionManager, events, logger, ping };
}

/** The DHT's own handler, behind a bound on what one peer may send: kad-dht counts streams only, and for each connection. */
export function boundedRegistrar({ registrar }: Components, intake: Intake): KadDHTComponents['registrar'] {
  const bound = (stream: Stream, peer: PeerId): void => {
    stream.addEventListener('message', ({ data }) => {
      if (intake.take(peer, data.byteLength)) return;
      stream.abort(transportError('LIMIT_REACHED', 'too many bytes of DHT questions from this peer'));
    });
  };
  const handle: typeof registrar.handle = (protocol, handler, options) =>
    registrar.handle(
      protocol,
      (stream, connection) => {
        bound(stream, connection.remotePeer.toString() as PeerId);
        return handler(stream, connection);
      },
      options,
    );
  return new Proxy(registrar, {
    get(target, name) {
      if (name === 'handle') return handle;
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** What a node needs to take part; loaded only where it does, since a guest's page has no use for it. */
export interface DhtPart {
  readonly service: (deps: KadDeps) => (components: Components) => SingleKadDHT;
  readonly directory: typeof createFarDirectory;
}

export function dhtPart(mode: 'server' | 'client'): DhtPart {
  return { service: (deps) => kadService(deps, mode), directory: createFarDirectory };
}
