import { concatBytes, fromBase64Url, toBase64Url, utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import type { Identity } from '../identity/identity.ts';
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../identity/peer-id.ts';
import { openSigned, sealSigned } from '../identity/signed.ts';
import { limits } from '../limits.ts';
import type { CryptoProvider, PeerId } from '../ports/index.ts';
import { bytes, message, oneOf, repeated, string, uint32, uint53 } from '../wire/index.ts';

/** What a link grants, signed by the peer that grants it. `share`: ask these models; `pair`: become a device of the owner; `train`: take part in one run. */
export interface Ticket {
  readonly version: 1;
  readonly kind: 'share' | 'pair' | 'train';
  /** 8 random bytes; names the share, invite or run in lists, not secret. */
  readonly id: Uint8Array;
  readonly provider: PeerId;
  /** The provider's name for people. */
  readonly name: string;
  /** Multiaddrs without their `/p2p/<provider>` end. */
  readonly addresses: readonly string[];
  /** Models a share admits to; empty for the others. */
  readonly models: readonly string[];
  /** Prompt + answer tokens that all guests may use together. */
  readonly tokens: number;
  readonly expiresMs: number;
  /** Distinct guest keys. */
  readonly guests: number;
  /** Answers at once. */
  readonly concurrency: number;
  /** Rights a pairing gives (`chat`, `tasks`, `train`). */
  readonly allow: readonly string[];
  /** 16 bytes. */
  readonly secret: Uint8Array;
}

const ticketTag = 'peerai/ticket/1';
const body = message({
  version: uint32(1),
  kind: oneOf(2, ['share', 'pair', 'train']),
  id: bytes(3),
  name: string(4),
  addresses: repeated(string(5), limits.ticketAddressesMax),
  models: repeated(string(6), limits.ticketModelsMax),
  tokens: uint53(7),
  expiresMs: uint53(8),
  guests: uint32(9),
  concurrency: uint32(10),
  allow: repeated(string(11), limits.ticketRightsMax),
  secret: bytes(12),
});

const listsMax = [
  ['addresses', limits.ticketAddressesMax],
  ['models', limits.ticketModelsMax],
  ['allow', limits.ticketRightsMax],
] as const;

/** Base64url text, as it stands behind `#` in a link. Throws LIMIT_EXCEEDED for one that nobody could read: too long for a link, or a list that is. */
export function encodeTicket(identity: Identity, ticket: Omit<Ticket, 'version' | 'provider'>): string {
  for (const [name, countMax] of listsMax) {
    const { length } = ticket[name];
    if (length > countMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `a ticket of ${length} ${name}; at most ${countMax}`);
  }
  const text = toBase64Url(sealSigned(identity, ticketTag, body.encode({ version: 1, ...ticket })));
  if (text.length > limits.ticketCharsMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `a ticket of ${text.length} characters; at most ${limits.ticketCharsMax}`);
  }
  return text;
}

/** A ticket as it was signed. Throws TICKET_INVALID, whatever is wrong with it. */
export function decodeTicket(crypto: CryptoProvider, text: string): Ticket {
  try {
    if (text.length > limits.ticketCharsMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the ticket is too long');
    const signed = openSigned(crypto, ticketTag, fromBase64Url(text));
    const { version, ...fields } = body.decode(signed.body);
    if (version !== 1) throw new PeerAiError('INVALID_VERSION', `ticket version ${version}; this program reads 1`);
    if (fields.secret.length !== 16 || fields.id.length !== 8) throw new PeerAiError('INVALID_FORMAT', 'field sizes');
    return { version, provider: peerIdFromPublicKey(signed.signer), ...fields };
  } catch (cause) {
    throw new PeerAiError('TICKET_INVALID', 'this link is damaged or was not made by the peer it names', {}, { cause });
  }
}

const proofCodec = message({ ticket: bytes(1), proof: bytes(2) });

/** What the first frame carries: which ticket, and the proof that this guest holds its secret. Bound to both keys, so it cannot be passed on. */
export interface TicketProof {
  readonly ticket: Uint8Array;
  readonly proof: Uint8Array;
}

export function proveTicket(
  crypto: CryptoProvider,
  ticket: Pick<Ticket, 'id' | 'secret' | 'provider'>,
  guest: PeerId,
): Uint8Array {
  return proofCodec.encode({
    ticket: ticket.id,
    proof: ticketProof(crypto, ticket.secret, ticket.id, ticket.provider, guest),
  });
}

/** Throws INVALID_FORMAT. */
export function readTicketProof(grant: Uint8Array): TicketProof {
  const { ticket, proof } = proofCodec.decode(grant);
  return { ticket, proof };
}

/** HKDF-SHA256(secret, salt = ticket id, info = tag ‖ provider key ‖ guest key), 32 bytes. */
export function ticketProof(
  crypto: CryptoProvider,
  secret: Uint8Array,
  id: Uint8Array,
  provider: PeerId,
  guest: PeerId,
): Uint8Array {
  const info = concatBytes(utf8('peerai/ticket-proof/1'), publicKeyFromPeerId(provider), publicKeyFromPeerId(guest));
  return crypto.hkdfSha256(secret, id, info, 32);
}
