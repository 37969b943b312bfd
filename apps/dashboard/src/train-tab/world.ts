import type { Ticket } from '@peerai/core-protocol/access';
import { createVisitor, type Visit } from '@peerai/peer/visitor';
import { openTabWorld } from '../shared/tab-world.ts';
import { engineBytes, graphicsBytes, openEngine } from './engine.ts';
import { limits } from './limits.ts';
import type { Session } from './session.ts';

/** Throws STORE_LOCKED (another tab has this link), STORE_BROKEN. */
export const openSession = (ticket: Ticket): Promise<Session> =>
  openTabWorld(ticket, (world) => {
    const visitor = createVisitor(world, ticket);
    let seen: Visit | undefined;
    return {
      engineBytes,
      graphicsBytes,
      async look(signal) {
        seen = await visitor.look(signal);
        return seen;
      },
      train: (options) => visitor.train({ ...options, runtime: () => openEngine(options), threads: threadsFor(seen) }),
      busy: () => visitor.busy(),
    } satisfies Omit<Session, 'close'>;
  });

function threadsFor(seen: Visit | undefined): number {
  if (seen === undefined || seen.offer.plan.model === 'mlp') return 1;
  return Math.min(limits.threadsMax, Math.ceil(navigator.hardwareConcurrency / 2));
}
