import { concatBytes, utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import type { CryptoProvider } from '../ports/index.ts';
import { keepRecent } from '../recent.ts';
import { bytes, message } from '../wire/index.ts';
import type { Identity } from './identity.ts';

const envelope = message({ body: bytes(1), signer: bytes(2), signature: bytes(3) });

/** Tags of ours that are kept as bytes: there are fewer. */
const tagsKept = 128;
const tagBytes = keepRecent(tagsKept, (tag) => utf8(`${tag}\0`));

/** What every protobuf signature of ours covers: a tag of its kind, a zero byte, then the body's bytes as they travel. */
export function signedBytes(tag: string, body: Uint8Array): Uint8Array {
  return concatBytes(tagBytes(tag), body);
}

/** Body, signer's key and signature in one piece. */
export function sealSigned(identity: Identity, tag: string, body: Uint8Array): Uint8Array {
  return envelope.encode({ body, signer: identity.publicKey, signature: identity.sign(signedBytes(tag, body)) });
}

/** The body and its signer's key, checked. Throws INVALID_FORMAT, INVALID_SIGNATURE. */
export function openSigned(
  crypto: CryptoProvider,
  tag: string,
  sealed: Uint8Array,
): { readonly body: Uint8Array; readonly signer: Uint8Array } {
  const { body, signer, signature } = envelope.decode(sealed);
  if (!crypto.ed25519.verify(signature, signedBytes(tag, body), signer)) {
    throw new PeerAiError('INVALID_SIGNATURE', `the signature of this ${tag} does not fit its bytes`);
  }
  return { body, signer };
}

/** Bytes of the salt of a commitment: as many as of its hash, so that neither is the easier to guess. */
export const saltBytes = 32;

/**
 * What is said of a signed statement before it is shown: SHA-256(tag ‖ 0x00 ‖ salt ‖ sealed), 32 bytes. The salt hides the statement, though it could be guessed; the hash
 * binds to it, signer included, so that nobody can say another's commitment for their own. Throws INVALID_FORMAT unless the salt has 32 bytes.
 */
export function commitmentTo(
  crypto: Pick<CryptoProvider, 'sha256'>,
  tag: string,
  { salt, sealed }: { readonly salt: Uint8Array; readonly sealed: Uint8Array },
): Uint8Array {
  if (salt.length !== saltBytes) throw new PeerAiError('INVALID_FORMAT', `a salt has ${saltBytes} bytes`);
  return crypto.sha256(signedBytes(tag, salt), sealed);
}
