import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { base64 } from '@scure/base';
import { concatBytes, equalBytes, fromHex, fromUtf8, toHex, utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import type { CryptoProvider, Random } from '../ports/index.ts';

/** AES-256-GCM's nonce and tag, bytes; they stand before the ciphertext here. */
const nonceBytes = 12;
const tagBytes = 16;
const noHeader = new Uint8Array();

/**
 * The text sealed with a secret both sides hold: base64(nonce 12 ‖ tag 16 ‖ AES-256-GCM ciphertext), key SHA-256 of the secret's text. The form of
 * the first assistants, kept for them: nothing but the text is bound, and the secret opens everything that was ever sealed with it.
 */
export function sealWithSecret(
  { crypto, random }: { readonly crypto: CryptoProvider; readonly random: Random },
  secret: string,
  text: string,
): string {
  const nonce = random.bytes(nonceBytes);
  const sealed = crypto.aead['aes-256-gcm'].seal(crypto.sha256(utf8(secret)), nonce, utf8(text), noHeader);
  const [ciphertext, tag] = [sealed.subarray(0, -tagBytes), sealed.subarray(-tagBytes)];
  return base64.encode(concatBytes(nonce, tag, ciphertext));
}

/**
 * The text, and the nonce by which a repeated envelope is known (hex).
 * Throws DECRYPTION_FAILED "Failed to decrypt message" for another secret, changed bytes, and what is no envelope at all.
 */
export function openWithSecret(
  crypto: CryptoProvider,
  secret: string,
  envelope: string,
): { readonly text: string; readonly nonce: string } {
  try {
    const bytes = base64.decode(envelope);
    const nonce = bytes.subarray(0, nonceBytes);
    const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes);
    if (tag.length !== tagBytes) throw new RangeError('too short');
    const sealed = concatBytes(bytes.subarray(nonceBytes + tagBytes), tag);
    const text = fromUtf8(crypto.aead['aes-256-gcm'].open(crypto.sha256(utf8(secret)), nonce, sealed, noHeader));
    return { text, nonce: toHex(nonce) };
  } catch (cause) {
    throw new PeerAiError('DECRYPTION_FAILED', 'Failed to decrypt message', {}, { cause });
  }
}

/** HMAC-SHA256 of the plain text under the secret's own bytes, hex: the older form, which hides nothing. */
export function signWithSecret(secret: string, text: string): string {
  return toHex(hmac(sha256, utf8(secret), utf8(text)));
}

/** Throws INVALID_SIGNATURE "HMAC mismatch". Compared in constant time. */
export function checkWithSecret(secret: string, text: string, signature: string): void {
  const given = /^[0-9a-fA-F]{64}$/.test(signature) ? fromHex(signature) : new Uint8Array();
  if (equalBytes(given, fromHex(signWithSecret(secret, text)))) return;
  throw new PeerAiError('INVALID_SIGNATURE', 'HMAC mismatch');
}
