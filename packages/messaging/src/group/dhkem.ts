import { type CryptoProvider, PeerAiError, type Random } from '@peerai/core-protocol';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type AEADFactory, concat, encode, I2OSP, type KDFFactory, type KEMFactory, type Key } from 'hpke';
import { LabeledExpand, LabeledExtract } from 'hpke';

const algorithm = { name: 'X25519' };

/** An X25519 key as `hpke` hands it around. */
export interface RawKey extends Key {
  readonly bytes: Uint8Array;
}
export function rawKey(type: 'private' | 'public', bytes: Uint8Array): RawKey {
  if (bytes.length !== 32) throw new PeerAiError('KEY_REFUSED', 'an X25519 key has 32 bytes');
  return { algorithm, extractable: true, type, bytes };
}

const never = (): never => {
  throw new PeerAiError('INTERNAL', 'a two-stage KDF has no such step');
};

/** HKDF-SHA256 in its two steps, RFC 5869. */
export const hkdfSha256: KDFFactory = () => ({
  id: 0x0001,
  type: 'KDF',
  name: 'HKDF-SHA256',
  Nh: 32,
  stages: 2,
  Extract: async (salt, ikm) => extract(sha256, ikm, salt),
  Expand: async (prk, info, length) => expand(sha256, prk, info, length),
  Derive: never,
});

export const chacha20Poly1305 =
  (crypto: CryptoProvider): AEADFactory =>
  () => ({
    id: 0x0003,
    type: 'AEAD',
    name: 'ChaCha20Poly1305',
    Nk: 32,
    Nn: 12,
    Nt: 16,
    Seal: async (key, nonce, header, plain) => crypto.aead['chacha20-poly1305'].seal(key, nonce, plain, header),
    Open: async (key, nonce, header, sealed) => crypto.aead['chacha20-poly1305'].open(key, nonce, sealed, header),
  });

/** DHKEM(X25519, HKDF-SHA256), RFC 9180 section 4.1, over our X25519, which refuses an all-zero result, and our Random. */
export function dhkemX25519({ x25519 }: CryptoProvider, random: Random): KEMFactory<RawKey> {
  const kdf = hkdfSha256();
  const suiteId = concat(encode('KEM'), I2OSP(0x0020, 2));
  const none = new Uint8Array();
  const deriveKeyPair = async (ikm: Uint8Array): Promise<{ privateKey: RawKey; publicKey: RawKey }> => {
    const prk = await LabeledExtract(kdf, suiteId, none, encode('dkp_prk'), ikm);
    const secret = await LabeledExpand(kdf, suiteId, prk, encode('sk'), none, 32);
    return { privateKey: rawKey('private', secret), publicKey: rawKey('public', x25519.publicKey(secret)) };
  };
  const shared = async (secret: Uint8Array, theirs: Uint8Array, enc: Uint8Array, receiver: Uint8Array) => {
    const dh = x25519.shared(secret, theirs);
    const prk = await LabeledExtract(kdf, suiteId, none, encode('eae_prk'), dh);
    return LabeledExpand(kdf, suiteId, prk, encode('shared_secret'), concat(enc, receiver), 32);
  };
  return () => ({
    id: 0x0020,
    type: 'KEM',
    name: 'DHKEM(X25519, HKDF-SHA256)',
    Nsecret: 32,
    Nenc: 32,
    Npk: 32,
    Nsk: 32,
    DeriveKeyPair: deriveKeyPair,
    GenerateKeyPair: () => deriveKeyPair(random.bytes(32)),
    SerializePublicKey: async ({ bytes }) => bytes,
    DeserializePublicKey: async (bytes) => rawKey('public', bytes.slice()),
    SerializePrivateKey: async ({ bytes }) => bytes,
    DeserializePrivateKey: async (bytes) => rawKey('private', bytes.slice()),
    Encap: async ({ bytes: receiver }) => {
      const { privateKey, publicKey } = await deriveKeyPair(random.bytes(32));
      const enc = publicKey.bytes;
      return { shared_secret: await shared(privateKey.bytes, receiver, enc, receiver), enc };
    },
    Decap: async (enc, { bytes: secret }, receiver) =>
      shared(secret, enc, enc, receiver?.bytes ?? x25519.publicKey(secret)),
  });
}
