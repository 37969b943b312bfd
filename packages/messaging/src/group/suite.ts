import { type CryptoProvider, equalBytes, type Identity, PeerAiError, type Random } from '@peerai/core-protocol';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { CipherSuite } from 'hpke';
import type { CiphersuiteImpl, Hpke } from 'ts-mls';
import { chacha20Poly1305, dhkemX25519, hkdfSha256, type RawKey } from './dhkem.ts';

export interface SuiteDeps {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly identity: Identity;
}

/**
 * MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519 (RFC 9420 section 17.1, number 3) for ts-mls, without WebCrypto: ciphers, curves and signatures
 * by our provider, randomness from our Random. It signs with the peer's own key, so no MLS state ever holds a signing key.
 */
export function mlsSuite(deps: SuiteDeps): CiphersuiteImpl {
  const { crypto, random, identity } = deps;
  const kdf = hkdfSha256();
  return {
    name: 'MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519',
    hash: {
      digest: async (data) => crypto.sha256(data),
      mac: async (key, data) => hmac(sha256, key, data),
      verifyMac: async (key, mac, data) => equalBytes(hmac(sha256, key, data), mac),
    },
    kdf: {
      size: 32,
      extract: (salt, ikm) => kdf.Extract(salt, ikm),
      expand: (prk, info, length) => kdf.Expand(prk, info, length),
    },
    rng: { randomBytes: (count) => random.bytes(count) },
    signature: {
      sign: async (_key, message) => identity.sign(message),
      verify: async (publicKey, message, signature) => crypto.ed25519.verify(signature, message, publicKey),
      keygen: () => Promise.reject(new PeerAiError('INTERNAL', 'members sign with their own key')),
    },
    hpke: hpkeOf(deps),
  };
}

type Bytes = Uint8Array;

function hpkeOf({ crypto, random }: SuiteDeps): Hpke {
  const suite = new CipherSuite(dhkemX25519(crypto, random), hkdfSha256, chacha20Poly1305(crypto));
  const cipher = crypto.aead['chacha20-poly1305'];
  const none = new Uint8Array();
  const own = {
    keyLength: 32,
    nonceLength: 12,
    open: (key: RawKey, enc: Bytes, sealed: Bytes, info: Bytes, aad: Bytes = none) =>
      suite.Open(key, enc, sealed, { info, aad }),
    seal: async (key: RawKey, plain: Bytes, info: Bytes, aad: Bytes = none) => {
      const { ciphertext, encapsulatedSecret } = await suite.Seal(key, plain, { info, aad });
      return { ct: ciphertext, enc: encapsulatedSecret };
    },
    importPrivateKey: (bytes: Bytes) => suite.DeserializePrivateKey(bytes),
    importPublicKey: (bytes: Bytes) => suite.DeserializePublicKey(bytes),
    exportPublicKey: async ({ bytes }: RawKey) => bytes,
    exportPrivateKey: async ({ bytes }: RawKey) => bytes,
    encryptAead: async (key: Bytes, nonce: Bytes, aad: Bytes | undefined, plain: Bytes) =>
      cipher.seal(key, nonce, plain, aad ?? none),
    decryptAead: async (key: Bytes, nonce: Bytes, aad: Bytes | undefined, sealed: Bytes) =>
      cipher.open(key, nonce, sealed, aad ?? none),
    exportSecret: async (key: RawKey, context: Bytes, length: number, info: Bytes) => {
      const { encapsulatedSecret, exportedSecret } = await suite.SendExport(key, context, length, { info });
      return { enc: encapsulatedSecret, secret: exportedSecret };
    },
    importSecret: (key: RawKey, context: Bytes, enc: Bytes, length: number, info: Bytes) =>
      suite.ReceiveExport(key, enc, context, length, { info }),
    deriveKeyPair: (ikm: Bytes) => suite.DeriveKeyPair(ikm),
    generateKeyPair: () => suite.GenerateKeyPair(),
  };
  // ts-mls calls its keys CryptoKey, which is a type where there is a DOM and `any` where there is none; it only hands them back.
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- it is needed with a DOM
  return own as unknown as Hpke;
}
