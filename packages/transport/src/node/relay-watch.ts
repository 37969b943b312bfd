import { type CircuitRelayService, RELAY_V2_HOP_CODEC, RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2';
import type { ConnectionGater, PeerId, Stream } from '@libp2p/interface';
import type { Components } from '../libp2p/components.ts';
import type { TransportStats } from '../libp2p/options.ts';

export interface RelayWatch {
  readonly gater: Pick<ConnectionGater, 'denyInboundRelayReservation' | 'denyOutboundRelayedConnection'>;
  stats(): Pick<TransportStats, 'peers' | 'reservations' | 'circuits' | 'refused'>;
  /** To be called once with the parts of the node and its relay service. */
  over(components: Components, service: CircuitRelayService): void;
}

/**
 * Counts what a relay refuses, of which libp2p only logs, and counts circuits by peer: libp2p counts them by connection, and a
 * peer may open many.
 */
export function createRelayWatch(bounds: {
  readonly reservationsMax: number;
  readonly circuitsPerPeerMax: number;
}): RelayWatch {
  const refused = { connections: 0, reservations: 0, circuits: 0, circuitsCut: 0 };
  const watched = new WeakSet<Stream>();
  let components: Components | undefined;
  let service: CircuitRelayService | undefined;

  const streams = (protocol: string, peer?: PeerId): Stream[] =>
    (components?.connectionManager.getConnections(peer) ?? [])
      .flatMap((connection) => connection.streams)
      .filter((stream) => stream.protocol === protocol && stream.status === 'open');

  /** A stream that asked for a circuit is that circuit afterwards. */
  const watch = (stream: Stream): void => {
    if (watched.has(stream)) return;
    watched.add(stream);
    stream.addEventListener('close', ({ error }) => {
      if (error !== undefined && cutNames.has(error.name)) refused.circuitsCut += 1;
    });
  };

  return {
    gater: {
      denyInboundRelayReservation(peer) {
        const held = service?.reservations;
        // libp2p refuses it itself, with the right word.
        if (held !== undefined && held.size >= bounds.reservationsMax && !held.has(peer)) refused.reservations += 1;
        return false;
      },
      denyOutboundRelayedConnection(source, destination) {
        const asking = streams(RELAY_V2_HOP_CODEC, source);
        asking.forEach(watch);
        // The asking stream is one of them already; the other one's is opened afterwards.
        const isFull =
          asking.length > bounds.circuitsPerPeerMax ||
          streams(RELAY_V2_STOP_CODEC, destination).length >= bounds.circuitsPerPeerMax;
        if (isFull) refused.circuits += 1;
        return isFull;
      },
    },
    stats: () => ({
      peers: new Set(components?.connectionManager.getConnections().map(({ remotePeer }) => remotePeer.toString()))
        .size,
      reservations: service?.reservations.size ?? 0,
      circuits: streams(RELAY_V2_STOP_CODEC).length,
      refused: { ...refused },
    }),
    over(parts, relay) {
      components = parts;
      service = relay;
      const { connectionManager } = parts;
      const accept = connectionManager.acceptIncomingConnection.bind(connectionManager);
      connectionManager.acceptIncomingConnection = (connection) => {
        const answer = accept(connection);
        if (!answer) refused.connections += 1;
        return answer;
      };
    },
  };
}

/** Why libp2p's relay ends a circuit: its bytes or its time are spent. */
const cutNames = new Set(['TransferLimitError', 'DurationLimitError']);
