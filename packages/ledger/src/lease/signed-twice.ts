import {
  type CryptoProvider,
  type Identity,
  PeerAiError,
  type PeerId,
  publicKeyFromPeerId,
  signedBytes,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';

/** A body that two peers sign, one after the other, under the same bytes. */
export interface SignedTwice {
  readonly body: Uint8Array;
  readonly first: Uint8Array;
  readonly second: Uint8Array | undefined;
}
const envelope = wire.message({ body: wire.bytes(1), first: wire.bytes(2), second: wire.optional(wire.bytes(3)) });

export const signFirst = (identity: Identity, tag: string, body: Uint8Array): Uint8Array =>
  envelope.encode({ body, first: identity.sign(signedBytes(tag, body)), second: undefined });

/** The other signature beside the first, which the caller has checked. */
export function signSecond(identity: Identity, tag: string, half: Uint8Array): Uint8Array {
  const { body, first } = envelope.decode(half);
  return envelope.encode({ body, first, second: identity.sign(signedBytes(tag, body)) });
}

/** No signature checked: for what this peer wrote or checked itself. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function readTwice(bytes: Uint8Array, bytesMax: number): SignedTwice {
  if (bytes.length > bytesMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', `more than ${bytesMax} bytes of a signed statement`);
  return envelope.decode(bytes);
}

/** Checks every signature that is there. Throws INVALID_SIGNATURE. */
export function checkTwice(
  crypto: CryptoProvider,
  tag: string,
  { body, first, second }: SignedTwice,
  signers: { readonly first: PeerId; readonly second: PeerId },
): 'first' | 'both' {
  const message = signedBytes(tag, body);
  const check = (signature: Uint8Array, peer: PeerId): void => {
    if (crypto.ed25519.verify(signature, message, publicKeyFromPeerId(peer))) return;
    throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', `a signature of this ${tag} does not fit its bytes`);
  };
  check(first, signers.first);
  if (second === undefined) return 'first';
  check(second, signers.second);
  return 'both';
}
