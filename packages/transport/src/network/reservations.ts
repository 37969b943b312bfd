import type { PeerId as Libp2pPeerId } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';

/**
 * How libp2p is to ask relays for a place. It asks one after the other unless told otherwise, and each place it gets empties
 * the queue of the others, whose promises then never settle: an agent with two relays had a place on one.
 */
export const circuitInit = { reservationConcurrency: limits.relaysMax };

/** What we use of the circuit transport's own book of reservations. */
interface Book {
  readonly reservations: ReadonlyMap<
    Libp2pPeerId,
    { readonly connection: string; readonly reservation: { readonly addrs: readonly Uint8Array[] } }
  >;
  /** Peers that did not relay when they were asked; libp2p never asks them again. */
  readonly relayFilter: { remove(peer: Uint8Array): unknown };
  addRelay(peer: Libp2pPeerId, type: 'configured'): Promise<unknown>;
}

/** This node's places on relays. */
export interface Reservations {
  /** The relay granted a place, over a connection that is still up. */
  has(relay: Libp2pPeerId): boolean;
  /** Where others reach this node through relays that gave it a place, without the `/p2p/<self>` end. */
  circuits(): readonly string[];
  /** Lets a relay be asked that did not relay when it was asked before. */
  allow(relay: Libp2pPeerId): void;
  /** Throws what libp2p throws. */
  ask(relay: Libp2pPeerId): Promise<void>;
}

export function createReservations(components: Components): Reservations {
  function book(): Book | undefined {
    for (const transport of components.transportManager.getTransports()) {
      const store = (transport as { reservationStore?: Book }).reservationStore;
      if (store !== undefined) return store;
    }
    return undefined;
  }

  /** A reservation written down just after its connection closed stays in libp2p's book for ever; only a live one counts. */
  function isLive(relay: Libp2pPeerId, id: string | undefined): boolean {
    return components.connectionManager
      .getConnections(relay)
      .some((connection) => connection.id === id && connection.status === 'open');
  }

  return {
    has: (relay) => isLive(relay, book()?.reservations.get(relay)?.connection),
    circuits: () =>
      [...(book()?.reservations ?? [])]
        .filter(([relay, { connection }]) => isLive(relay, connection))
        .flatMap(([, { reservation }]) => reservation.addrs)
        .map((address) => `${multiaddr(address).toString()}/p2p-circuit`),
    allow: (relay) => void book()?.relayFilter.remove(relay.toMultihash().bytes),
    async ask(relay) {
      await book()?.addRelay(relay, 'configured');
    },
  };
}
