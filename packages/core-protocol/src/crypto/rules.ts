import { PeerAiError } from '../errors.ts';

/** Both AEADs of the port take a 32-byte key and a 12-byte nonce. */
export const aeadKeyBytes = 32;
export const aeadNonceBytes = 12;
export const aeadTagBytes = 16;

/** Throws KEY_REFUSED. */
export function checkAeadKey(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length === aeadKeyBytes && nonce.length === aeadNonceBytes) return;
  throw new PeerAiError('KEY_REFUSED', 'an AEAD takes a key of 32 and a nonce of 12 bytes');
}

/** Says nothing about why: a reason would help whoever guesses. */
export function decryptionFailed(): PeerAiError {
  return new PeerAiError('DECRYPTION_FAILED', 'the sealed bytes do not fit their key, nonce and header');
}

/** What a primitive throws about its keys, in our words. */
export function keyRefused<T>(text: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new PeerAiError('KEY_REFUSED', text, {}, { cause });
  }
}

/** RFC 5869 section 2.3: at most 255 blocks. Throws LIMIT_EXCEEDED. */
export function checkHkdfLength(length: number): void {
  if (Number.isInteger(length) && length > 0 && length <= 255 * 32) return;
  throw new PeerAiError('LIMIT_EXCEEDED', 'HKDF-SHA256 gives 1 to 8160 bytes');
}
