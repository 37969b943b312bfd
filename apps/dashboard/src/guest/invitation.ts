import { fingerprint, nobleCrypto, PeerAiError, publicKeyFromPeerId } from '@peerai/core-protocol';
import { decodeTicket } from '@peerai/core-protocol/access';
import type { Invitation } from './session.ts';

/** What the link says, once its signature holds. Throws TICKET_INVALID. */
export function readInvitation(text: string): Invitation {
  const ticket = decodeTicket(nobleCrypto, text);
  if (ticket.kind !== 'share')
    throw new PeerAiError('TICKET_INVALID', 'this link adds a device; it does not share a model');
  const { name, models, expiresMs, provider } = ticket;
  return { name, models, expiresMs, ...fingerprint(nobleCrypto, publicKeyFromPeerId(provider)) };
}
