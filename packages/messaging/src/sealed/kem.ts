import { PeerAiError, type Random } from '@peerai/core-protocol';
import { ml_kem768_x25519 as hybrid } from '@noble/post-quantum/hybrid.js';
import type { KEMFactory, Key } from 'hpke';

/** A key of the hybrid as `hpke` hands it around. */
export interface HybridKey extends Key {
  readonly bytes: Uint8Array;
}
const publicKeyBytes = 1_216;
const secretKeyBytes = 32;
const ciphertextBytes = 1_120;

export function hybridKey(type: 'private' | 'public', bytes: Uint8Array): HybridKey {
  if (bytes.length === (type === 'public' ? publicKeyBytes : secretKeyBytes)) {
    return { algorithm: { name: 'MLKEM768-X25519' }, extractable: true, type, bytes };
  }
  throw new PeerAiError('KEY_REFUSED', 'an MLKEM768-X25519 key has 1,216 bytes, its secret 32');
}

/** The public key that goes with a 32-byte secret. */
export const hybridPublicKey = (secret: Uint8Array): Uint8Array => hybrid.keygen(secret).publicKey;

const pairOf = (secret: Uint8Array) => ({
  privateKey: hybridKey('private', secret),
  publicKey: hybridKey('public', hybridPublicKey(secret)),
});

/**
 * MLKEM768-X25519 (X-Wing; draft-ietf-hpke-pq, KEM id 0x647a) of @noble/post-quantum, with our Random: `hpke`'s own needs WebCrypto, and
 * @panva/hpke-noble draws its randomness itself and pins an older noble.
 */
export function hybridKem(random: Random): KEMFactory<HybridKey> {
  const generate = async () => pairOf(random.bytes(secretKeyBytes));
  return () => ({
    id: 0x647a,
    type: 'KEM',
    name: 'MLKEM768-X25519',
    Nsecret: 32,
    Nenc: ciphertextBytes,
    Npk: publicKeyBytes,
    Nsk: secretKeyBytes,
    DeriveKeyPair: () => Promise.reject(new PeerAiError('INTERNAL', 'letter keys are drawn, not derived')),
    GenerateKeyPair: generate,
    SerializePublicKey: async ({ bytes }) => bytes,
    DeserializePublicKey: async (bytes) => hybridKey('public', bytes.slice()),
    SerializePrivateKey: async ({ bytes }) => bytes,
    DeserializePrivateKey: async (bytes) => hybridKey('private', bytes.slice()),
    Encap: async ({ bytes }) => {
      const { cipherText, sharedSecret } = hybrid.encapsulate(bytes, random.bytes(64));
      return { shared_secret: sharedSecret, enc: cipherText };
    },
    Decap: async (enc, { bytes }) => hybrid.decapsulate(enc, bytes),
  });
}
