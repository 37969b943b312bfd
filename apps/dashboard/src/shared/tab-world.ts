import {
  createIdentity,
  type Identity,
  type Logger,
  type Network,
  nobleCrypto as crypto,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import type { Ticket } from '@peerai/core-protocol/access';
import {
  browserRandom as random,
  loadOrCreateBrowserSeed,
  openBrowserStore,
  systemClock as clock,
} from '@peerai/platform/browser';
import { createBrowserNode } from '@peerai/transport';

/** Pages keep no logs: nothing about a visit stays behind. */
const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A whole peer in this tab. */
export interface TabWorld {
  readonly clock: typeof clock;
  readonly random: typeof random;
  readonly crypto: typeof crypto;
  readonly logger: Logger;
  readonly store: Store;
  readonly identity: Identity;
  readonly network: Network;
}

/**
 * What `make` makes of its own key and store, one a link, and of a network of WebSocket and WebRTC in which the ticket's provider alone may ask
 * anything; `close` ends the links and gives the store back. Throws STORE_LOCKED (another tab has this link), STORE_BROKEN.
 */
export async function openTabWorld<T extends object>(
  ticket: Ticket,
  make: (world: TabWorld) => T | Promise<T>,
): Promise<T & { close(): Promise<void> }> {
  const store = await openBrowserStore(`guest-${toHex(ticket.id)}`);
  try {
    const { seed } = await loadOrCreateBrowserSeed(store, random);
    const isGranted = (peer: string): boolean => peer === ticket.provider;
    const node = await createBrowserNode({ seed, clock, random, logger, crypto, isGranted }, { relays: [] });
    const { network } = node;
    const world = { clock, random, crypto, logger, store, identity: createIdentity(crypto, seed), network };
    const [made] = await Promise.all([make(world), node.start()]);
    return {
      ...made,
      async close() {
        await node.stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
