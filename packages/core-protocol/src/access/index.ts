/**
 * Who may use what: tickets that fit a link, links, and the one function that decides. Small enough for a guest's page.
 *
 * @packageDocumentation
 */
export {
  type AccessFacts,
  type AccessVerdict,
  decide,
  type PairingFacts,
  type RefusalCode,
  type ShareFacts,
} from './decide.ts';
export { inviteLink, parseLink, type ParsedLink, shareLink, trainLink } from './link.ts';
export {
  decodeTicket,
  encodeTicket,
  proveTicket,
  readTicketProof,
  type Ticket,
  type TicketProof,
  ticketProof,
} from './ticket.ts';
