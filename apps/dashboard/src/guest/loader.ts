import type { Ticket } from '@peerai/core-protocol/access';
import type { GuestLoader } from './session.ts';

/** The link that was read last: its signature is checked once. */
let known: { readonly text: string; readonly ticket: Ticket } | undefined;

async function ticketOf(text: string): Promise<Ticket> {
  if (known?.text === text) return known.ticket;
  const { readTicket } = await import('./invitation.ts');
  known = { text, ticket: readTicket(text) };
  return known.ticket;
}

/** Reading a link needs a signature check only, and says who shares; the network, which is most of the page, comes meanwhile. */
export const loader: GuestLoader = {
  async read(text) {
    const { invitationOf } = await import('./invitation.ts');
    // It is asked for after what reads the link, so that on a slow line the two do not share it.
    import('./world.ts').catch(() => undefined);
    // A turn of the loop: the request leaves before the signature is checked, which keeps the thread busy.
    await new Promise((resolve) => setTimeout(resolve));
    return invitationOf(await ticketOf(text));
  },
  async open(text) {
    const [ticket, { openSession }] = await Promise.all([ticketOf(text), import('./world.ts')]);
    return openSession(ticket);
  },
};
