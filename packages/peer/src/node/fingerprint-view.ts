import { type CryptoProvider, fingerprint, type PeerId, publicKeyFromPeerId } from '@peerai/core-protocol';
import type { Fingerprint } from './node.schema.ts';

export function fingerprintView(crypto: CryptoProvider, peer: PeerId): Fingerprint {
  const { emoji, words, hex } = fingerprint(crypto, publicKeyFromPeerId(peer));
  return { emoji: [...emoji], words: [...words], hex };
}
