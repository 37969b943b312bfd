import {
  concatBytes,
  type CryptoProvider,
  equalBytes,
  type Identity,
  openSigned,
  PeerAiError,
  peerIdFromPublicKey,
  sealSigned,
  signedBytes,
  toHex,
} from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { type Audience, type Capsule, type CapsuleFacts, mayHave } from './capsule.ts';
import { type CapsuleBody, checkOneForm, dataBytes, readBody, unpackData, writeBody } from './capsule-wire.ts';
import { quality } from './formulas.ts';
import { memoryLimits } from './limits.ts';

const capsuleTag = 'peerai/capsule/1';
const signatureBytes = 64;

/** What a signed capsule is made of; whole again only by `bytesFor`, so that nobody gets a personal one by mistake. */
export interface SignedParts {
  readonly signer: Uint8Array;
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
}
export interface OpenedCapsule {
  readonly facts: CapsuleFacts;
  readonly body: CapsuleBody;
  readonly parts: SignedParts;
}

/** Throws LIMIT_EXCEEDED, INVALID_FORMAT: what nobody would take is not signed. */
export function signCapsule(crypto: CryptoProvider, identity: Identity, body: CapsuleBody): OpenedCapsule {
  const bytes = writeBody(body);
  const signature = identity.sign(signedBytes(capsuleTag, bytes));
  return openParts(crypto, { signer: identity.publicKey, signature, body: bytes });
}

/**
 * The bytes that somebody else may have. Throws CAPSULE_PERSONAL for everybody but a device of the same owner (`self` is nobody else, and gets no personal one
 * either), CAPSULE_NOT_SHARED.
 */
export function bytesFor(audience: Audience, { facts, parts }: OpenedCapsule): Uint8Array {
  if (facts.level === 'personal' && audience !== 'own')
    throw new PeerAiError<NnErrorCode>(
      'CAPSULE_PERSONAL',
      'A personal capsule never leaves the devices of its owner.',
      {
        id: facts.id,
      },
    );
  if (!mayHave(audience, facts.level))
    throw new PeerAiError<NnErrorCode>('CAPSULE_NOT_SHARED', 'This capsule is for paired peers.', { id: facts.id });
  return whole(parts);
}

/**
 * Size, signature, form, bounds; the data stays packed.
 * Throws LIMIT_EXCEEDED, INVALID_FORMAT, INVALID_SIGNATURE, INVALID_VERSION.
 */
export function openSignedCapsule(crypto: CryptoProvider, signed: Uint8Array): OpenedCapsule {
  if (signed.length > memoryLimits.capsuleBytesMax)
    throw new PeerAiError(
      'LIMIT_EXCEEDED',
      `a capsule of ${signed.length} bytes; at most ${memoryLimits.capsuleBytesMax}`,
    );
  const { body, signer } = openSigned(crypto, capsuleTag, signed);
  const parts: SignedParts = { signer, signature: signed.slice(-signatureBytes), body };
  // Whole again, the same bytes come out: nothing stands where the signature does not look.
  if (!equalBytes(whole(parts), signed))
    throw new PeerAiError('INVALID_FORMAT', 'a signed capsule that is not in its one form');
  const opened = openParts(crypto, parts);
  checkOneForm(opened.body, body);
  return opened;
}

/** Parts that were checked before; throws as `readBody` does. */
export function openParts(crypto: CryptoProvider, parts: SignedParts): OpenedCapsule {
  const body = readBody(parts.body);
  const { packed, vector: _, ...rest } = body;
  const facts: CapsuleFacts = {
    ...rest,
    id: toHex(crypto.sha256(signedBytes(capsuleTag, concatBytes(parts.signer, parts.body)))),
    author: peerIdFromPublicKey(parts.signer),
    dataBytes: dataBytes(packed),
    quality: quality(body.novelty, body.importance, body.tags.length),
  };
  return { facts, body, parts };
}

/**
 * A capsule whole and checked: its bytes are its author's and in their one form, its data unpacks to what it says.
 * Throws LIMIT_EXCEEDED, INVALID_FORMAT, INVALID_SIGNATURE, INVALID_VERSION.
 */
export function openCapsule(crypto: CryptoProvider, signed: Uint8Array): Capsule {
  return capsuleOf(openSignedCapsule(crypto, signed));
}

/** With its data unpacked. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function capsuleOf({ facts, body }: OpenedCapsule): Capsule {
  return { ...facts, data: unpackData(body.packed), vector: body.vector };
}

function whole({ signer, signature, body }: SignedParts): Uint8Array {
  const author = { peer: peerIdFromPublicKey(signer), publicKey: signer, sign: () => signature };
  return sealSigned(author, capsuleTag, body);
}
