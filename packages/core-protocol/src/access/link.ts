import { PeerAiError } from '../errors.ts';
import { parsePeerId } from '../identity/peer-id.ts';
import { limits } from '../limits.ts';
import type { PeerId } from '../ports/index.ts';

export type ParsedLink =
  /** A ticket to ask models; `pageUrl` when it came as a page's address. */
  | { readonly kind: 'share'; readonly ticket: string; readonly pageUrl?: string }
  /** A ticket to become a device of the owner. */
  | { readonly kind: 'pair'; readonly ticket: string }
  /** `p2p://<peer>@<host>` of older peers: an address and no secret. */
  | { readonly kind: 'seed'; readonly peer: PeerId; readonly host: string };

const ticketText = /^[A-Za-z0-9_-]{16,}$/;
/** A name or an address of version 4 or 6 in brackets, with a port or without. */
const hostText = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** `https://<page>/s#<ticket>`; what stands behind `#` never reaches the page's host. @param pageUrl - with or without its `/s` */
export function shareLink(pageUrl: string, ticket: string): string {
  const page = pageBase(pageUrl);
  return `${page.endsWith('/s') ? page : `${page}/s`}#${ticket}`;
}

/** `https://<page>/t#<ticket>`, on the page that also opens share links. @param pageUrl - with or without its `/s` */
export function trainLink(pageUrl: string, ticket: string): string {
  return `${pageBase(pageUrl).replace(/\/s$/, '')}/t#${ticket}`;
}

/** `peerai://pair/<ticket>`. */
export function inviteLink(ticket: string): string {
  return `peerai://pair/${ticket}`;
}

const pageBase = (pageUrl: string): string => pageUrl.replace(/[#?].*$/, '').replace(/\/+$/, '');

/** Any link that somebody pastes, spaces and line breaks of a chat program around it allowed. Throws TICKET_INVALID. */
export function parseLink(text: string): ParsedLink {
  if (text.length > limits.linkCharsMax) throw notALink();
  const link = text.trim();
  const [, verb, own] = /^peerai:(?:\/\/)?(join|pair)\/([^/#?]+)\/?$/i.exec(link) ?? [];
  if (verb !== undefined && own !== undefined) {
    return { kind: verb.toLowerCase() === 'join' ? 'share' : 'pair', ticket: checkTicket(own) };
  }
  const [, pageUrl, ticket] = /^(https?:\/\/[^\s#?]+\/s)\/?#([^#]+)$/i.exec(link) ?? [];
  if (pageUrl !== undefined && ticket !== undefined) return { kind: 'share', ticket: checkTicket(ticket), pageUrl };
  const [, peer, host] = /^p2p:\/\/([^@/]+)@([^@/\s]+)\/?$/i.exec(link) ?? [];
  if (peer === undefined || host === undefined || !hostText.test(host)) throw notALink();
  return { kind: 'seed', peer: seedPeer(peer), host };
}

function checkTicket(ticket: string): string {
  if (!ticketText.test(ticket) || ticket.length > limits.ticketCharsMax) throw notALink();
  return ticket;
}

function seedPeer(peer: string): PeerId {
  try {
    return parsePeerId(peer);
  } catch {
    throw notALink();
  }
}

function notALink(): PeerAiError {
  return new PeerAiError(
    'TICKET_INVALID',
    'this is no link of PeerAI; one looks like https://…/s#… or peerai://pair/…; copy it whole',
  );
}
