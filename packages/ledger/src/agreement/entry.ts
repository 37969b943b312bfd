import {
  type CryptoProvider,
  type EntryBody,
  type Identity,
  PeerAiError,
  peerIdFromPublicKey,
  publicKeyFromPeerId,
  signedBytes,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { agreementLimits as limits } from './limits.ts';
import type { ChainEntry } from './types.ts';

const tag = 'peerai/agreement/1 entry';
const signedForm = wire.message({
  group: wire.bytes(1),
  author: wire.bytes(2),
  number: wire.uint53(3),
  kind: wire.string(4),
  body: wire.bytes(5),
});
const form = wire.message({
  author: wire.bytes(1),
  number: wire.uint53(2),
  kind: wire.string(3),
  body: wire.bytes(4),
  signature: wire.bytes(5),
});

const covered = (group: Uint8Array, { author, number, kind, body }: Omit<ChainEntry, 'signature'>): Uint8Array =>
  signedBytes(tag, signedForm.encode({ group, author: publicKeyFromPeerId(author), number, kind, body }));

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function signEntry(
  identity: Identity,
  group: Uint8Array,
  number: number,
  { kind, body }: EntryBody,
): ChainEntry {
  checkPayload({ kind, body });
  const entry = { author: identity.peer, number, kind, body };
  return { ...entry, signature: identity.sign(covered(group, entry)) };
}

export function isSignedEntry(crypto: Pick<CryptoProvider, 'ed25519'>, group: Uint8Array, entry: ChainEntry): boolean {
  return crypto.ed25519.verify(entry.signature, covered(group, entry), publicKeyFromPeerId(entry.author));
}

export const encodeChainEntry = ({ author, number, kind, body, signature }: ChainEntry): Uint8Array =>
  form.encode({ author: publicKeyFromPeerId(author), number, kind, body, signature });

/** Reads, without checking the signature. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function decodeChainEntry(bytes: Uint8Array): ChainEntry {
  if (bytes.length > limits.entryBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the entry is too long');
  const { author, number, signature, ...payload } = form.decode(bytes);
  if (number === 0 || signature.length !== 64) throw new PeerAiError('INVALID_FORMAT', 'no entry has these fields');
  checkPayload(payload);
  return { author: peerIdFromPublicKey(author), number, ...payload, signature };
}

/** Throws LIMIT_EXCEEDED, INVALID_FORMAT. */
export function checkPayload({ kind, body }: EntryBody): void {
  const kindBytes = utf8(kind).length;
  if (kindBytes === 0) throw new PeerAiError('INVALID_FORMAT', 'an entry needs a kind');
  if (kindBytes > limits.entryKindBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `the kind of an entry has at most ${limits.entryKindBytesMax} bytes`);
  if (body.length > limits.entryBodyBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `the body of an entry has at most ${limits.entryBodyBytesMax} bytes`);
}
