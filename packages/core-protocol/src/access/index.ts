export {
  decodeTicket,
  encodeTicket,
  proveTicket,
  readTicketProof,
  type Ticket,
  type TicketProof,
  ticketProof,
} from './ticket.ts';
