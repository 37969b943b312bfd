import { PeerAiError } from '@peerai/core-protocol';

/** Stands in for `@noble/ciphers/aes.js` in the guest's page: its live links use ChaCha20-Poly1305 alone. */
export function gcm(): never {
  throw new PeerAiError('REFUSED', 'the guest’s page is built without AES');
}
