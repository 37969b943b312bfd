import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from 'node:crypto';

// The fixed heads of RFC 8410 before a raw X25519 key of 32 bytes.
const PRIVATE_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b656e032100', 'hex');

/** The public key of an X25519 private key of 32 bytes. */
export function x25519Public(secret: Uint8Array): Buffer {
  return createPublicKey(privateOf(secret)).export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** RFC 7748: 32 bytes. Throws where the result would be all zero. */
export function x25519(secret: Uint8Array, publicKey: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, publicKey]), format: 'der', type: 'spki' });
  return diffieHellman({ privateKey: privateOf(secret), publicKey: key });
}

/** HKDF-SHA256 of RFC 5869. */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array | string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, bytes));
}

function privateOf(secret: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, secret]), format: 'der', type: 'pkcs8' });
}
