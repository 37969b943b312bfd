import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { bytesOf, numberOf, readFields, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

/** What a sealed plain text is padded to, bytes (docs/protocol/mailbox.md). */
const SIZES = [1_024, 4_096, 16_384, 65_536, 262_144, 1_054_720];
// KEM 0x647a, KDF 0x0001, AEAD 0x0003.
const SUITE = Buffer.from('HPKE\x64\x7a\x00\x01\x00\x03', 'latin1');
const TAG_BYTES = 16;

export interface LetterKey {
  /** 1,216 bytes. */
  readonly publicKey: Buffer;
  readonly secretKey: Buffer;
}

/** An MLKEM768-X25519 key pair. */
export function letterKeyOf(seed: Uint8Array = randomBytes(32)): LetterKey {
  const { publicKey, secretKey } = ml_kem768_x25519.keygen(seed);
  return { publicKey: Buffer.from(publicKey), secretKey: Buffer.from(secretKey) };
}

/** Seals a content for who has the letter key, as HPKE in base mode. */
export function seal(publicKey: Buffer, content: Buffer, purpose = 'letter'): Buffer {
  const { cipherText, sharedSecret } = ml_kem768_x25519.encapsulate(publicKey);
  const { key, nonce } = scheduleOf(sharedSecret, purpose);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  const body = Buffer.concat([cipher.update(pad(content)), cipher.final(), cipher.getAuthTag()]);
  return writeFields([
    [1, 1n],
    [2, keyIdOf(publicKey)],
    [3, cipherText],
    [4, body],
  ]);
}

/** Opens what was sealed for this key. Throws DECRYPTION_FAILED. */
export function open(own: LetterKey, sealed: Buffer, purpose = 'letter'): Buffer {
  const fields = readFields(sealed);
  if (numberOf(fields, 1) !== 1n || !bytesOf(fields, 2).equals(keyIdOf(own.publicKey))) {
    throw new Refusal('DECRYPTION_FAILED', 'this was sealed for another key');
  }
  const { key, nonce } = scheduleOf(ml_kem768_x25519.decapsulate(bytesOf(fields, 3), own.secretKey), purpose);
  const body = bytesOf(fields, 4);
  const cipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAuthTag(body.subarray(-TAG_BYTES));
  try {
    return unpad(Buffer.concat([cipher.update(body.subarray(0, -TAG_BYTES)), cipher.final()]));
  } catch {
    throw new Refusal('DECRYPTION_FAILED', 'the seal does not hold');
  }
}

const keyIdOf = (publicKey: Buffer): Buffer => createHash('sha256').update(publicKey).digest().subarray(0, 8);

function pad(content: Buffer): Buffer {
  const size = SIZES.find((one) => one >= content.length + 4);
  if (size === undefined) throw new Refusal('LIMIT_EXCEEDED', 'this is too long for a letter');
  const padded = Buffer.alloc(size);
  padded.writeUInt32BE(content.length);
  content.copy(padded, 4);
  return padded;
}

function unpad(padded: Buffer): Buffer {
  const content = padded.subarray(4, 4 + padded.readUInt32BE());
  if (!pad(content).equals(padded)) throw new Refusal('INVALID_FORMAT', 'this is padded in another way');
  return content;
}

/** The key schedule of RFC 9180, section 5.1, mode base. */
function scheduleOf(sharedSecret: Uint8Array, purpose: string): { readonly key: Buffer; readonly nonce: Buffer } {
  const none = Buffer.alloc(0);
  const info = Buffer.from(`peerai/sealed/1/${purpose}`);
  const context = Buffer.concat([
    Buffer.from([0]),
    labeledExtract(none, 'psk_id_hash', none),
    labeledExtract(none, 'info_hash', info),
  ]);
  const secret = labeledExtract(sharedSecret, 'secret', none);
  return {
    key: labeledExpand(secret, 'key', context, 32),
    nonce: labeledExpand(secret, 'base_nonce', context, 12),
  };
}

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer => {
  const made = createHmac('sha256', key);
  for (const part of parts) made.update(part);
  return made.digest();
};
const labeled = (label: string): Buffer => Buffer.concat([Buffer.from('HPKE-v1'), SUITE, Buffer.from(label)]);

function labeledExtract(salt: Uint8Array, label: string, input: Buffer): Buffer {
  return hmac(salt, labeled(label), input);
}

/** At most one block of SHA-256. */
function labeledExpand(secret: Buffer, label: string, info: Buffer, bytes: number): Buffer {
  return hmac(secret, Buffer.from([0, bytes]), labeled(label), info, Buffer.from([1])).subarray(0, bytes);
}
