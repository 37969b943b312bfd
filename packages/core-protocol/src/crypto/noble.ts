import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concatBytes, equalBytes } from '../bytes.ts';
import type { Aead, CryptoProvider } from '../ports/index.ts';
import { aeadKeyBytes, aeadNonceBytes, checkAeadKey, checkHkdfLength, decryptionFailed, keyRefused } from './rules.ts';

const { Point } = ed25519;
const order = Point.Fn.ORDER;

/** The primitives in plain TypeScript (@noble/*, audited): the reference, and what runs in a browser tab. */
export const nobleCrypto: CryptoProvider = {
  sha256: (...parts) => sha256(parts.length === 1 && parts[0] !== undefined ? parts[0] : concatBytes(...parts)),
  hkdfSha256(secret, salt, info, length) {
    checkHkdfLength(length);
    return hkdf(sha256, secret, salt, info, length);
  },
  ed25519: {
    publicKey: (seed) => keyRefused('an Ed25519 seed has 32 bytes', () => ed25519.getPublicKey(seed)),
    sign: (message, seed) => keyRefused('an Ed25519 seed has 32 bytes', () => ed25519.sign(message, seed)),
    verify,
  },
  x25519: {
    publicKey: (secret) => keyRefused('an X25519 secret has 32 bytes', () => x25519.getPublicKey(secret)),
    shared: (secret, publicKey) =>
      keyRefused('this X25519 key gives no secret', () => x25519.getSharedSecret(secret, publicKey)),
  },
  mlKem768: {
    keys: (seed) => keyRefused('an ML-KEM-768 seed has 64 bytes', () => pick(ml_kem768.keygen(seed))),
    encapsulate: (publicKey, seed) =>
      keyRefused('not an ML-KEM-768 key and a 32-byte seed', () => {
        const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, seed);
        return { ciphertext: cipherText, secret: sharedSecret };
      }),
    decapsulate: (ciphertext, secretKey) =>
      keyRefused('not an ML-KEM-768 ciphertext and key', () => ml_kem768.decapsulate(ciphertext, secretKey)),
  },
  aead: { 'aes-256-gcm': aead(gcm), 'chacha20-poly1305': aead(chacha20poly1305) },
};

/**
 * RFC 8032 section 5.1.7 without the cofactor: S < L, A of large order, and SB − kA must encode to exactly the R that came.
 * noble's own `verify` accepts an R with a small-order part, which OpenSSL refuses; one rule everywhere, or a shared log forks.
 */
function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= order) return false;
  try {
    const a = Point.fromBytes(publicKey, false);
    if (a.isSmallOrder()) return false;
    const k = littleEndian(sha512(concatBytes(r, publicKey, message))) % order;
    return equalBytes(Point.BASE.multiplyUnsafe(s).add(a.negate().multiplyUnsafe(k)).toBytes(), r);
  } catch {
    return false;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index -= 1) value = (value << 8n) | BigInt(bytes[index] ?? 0);
  return value;
}

function pick({ publicKey, secretKey }: { publicKey: Uint8Array; secretKey: Uint8Array }): {
  publicKey: Uint8Array;
  secretKey: Uint8Array;
} {
  return { publicKey, secretKey };
}

type Cipher = (
  key: Uint8Array,
  nonce: Uint8Array,
  header: Uint8Array,
) => { encrypt(plain: Uint8Array): Uint8Array; decrypt(sealed: Uint8Array): Uint8Array };

function aead(cipher: Cipher): Aead {
  return {
    seal(key, nonce, plain, header) {
      checkAeadKey(key, nonce);
      return cipher(key, nonce, header).encrypt(plain);
    },
    open(key, nonce, sealed, header) {
      if (key.length !== aeadKeyBytes || nonce.length !== aeadNonceBytes) throw decryptionFailed();
      try {
        return cipher(key, nonce, header).decrypt(sealed);
      } catch {
        throw decryptionFailed();
      }
    },
  };
}
