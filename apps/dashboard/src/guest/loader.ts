import type { GuestLoader } from './session.ts';

/** Reading a link needs a signature check only; the network comes after the page has said who shares. */
export const loader: GuestLoader = {
  async read(ticket) {
    const { readInvitation } = await import('./invitation.ts');
    return readInvitation(ticket);
  },
  async open(ticket) {
    const { openSession } = await import('./world.ts');
    return openSession(ticket);
  },
};
