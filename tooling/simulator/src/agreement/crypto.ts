import { concatBytes, type CryptoProvider, createIdentity, type Identity } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';

/**
 * Signatures that cost a hash: who signs with a seed is found out by its public key alone, so this keeps nobody from forging. In the simulator only
 * the liars would, and they sign in their own names. Everything else is the real provider's.
 */
export const cheapCrypto: CryptoProvider = {
  ...nodeCrypto,
  ed25519: {
    publicKey: (seed) => nodeCrypto.sha256(seed),
    sign: (message, seed) => signature(nodeCrypto.sha256(seed), message),
    verify: (given, message, publicKey) => {
      const right = signature(publicKey, message);
      return given.length === 64 && given.every((byte, at) => byte === right[at]);
    },
  },
};

function signature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const half = nodeCrypto.sha256(publicKey, message);
  return concatBytes(half, half);
}

export const identityOf = (crypto: CryptoProvider, seed: number, place: number): Identity =>
  createIdentity(crypto, seededRandom(seed * 1_000 + place).bytes(32));
