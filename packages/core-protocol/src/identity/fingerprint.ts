import { concatBytes, toHex, utf8 } from '../bytes.ts';
import type { CryptoProvider, PeerId } from '../ports/index.ts';
import { emojiTable } from './emoji.ts';
import { publicKeyFromPeerId } from './peer-id.ts';

/** A key in forms that people compare. */
export interface Fingerprint {
  /** Eight pictures: 48 bits of the hash, enough to notice a mix-up; the hex is what an attacker cannot match. */
  readonly emoji: readonly string[];
  /** The pictures' names, in the same order. */
  readonly words: readonly string[];
  /** SHA-256, 64 digits. */
  readonly hex: string;
}
export interface NamedEmoji {
  readonly emoji: string;
  readonly name: string;
}

/** SHA-256("peerai/fingerprint/1" ‖ 0x00 ‖ public key), as pictures, words and hex. */
export function fingerprint(crypto: CryptoProvider, publicKey: Uint8Array): Fingerprint {
  const hash = crypto.sha256(utf8('peerai/fingerprint/1\0'), publicKey);
  const named = namedEmoji(hash, 8);
  return { emoji: named.map(({ emoji }) => emoji), words: named.map(({ name }) => name), hex: toHex(hash) };
}

/**
 * Four pictures that both sides of a pairing show, whichever way round they pass the peers; both must hold the invite's secret.
 * HKDF-SHA256(secret, info = "peerai/compare/1" ‖ 0x00 ‖ lower key ‖ higher key): 24 bits, for a person who looks once.
 */
export function compareEmoji(crypto: CryptoProvider, a: PeerId, b: PeerId, secret: Uint8Array): readonly NamedEmoji[] {
  const keys = [a, b].map(publicKeyFromPeerId).sort((left, right) => (toHex(left) < toHex(right) ? -1 : 1));
  const info = concatBytes(utf8('peerai/compare/1\0'), ...keys);
  return namedEmoji(crypto.hkdfSha256(secret, new Uint8Array(), info, 3), 4);
}

/** Six bits a picture, from the first bit on. */
function namedEmoji(bytes: Uint8Array, count: number): readonly NamedEmoji[] {
  return Array.from({ length: count }, (_, index) => {
    const bit = index * 6;
    const pair = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    const [emoji, name] = emojiTable[(pair >> (10 - (bit & 7))) & 63] ?? ['', ''];
    return { emoji, name };
  });
}
