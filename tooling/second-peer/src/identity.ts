import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { peerIdOf } from './peer-id.ts';

/** An Ed25519 key that signs, with the id that docs/protocol/messages.md gives it. */
export interface Identity {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  readonly peerId: string;
  /** Ed25519 of RFC 8032: 64 bytes. */
  sign(bytes: Uint8Array): Buffer;
}

// The fixed heads of RFC 8410 before a raw key of 32 bytes.
const PRIVATE_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** The y coordinates of the points of small order, little-endian, without the sign bit. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
]);

/** The identity of an Ed25519 seed of 32 bytes. */
export function identityOf(seed: Uint8Array): Identity {
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_HEAD, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { publicKey, peerId: peerIdOf(publicKey), sign: (bytes) => sign(null, bytes, key) };
}

/** Whether `signature` is one of `publicKey` over `bytes`. A key of small order proves nothing. */
export function verifies(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const bare = Buffer.from(publicKey);
  bare[31] = (bare[31] ?? 0) & 0x7f;
  if (SMALL_ORDER.has(bare.toString('hex'))) return false;
  const key = createPublicKey({
    key: Buffer.concat([PUBLIC_HEAD, publicKey]),
    format: 'der',
    type: 'spki',
  });
  return verify(null, bytes, key, signature);
}
