import {
  type Clock,
  type CryptoProvider,
  type Identity,
  openSigned,
  PeerAiError,
  peerIdFromPublicKey,
  type PeerId,
  readStrictJson,
  sealSigned,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { type Letter, letterOf } from '../letter.ts';
import { limits } from '../limits.ts';
import type { OutRow } from '../rows.ts';

/** What a letter says inside its seal, under its sender's signature. */
const letterBody = wire.message({
  version: wire.uint32(1),
  recipient: wire.string(2),
  id: wire.string(3),
  kind: wire.string(4),
  /** The payload's JSON text. */
  content: wire.string(5),
  sentMs: wire.uint53(6),
  expiresMs: wire.uint53(7),
  /** The letter that is to be taken before this one, and until when that is worth waiting for. */
  before: wire.optional(wire.nested(8, wire.message({ id: wire.string(1), expiresMs: wire.uint53(2) }))),
});
/** What became of a letter, under its recipient's signature. */
const receiptBody = wire.message({
  version: wire.uint32(1),
  recipient: wire.string(2),
  id: wire.string(3),
  outcome: wire.oneOf(4, ['taken', 'refused']),
  code: wire.optional(wire.string(5)),
});
/** One of the two, signed. */
const content = wire.message({ letter: wire.optional(wire.bytes(1)), receipt: wire.optional(wire.bytes(2)) });
const letterTag = 'peerai/letter/1';
const receiptTag = 'peerai/letter-receipt/1';
const idPattern = /^[0-9a-f]{32}$/u;

export interface SignedLetter {
  readonly letter: Letter;
  readonly before: { readonly id: string; readonly expiresMs: number } | undefined;
}
export interface LetterReceipt {
  readonly from: PeerId;
  readonly id: string;
  readonly outcome: 'taken' | 'refused';
  readonly code: string | undefined;
}
export type SealedContent =
  | (SignedLetter & { readonly type: 'letter' })
  | (LetterReceipt & { readonly type: 'receipt' });

const invalid = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', text);

/** The letter as its sender signs it for this recipient, not yet padded. */
export function writeLetter(identity: Identity, to: PeerId, row: OutRow, before: OutRow | undefined): Uint8Array {
  const { id, kind, content: json, sentMs, expiresMs } = row;
  const ahead = before === undefined ? undefined : { id: before.id, expiresMs: before.expiresMs };
  const body = letterBody.encode({
    version: 1,
    recipient: to,
    id,
    kind,
    content: json,
    sentMs,
    expiresMs,
    before: ahead,
  });
  return content.encode({ letter: sealSigned(identity, letterTag, body), receipt: undefined });
}

export function writeReceipt(identity: Identity, to: PeerId, receipt: Omit<LetterReceipt, 'from'>): Uint8Array {
  const { id, outcome, code } = receipt;
  const body = receiptBody.encode({ version: 1, recipient: to, id, outcome, code });
  return content.encode({ letter: undefined, receipt: sealSigned(identity, receiptTag, body) });
}

/**
 * What was in a seal, checked. The clock rule does not hold here: a letter is as old as it is, and its id is remembered until it expires.
 * Throws INVALID_FORMAT, INVALID_SIGNATURE, INVALID_VERSION, WRONG_RECIPIENT, EXPIRED, LIMIT_EXCEEDED (it would live too long).
 */
export function readContent(
  deps: { readonly crypto: CryptoProvider; readonly clock: Clock; readonly self: PeerId },
  bytes: Uint8Array,
): SealedContent {
  const { letter, receipt } = content.decode(bytes);
  if (letter !== undefined) return { type: 'letter', ...readLetter(deps, letter) };
  if (receipt === undefined) throw invalid('there is nothing in this seal');
  const { body, signer } = openSigned(deps.crypto, receiptTag, receipt);
  const { version, recipient, id, outcome, code } = receiptBody.decode(body);
  checkHead(deps.self, version, recipient);
  if (!idPattern.test(id)) throw invalid('a receipt names a letter');
  return { type: 'receipt', from: peerIdFromPublicKey(signer), id, outcome, code: code?.slice(0, 64) };
}

function readLetter(
  { crypto, clock, self }: { readonly crypto: CryptoProvider; readonly clock: Clock; readonly self: PeerId },
  signed: Uint8Array,
): SignedLetter {
  const { body, signer } = openSigned(crypto, letterTag, signed);
  const { version, recipient, content: json, before, kind, ...times } = letterBody.decode(body);
  checkHead(self, version, recipient);
  if (before !== undefined && !idPattern.test(before.id)) throw invalid('the letter before this one has no id');
  if (times.expiresMs > clock.nowMs() + limits.lifeMsMax + limits.sweepMarginMs) {
    throw new PeerAiError('LIMIT_EXCEEDED', 'the message would live too long');
  }
  const payload = { ...times, content: readStrictJson(utf8(json)) };
  return { letter: letterOf(clock, { sender: peerIdFromPublicKey(signer), kind, payload }), before };
}

function checkHead(self: PeerId, version: number, recipient: string): void {
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `letter version ${version}; this program reads 1`);
  if (recipient !== self) throw new PeerAiError('WRONG_RECIPIENT', 'this letter is for another peer');
}
