import { concatBytes, type CryptoProvider, type Identity, type Random, utf8 } from '@peerai/core-protocol';

export interface Sealing {
  readonly crypto: CryptoProvider;
  readonly random: Random;
}
const nonceBytes = 12;

/** The bytes for the store, which only this key opens again, and only for this purpose. */
export function sealFor({ crypto, random }: Sealing, identity: Identity, purpose: string, secret: Uint8Array) {
  const nonce = random.bytes(nonceBytes);
  const sealed = crypto.aead['aes-256-gcm'].seal(keyOf(crypto, identity, purpose), nonce, secret, utf8(purpose));
  return concatBytes(nonce, sealed);
}

/** Throws DECRYPTION_FAILED. */
export function openFor(crypto: CryptoProvider, identity: Identity, purpose: string, row: Uint8Array): Uint8Array {
  const [nonce, sealed] = [row.subarray(0, nonceBytes), row.subarray(nonceBytes)];
  return crypto.aead['aes-256-gcm'].open(keyOf(crypto, identity, purpose), nonce, sealed, utf8(purpose));
}

/** Ed25519 gives the same signature each time (RFC 8032), and nobody without the key can make it; nobody is ever sent this one. */
function keyOf(crypto: CryptoProvider, identity: Identity, purpose: string): Uint8Array {
  const info = utf8(purpose);
  return crypto.hkdfSha256(identity.sign(info), new Uint8Array(), info, 32);
}
