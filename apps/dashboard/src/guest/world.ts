import type { Ticket } from '@peerai/core-protocol/access';
import { createGuest } from '@peerai/peer/guest';
import { openTabWorld } from '../shared/tab-world.ts';
import type { Session } from './session.ts';

/** Throws STORE_LOCKED (another tab has this link), STORE_BROKEN. */
export const openSession = (ticket: Ticket): Promise<Session> =>
  openTabWorld(ticket, (world) => createGuest(world, world.identity, ticket));
