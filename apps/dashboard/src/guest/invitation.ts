import { fingerprint, nobleCrypto, PeerAiError, publicKeyFromPeerId } from '@peerai/core-protocol';
import { decodeTicket, type Ticket } from '@peerai/core-protocol/access';
import type { Invitation } from './session.ts';

/** A share's ticket, once its signature holds. Throws TICKET_INVALID. */
export function readTicket(text: string): Ticket {
  const ticket = decodeTicket(nobleCrypto, text);
  if (ticket.kind !== 'share')
    throw new PeerAiError('TICKET_INVALID', 'this link adds a device; it does not share a model');
  return ticket;
}

/** What the link says. */
export function invitationOf({ name, models, expiresMs, provider }: Ticket): Invitation {
  return { name, models, expiresMs, ...fingerprint(nobleCrypto, publicKeyFromPeerId(provider)) };
}
