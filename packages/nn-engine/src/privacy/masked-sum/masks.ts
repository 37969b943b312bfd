import { concatBytes, type CryptoProvider, type PeerId, utf8 } from '@peerai/core-protocol';

import type { MemberKeys } from './messages.ts';
import type { CheckedTerms } from './terms.ts';

const noNonce = new Uint8Array(12);
const none = new Uint8Array();

/**
 * Adds the stream of `seed` to the words, or takes it off, modulo 2^32. The stream is ChaCha20's, of a key used for nothing else.
 */
export function addStream(crypto: CryptoProvider, words: Uint32Array, seed: Uint8Array, sign: 1 | -1): void {
  const key = crypto.hkdfSha256(seed, none, utf8('peerai/masked-sum/1 stream'), 32);
  const sealed = crypto.aead['chacha20-poly1305'].seal(key, noNonce, new Uint8Array(words.length * 4), none);
  const stream = new DataView(sealed.buffer, sealed.byteOffset, words.length * 4);
  for (let index = 0; index < words.length; index += 1)
    words[index] = (words[index] ?? 0) + sign * stream.getUint32(index * 4, true);
}

/** The mask two members have in common: the first in order adds it, the other takes it off. */
export function pairSeed(
  crypto: CryptoProvider,
  terms: CheckedTerms,
  secret: Uint8Array,
  other: Pick<MemberKeys, 'maskKey'>,
): Uint8Array {
  return crypto.hkdfSha256(
    crypto.x25519.shared(secret, other.maskKey),
    terms.hash,
    utf8('peerai/masked-sum/1 pair'),
    32,
  );
}

export const pairSign = (self: PeerId, other: PeerId): 1 | -1 => (self < other ? 1 : -1);

/** The key for one member's shares to one other; each is used once. */
export function shareKey(
  crypto: CryptoProvider,
  terms: CheckedTerms,
  secret: Uint8Array,
  sealKey: Uint8Array,
  way: { readonly from: PeerId; readonly to: PeerId },
): Uint8Array {
  const info = concatBytes(utf8('peerai/masked-sum/1 shares'), Uint8Array.of(0), utf8(`${way.from} ${way.to}`));
  return crypto.hkdfSha256(crypto.x25519.shared(secret, sealKey), terms.hash, info, 32);
}

export const sealShares = (crypto: CryptoProvider, key: Uint8Array, shares: Uint8Array): Uint8Array =>
  crypto.aead['chacha20-poly1305'].seal(key, noNonce, shares, none);

/** Throws DECRYPTION_FAILED. */
export const openShares = (crypto: CryptoProvider, key: Uint8Array, sealed: Uint8Array): Uint8Array =>
  crypto.aead['chacha20-poly1305'].open(key, noNonce, sealed, none);
