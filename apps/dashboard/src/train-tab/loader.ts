import { fingerprint, nobleCrypto, PeerAiError, publicKeyFromPeerId } from '@peerai/core-protocol';
import { decodeTicket, type Ticket } from '@peerai/core-protocol/access';
import type { TabLoader } from './session.ts';

/** A ticket for a run, once its signature holds. Throws TICKET_INVALID. */
function readTicket(text: string): Ticket {
  const ticket = decodeTicket(nobleCrypto, text);
  if (ticket.kind !== 'train') throw new PeerAiError('TICKET_INVALID', 'this link opens no training');
  return ticket;
}

/** Reading a link needs a signature check only; the network comes after it. */
export const loader: TabLoader = {
  async read(text) {
    const { name, expiresMs, provider } = readTicket(text);
    return { name, expiresMs, ...fingerprint(nobleCrypto, publicKeyFromPeerId(provider)) };
  },
  async open(text) {
    const { openSession } = await import('./world.ts');
    return openSession(readTicket(text));
  },
};
