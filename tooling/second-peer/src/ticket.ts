import { hkdf } from './curve.ts';
import { verifies } from './identity.ts';
import { peerIdOf } from './peer-id.ts';
import { bytesOf, type Field, numberOf, readFields, textsOf, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

/** What stands in a ticket (docs/protocol/tickets.md). */
export interface Ticket {
  readonly kind: 'share' | 'pair';
  /** 8 bytes. */
  readonly id: Buffer;
  readonly provider: { readonly key: Buffer; readonly peerId: string };
  readonly name: string;
  readonly addresses: readonly string[];
  readonly models: readonly string[];
  readonly tokens: number;
  readonly expiresMs: number;
  readonly guests: number;
  readonly concurrency: number;
  readonly allow: readonly string[];
  /** 16 bytes. */
  readonly secret: Buffer;
}

/** The ticket of a link, or of its bare text. Throws TICKET_INVALID. */
export function readTicket(link: string): Ticket {
  const text = link.includes('#') ? link.slice(link.indexOf('#') + 1) : link.replace(/^peerai:\/\/(join|pair)\//, '');
  try {
    const envelope = readFields(Buffer.from(text, 'base64url'));
    const body = bytesOf(envelope, 1);
    const key = bytesOf(envelope, 2);
    if (!verifies(key, Buffer.concat([Buffer.from('peerai/ticket/1\0'), body]), bytesOf(envelope, 3))) {
      throw new Refusal('INVALID_SIGNATURE', 'the signature does not hold');
    }
    return ticketOf(readFields(body), key);
  } catch (error) {
    throw new Refusal('TICKET_INVALID', String(error));
  }
}

function ticketOf(fields: readonly Field[], key: Buffer): Ticket {
  const number = (at: number): number => Number(numberOf(fields, at));
  if (number(1) !== 1) throw new Refusal('INVALID_VERSION', 'another version');
  const kind = number(2) === 1 ? 'share' : number(2) === 2 ? 'pair' : undefined;
  if (kind === undefined) throw new Refusal('INVALID_FORMAT', 'another kind');
  return {
    kind,
    id: bytesOf(fields, 3),
    provider: { key, peerId: peerIdOf(key) },
    name: textsOf(fields, 4)[0] ?? '',
    addresses: textsOf(fields, 5),
    models: textsOf(fields, 6),
    tokens: number(7),
    expiresMs: number(8),
    guests: number(9),
    concurrency: number(10),
    allow: textsOf(fields, 11),
    secret: bytesOf(fields, 12),
  };
}

/** The proof message of a guest: worth something in its hands and at this provider only. */
export function proofOf(ticket: Ticket, guestKey: Uint8Array): Buffer {
  const info = Buffer.concat([Buffer.from('peerai/ticket-proof/1'), ticket.provider.key, guestKey]);
  return writeFields([
    [1, ticket.id],
    [2, hkdf(ticket.secret, ticket.id, info, 32)],
  ]);
}

/** Four numbers below 64: which pictures both screens show. */
export function picturesOf(ticket: Ticket, guestKey: Uint8Array): number[] {
  const [lower, higher] = [ticket.provider.key, Buffer.from(guestKey)].sort((a, b) => Buffer.compare(a, b));
  const info = Buffer.concat([Buffer.from('peerai/compare/1\0'), lower ?? guestKey, higher ?? guestKey]);
  const bits = hkdf(ticket.secret, Buffer.alloc(0), info, 3).readUIntBE(0, 3);
  return [18, 12, 6, 0].map((shift) => (bits >> shift) & 63);
}
