import type { Server } from 'node:http';
import { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import { tcp } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import { meetingPart } from '../discovery/meeting.ts';
import { createSealing } from '../hybrid/sealing.ts';
import { assembleNode } from '../libp2p/assemble.ts';
import type { TransportDeps, TransportNode } from '../libp2p/options.ts';
import { createSpareLinks } from '../network/upgrader.ts';
import type { Components } from '../libp2p/components.ts';
import { newestFirst } from '../libp2p/newest-first.ts';
import { limits } from '../limits.ts';
import { answerDoors } from '../nat/dial-back.ts';
import { alongside } from './alongside.ts';
import { tellOwnAddresses } from './own-addresses.ts';
import { createRelayWatch } from './relay-watch.ts';
import { shareHttpServer } from './shared-http.ts';
import { forwardTopics } from '../topics/forward.ts';
import { createTopicGuard } from '../topics/guard.ts';

/** What one relay gives away; every default is a named limit of this package. */
export interface RelayLimits {
  readonly reservationsMax: number;
  readonly reservationMs: number;
  /** Both ways together. */
  readonly circuitBytesMax: number;
  readonly circuitMs: number;
  readonly circuitsPerPeerMax: number;
  readonly connectionsMax: number;
}

export interface RelayOptions {
  /** Multiaddrs to listen on besides the shared HTTP server. */
  readonly listen: readonly string[];
  readonly announce?: readonly string[];
  readonly limits?: Partial<RelayLimits>;
  /** Keeps records for the DHT of its agents. */
  readonly dht?: boolean;
  /** A server of yours whose WebSocket upgrades become libp2p connections. You start and stop it. */
  readonly httpServer?: Server;
  /** Upgrade paths that are yours, such as `/signal`; all others are libp2p's. */
  readonly isOwnPath?: (path: string) => boolean;
}

/** Bootstrap node, circuit relay and WebRTC signalling; it sees who talks, never what. Throws UNSAFE_ENVIRONMENT. */
export async function createRelayNode(deps: TransportDeps, options: RelayOptions): Promise<TransportNode> {
  const given = { ...defaultRelayLimits, ...options.limits };
  const dht = options.dht === true ? (await import('../discovery/kad.ts')).dhtPart('server') : undefined;
  const shared = options.httpServer === undefined ? undefined : shareHttpServer(options.httpServer, options.isOwnPath);
  const watch = createRelayWatch(given);
  const relayService = circuitRelayServer({
    // A connection's streams beyond our own count, so that our refusal can be told; libp2p's would be a reset without a word.
    maxInboundHopStreams: given.circuitsPerPeerMax + limits.refusedStreamsMax,
    maxOutboundStopStreams: given.circuitsPerPeerMax + limits.refusedStreamsMax,
    reservations: {
      maxReservations: given.reservationsMax,
      reservationTtl: given.reservationMs,
      applyDefaultLimit: true,
      defaultDataLimit: BigInt(given.circuitBytesMax),
      defaultDurationLimit: given.circuitMs,
    },
  });
  let parts: Components | undefined;
  const node = await assembleNode(deps, {
    spareLinks: createSpareLinks,
    listen: [...options.listen, ...(shared === undefined ? [] : [shared.listen])],
    ...(options.announce === undefined ? {} : { announce: options.announce }),
    ...(shared === undefined || options.announce !== undefined ? {} : { announceFilter: shared.announceFilter }),
    transports: [tcp(), shared?.transport ?? webSockets()],
    services: {
      relay(components: Components) {
        parts = components;
        newestFirst(components);
        tellOwnAddresses(components);
        const service = relayService(components);
        watch.over(components, service);
        return service;
      },
    },
    relays: [],
    bootstrap: [],
    maxConnections: given.connectionsMax,
    connectionTimeoutMs: limits.connectionTimeoutMs,
    directOnly: false,
    webrtc: false,
    topicGuard: createTopicGuard,
    sealing: (parts) => createSealing(parts, 'preferred'),
    forwardTopics,
    meeting: meetingPart('answers'),
    ...(dht === undefined ? {} : { dht }),
    relay: watch,
  });
  return alongside(node, (signal) => {
    if (parts !== undefined) answerDoors({ ...deps, network: node.network, components: parts }, signal);
  });
}

const defaultRelayLimits: RelayLimits = {
  reservationsMax: limits.relayReservationsMax,
  reservationMs: limits.relayReservationMs,
  circuitBytesMax: limits.relayCircuitBytesMax,
  circuitMs: limits.relayCircuitMs,
  circuitsPerPeerMax: limits.relayCircuitsPerPeerMax,
  connectionsMax: limits.relayConnectionsMax,
};
