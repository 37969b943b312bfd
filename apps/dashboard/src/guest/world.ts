import { createIdentity, type Logger, nobleCrypto as crypto, toHex } from '@peerai/core-protocol';
import type { Ticket } from '@peerai/core-protocol/access';
import { createGuest } from '@peerai/peer/guest';
import {
  browserRandom as random,
  loadOrCreateBrowserSeed,
  openBrowserStore,
  systemClock as clock,
} from '@peerai/platform/browser';
import { createBrowserNode } from '@peerai/transport';
import type { Session } from './session.ts';

/** Pages keep no logs: nothing about a talk stays behind. */
const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * A whole peer in this tab: its own key and store, one a link, and a network of WebSocket and WebRTC.
 * Throws STORE_LOCKED (another tab has this link), STORE_BROKEN.
 */
export async function openSession(ticket: Ticket): Promise<Session> {
  const store = await openBrowserStore(`guest-${toHex(ticket.id)}`);
  try {
    const { seed } = await loadOrCreateBrowserSeed(store, random);
    const isGranted = (peer: string): boolean => peer === ticket.provider;
    const node = await createBrowserNode({ seed, clock, random, logger, crypto, isGranted }, { relays: [] });
    const world = { clock, random, crypto, store, network: node.network };
    const [guest] = await Promise.all([createGuest(world, createIdentity(crypto, seed), ticket), node.start()]);
    return {
      connect: (signal) => guest.connect(signal),
      state: (signal) => guest.state(signal),
      ask: (messages, options, signal) => guest.ask(messages, options, signal),
      link: (signal) => guest.link(signal),
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
