import {
  type CryptoProvider,
  byteName,
  type EntryBody,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  signedBytes,
  utf8Length,
  wire,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { Hasher } from '../log/merkle.ts';

/** What one answer cost, and what all answers of this lease have cost so far: only the last receipt of a chain counts. */
export interface UsageReceipt {
  readonly version: 1;
  readonly provider: PeerId;
  readonly consumer: PeerId;
  /** A ticket's id, or that of the invite two devices were paired by: 1 to 32 bytes. Provider, consumer and lease name the chain. */
  readonly lease: Uint8Array;
  /** Place in the chain, from 1. */
  readonly n: number;
  /** The consumer's own id of the request. */
  readonly requestId: string;
  readonly model: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** The engine gave no counts: 4 bytes were taken as a token. */
  readonly estimated: boolean;
  readonly totalPromptTokens: number;
  readonly totalAnswerTokens: number;
  /** SHA-256 over prompt and answer bytes. */
  readonly workHash: Uint8Array;
  /** The provider's wall clock. */
  readonly timeMs: number;
  /** SHA-256 of the previous receipt's body bytes; zeros for the first. */
  readonly previous: Uint8Array;
}
export interface OpenedReceipt {
  readonly receipt: UsageReceipt;
  /** What was signed, in the memory of what was opened. */
  readonly body: Uint8Array;
  /** `both`: provider and consumer agree on these numbers. `provider`: an offer, or half a receipt. */
  readonly signedBy: 'provider' | 'both';
}

/** The kind of a receipt's entry in a log. */
export const receiptKind = 'usage-receipt';
/** What both signatures cover: this tag, a zero byte, the body's bytes. */
export const receiptTag = 'peerai/usage-receipt/1';
export const noReceipt = new Uint8Array(32);

const bodyCodec = wire.message({
  version: wire.uint32(1),
  provider: wire.bytesView(2),
  consumer: wire.bytesView(3),
  lease: wire.bytes(4),
  n: wire.uint53(5),
  requestId: wire.string(6),
  model: wire.string(7),
  promptTokens: wire.uint53(8),
  answerTokens: wire.uint53(9),
  estimated: wire.bool(10),
  totalPromptTokens: wire.uint53(11),
  totalAnswerTokens: wire.uint53(12),
  workHash: wire.bytes(13),
  timeMs: wire.uint53(14),
  previous: wire.bytes(15),
});
const envelope = wire.message({
  body: wire.bytesView(1),
  providerSignature: wire.bytesView(2),
  consumerSignature: wire.optional(wire.bytesView(3)),
});

export interface ReceiptParts {
  readonly body: Uint8Array;
  readonly providerSignature: Uint8Array;
  readonly consumerSignature?: Uint8Array | undefined;
}
export const encodeParts = (parts: ReceiptParts): Uint8Array =>
  envelope.encode({ consumerSignature: undefined, ...parts });

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function decodeParts(bytes: Uint8Array): ReceiptParts {
  if (bytes.length > limits.receiptBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the receipt is too long');
  return envelope.decode(bytes);
}

export function encodeReceiptBody(receipt: UsageReceipt): Uint8Array {
  checkSizes(receipt);
  return bodyCodec.encode({
    ...receipt,
    provider: publicKeyFromPeerId(receipt.provider),
    consumer: publicKeyFromPeerId(receipt.consumer),
  });
}

/** What the bytes say, no signature checked: for receipts this peer wrote or checked itself. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function readReceipt(bytes: Uint8Array): UsageReceipt {
  return receiptOf(bodyCodec.decode(decodeParts(bytes).body));
}

function receiptOf(body: ReturnType<typeof bodyCodec.decode>): UsageReceipt {
  const { version } = body;
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `receipt version ${version}; this program reads 1`);
  const [provider, consumer] = [peerIdFromPublicKey(body.provider), peerIdFromPublicKey(body.consumer)];
  const receipt: UsageReceipt = { ...body, version, provider, consumer };
  checkSizes(receipt);
  return receipt;
}

/**
 * A receipt with every signature it carries checked.
 * Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED.
 */
export function openReceipt(crypto: CryptoProvider, bytes: Uint8Array): OpenedReceipt {
  const { body, providerSignature, consumerSignature } = decodeParts(bytes);
  const said = bodyCodec.decode(body);
  const receipt = receiptOf(said);
  const message = signedBytes(receiptTag, body);
  const check = (signature: Uint8Array, key: Uint8Array, who: string): void => {
    if (crypto.ed25519.verify(signature, message, key)) return;
    throw new PeerAiError('INVALID_SIGNATURE', `the ${who}'s signature does not fit this receipt`);
  };
  check(providerSignature, said.provider, 'provider');
  if (consumerSignature === undefined) return { receipt, body, signedBy: 'provider' };
  check(consumerSignature, said.consumer, 'consumer');
  return { receipt, body, signedBy: 'both' };
}

/** What the next receipt names as `previous`. */
export const receiptHash = (crypto: Hasher, bytes: Uint8Array): Uint8Array => crypto.sha256(decodeParts(bytes).body);

/** A full receipt as an entry of either side's log. */
export const receiptEntry = (full: Uint8Array): EntryBody => ({ kind: receiptKind, body: full });

/** Provider, consumer, lease as one text to look a chain up by; not for people. */
export const chainName = (receipt: Pick<UsageReceipt, 'provider' | 'consumer' | 'lease'>): string =>
  `${receipt.provider}/${receipt.consumer}/${byteName(receipt.lease)}`;

function checkSizes(receipt: UsageReceipt): void {
  const { lease, requestId, model, workHash, previous, n, promptTokens, answerTokens } = receipt;
  if (lease.length === 0 || workHash.length !== 32 || previous.length !== 32 || n === 0 || requestId === '') {
    throw new PeerAiError('INVALID_FORMAT', 'a field of the receipt has the wrong size');
  }
  if (receipt.provider === receipt.consumer) throw new PeerAiError('INVALID_FORMAT', 'nobody gives himself a receipt');
  const isTooLong =
    lease.length > limits.leaseBytesMax ||
    utf8Length(requestId) > limits.requestIdBytesMax ||
    utf8Length(model) > limits.modelNameBytesMax ||
    Math.max(promptTokens, answerTokens) > limits.answerTokensMax;
  if (isTooLong) throw new PeerAiError('LIMIT_EXCEEDED', 'a field of the receipt is over its limit');
}
