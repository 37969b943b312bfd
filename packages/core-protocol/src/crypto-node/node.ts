import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hash,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { concatBytes, fromHex } from '../bytes.ts';
import { nobleCrypto } from '../crypto/noble.ts';
import { aeadTagBytes, checkAeadKey, checkHkdfLength, decryptionFailed, keyRefused } from '../crypto/rules.ts';
import { PeerAiError } from '../errors.ts';
import type { Aead, AeadName, CryptoProvider } from '../ports/index.ts';
import { keyCache } from './key-cache.ts';
import { nodeCryptoLimits } from './limits.ts';
import { isPlainEd25519Key } from './small-order.ts';

const { keysMax, joinedBytesMax } = nodeCryptoLimits;
/** Where short parts are copied together; a call is over before the next begins. */
const joined = new Uint8Array(joinedBytesMax);

/** RFC 8410: what stands before the 32 raw bytes in PKCS #8 and in SPKI, for X25519 (…6e) and Ed25519 (…70). */
const header = {
  x25519Secret: fromHex('302e020100300506032b656e04220420'),
  x25519Public: fromHex('302a300506032b656e032100'),
  ed25519Secret: fromHex('302e020100300506032b657004220420'),
  ed25519Public: fromHex('302a300506032b6570032100'),
};

const secretKey = (prefix: Uint8Array) =>
  keyCache(keysMax, (bytes) => createPrivateKey({ key: der(prefix, bytes), format: 'der', type: 'pkcs8' }));
const publicKey = (prefix: Uint8Array, accept: (bytes: Uint8Array) => boolean = () => true) =>
  keyCache(keysMax, (bytes) => {
    if (!accept(bytes)) throw new PeerAiError('KEY_REFUSED', 'a key that no signature is taken from');
    return createPublicKey({ key: der(prefix, bytes), format: 'der', type: 'spki' });
  });
const keys = {
  x25519Secret: secretKey(header.x25519Secret),
  x25519Public: publicKey(header.x25519Public),
  ed25519Secret: secretKey(header.ed25519Secret),
  ed25519Public: publicKey(header.ed25519Public, isPlainEd25519Key),
};

/** The primitives of node:crypto (OpenSSL), synchronous. Agrees with `nobleCrypto` on every input; both run the same vectors. */
export const nodeCrypto: CryptoProvider = {
  sha256(...parts) {
    const [only] = parts;
    if (only !== undefined && parts.length === 1) return sha256Of(only);
    let length = 0;
    for (const part of parts) length += part.length;
    if (length <= joinedBytesMax) {
      let offset = 0;
      for (const part of parts) {
        joined.set(part, offset);
        offset += part.length;
      }
      return sha256Of(joined.subarray(0, length));
    }
    const digest = createHash('sha256');
    for (const part of parts) digest.update(part);
    return plain(digest.digest());
  },
  hkdfSha256(secret, salt, info, length) {
    checkHkdfLength(length);
    return new Uint8Array(hkdfSync('sha256', secret, salt, info, length));
  },
  ed25519: {
    publicKey: (seed) => keyRefused('an Ed25519 seed has 32 bytes', () => rawPublic(keys.ed25519Secret(seed))),
    sign: (message, seed) =>
      keyRefused('an Ed25519 seed has 32 bytes', () => plain(sign(null, message, keys.ed25519Secret(seed)))),
    verify: verifyEd25519,
  },
  x25519: {
    publicKey: (secret) => keyRefused('an X25519 secret has 32 bytes', () => rawPublic(keys.x25519Secret(secret))),
    shared: (secret, other) =>
      keyRefused('this X25519 key gives no secret', () =>
        plain(diffieHellman({ privateKey: keys.x25519Secret(secret), publicKey: keys.x25519Public(other) })),
      ),
  },
  // node:crypto draws the encapsulation seed itself and keeps no way to give one; the port promises the same bytes for the same seed.
  mlKem768: nobleCrypto.mlKem768,
  aead: { 'aes-256-gcm': aead('aes-256-gcm'), 'chacha20-poly1305': aead('chacha20-poly1305') },
};

/**
 * OpenSSL is cofactorless and wants S < L. 3.5.8 refuses small-order keys too; that is the rule here whichever OpenSSL a Node brings, held
 * against a key when it is imported: only keys that pass it are ever kept.
 */
function verifyEd25519(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  if (signature.length !== 64 || key.length !== 32) return false;
  try {
    return verify(null, message, keys.ed25519Public(key), signature);
  } catch {
    return false;
  }
}

/** The key as a thread can take it; `undefined` for one that no signature is taken from. */
export function verificationKey(key: Uint8Array): KeyObject | undefined {
  try {
    return keys.ed25519Public(key);
  } catch {
    return undefined;
  }
}

/** node:crypto takes any Uint8Array here; its types know only Buffer. */
function der(prefix: Uint8Array, bytes: Uint8Array): Buffer {
  if (bytes.length !== 32) throw new PeerAiError('KEY_REFUSED', 'a raw key has 32 bytes');
  return concatBytes(prefix, bytes) as Buffer;
}

function rawPublic(secret: KeyObject): Uint8Array {
  return plain(createPublicKey(secret).export({ format: 'der', type: 'spki' })).slice(-32);
}

/** As a text of one character a byte a digest stays inside the heap: half of what a Buffer of it costs. */
function sha256Of(bytes: Uint8Array): Uint8Array {
  const digest = hash('sha256', bytes, 'binary');
  const result = new Uint8Array(32);
  for (let index = 0; index < 32; index += 1) result[index] = digest.charCodeAt(index);
  return result;
}

/** Node's results are Buffers on memory of their own, whose `slice` shares it: callers get what they were promised. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * Both AEADs are stream ciphers: `update` gives all of the text, `final` only makes or checks the tag. A raw key would do, but Node finds out
 * by two errors, thrown and caught, that it is no KeyObject: 16 of 21 µs a call, where importing takes 1.
 */
function aead(name: AeadName): Aead {
  const options = { authTagLength: aeadTagBytes };
  return {
    seal(key, nonce, text, headerBytes) {
      checkAeadKey(key, nonce);
      const cipher = createCipheriv(name as 'aes-256-gcm', createSecretKey(key), nonce, options);
      cipher.setAAD(headerBytes, { plaintextLength: text.length });
      const sealed = cipher.update(text);
      cipher.final();
      return concatBytes(sealed, cipher.getAuthTag());
    },
    open(key, nonce, sealed, headerBytes) {
      try {
        checkAeadKey(key, nonce);
        const cut = sealed.length - aeadTagBytes;
        const decipher = createDecipheriv(name as 'aes-256-gcm', createSecretKey(key), nonce, options);
        decipher.setAAD(headerBytes, { plaintextLength: cut });
        decipher.setAuthTag(sealed.subarray(cut));
        const text = decipher.update(sealed.subarray(0, cut));
        decipher.final();
        return plain(text);
      } catch {
        throw decryptionFailed();
      }
    },
  };
}
