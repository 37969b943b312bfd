import { concatBytes, type CryptoProvider, PeerAiError, type Random, utf8, wire } from '@peerai/core-protocol';
import { CipherSuite } from 'hpke';
import { chacha20Poly1305, hkdfSha256 } from '../group/dhkem.ts';
import { hybridKem, hybridKey, hybridPublicKey } from './kem.ts';
import { sealedLimits } from './limits.ts';

export interface SealingDeps {
  readonly crypto: CryptoProvider;
  readonly random: Random;
}
/** A key that others seal to; its id is the beginning of its hash. */
export interface LetterKey {
  readonly id: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
}
/** What a sealed thing is for: it opens for nothing else. */
export type SealPurpose = 'letter' | 'hop' | 'answer';

const keyIdBytes = 8;
const sealedCodec = wire.message({
  version: wire.uint32(1),
  /** Which of the receiver's keys opens it. */
  keyId: wire.bytes(2),
  /** The KEM's ciphertext, 1,120 bytes. */
  enc: wire.bytes(3),
  body: wire.bytes(4),
});

export const letterKeyId = (crypto: CryptoProvider, publicKey: Uint8Array): Uint8Array =>
  crypto.sha256(publicKey).slice(0, keyIdBytes);

/** @param secret - 32 bytes of Random. */
export function letterKeyOf(crypto: CryptoProvider, secret: Uint8Array): LetterKey {
  const publicKey = hybridPublicKey(secret);
  return { id: letterKeyId(crypto, publicKey), publicKey, secret };
}

const suiteOf = ({ crypto, random }: SealingDeps) =>
  new CipherSuite(hybridKem(random), hkdfSha256, chacha20Poly1305(crypto));
const infoOf = (purpose: SealPurpose): Uint8Array => utf8(`peerai/sealed/1/${purpose}`);
const cannotOpen = (cause?: unknown): PeerAiError =>
  new PeerAiError('DECRYPTION_FAILED', 'this was not sealed to us, or not whole', {}, { cause });

/** HPKE base mode, one message: only the key's owner can open it, and nothing tells who sealed it. Throws KEY_REFUSED. */
export async function sealTo(
  deps: SealingDeps,
  publicKey: Uint8Array,
  plain: Uint8Array,
  purpose: SealPurpose,
): Promise<Uint8Array> {
  const key = hybridKey('public', publicKey);
  try {
    const sealed = await suiteOf(deps).Seal(key, plain, { info: infoOf(purpose) });
    const { encapsulatedSecret: enc, ciphertext: body } = sealed;
    return sealedCodec.encode({ version: 1, keyId: letterKeyId(deps.crypto, publicKey), enc, body });
  } catch (cause) {
    throw new PeerAiError('KEY_REFUSED', 'nothing can be sealed to this key', {}, { cause });
  }
}

/** Throws INVALID_FORMAT, INVALID_VERSION, DECRYPTION_FAILED, which is also the answer where no key of ours has its id. */
export async function openSealed(
  deps: SealingDeps,
  keys: readonly LetterKey[],
  sealed: Uint8Array,
  purpose: SealPurpose,
): Promise<Uint8Array> {
  const { version, keyId, enc, body } = sealedCodec.decode(sealed);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `sealed version ${version}; this program reads 1`);
  const key = keys.find(({ id }) => id.length === keyId.length && id.every((byte, place) => byte === keyId[place]));
  if (key === undefined) throw cannotOpen();
  try {
    return await suiteOf(deps).Open(hybridKey('private', key.secret), enc, body, { info: infoOf(purpose) });
  } catch (cause) {
    throw cannotOpen(cause);
  }
}

/** Length, content, zeros up to the smallest class that fits. Throws LIMIT_EXCEEDED. */
export function pad(content: Uint8Array): Uint8Array {
  const size = sealedLimits.sizeClasses.find((one) => content.length + 4 <= one);
  if (size === undefined) throw new PeerAiError('LIMIT_EXCEEDED', `${content.length} bytes fit no size class`);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, content.length);
  return concatBytes(length, content, new Uint8Array(size - content.length - 4));
}

/** Throws INVALID_FORMAT, also where the padding is not zeros. */
export function unpad(padded: Uint8Array): Uint8Array {
  const isClass = sealedLimits.sizeClasses.some((size) => size === padded.length);
  const length = isClass ? new DataView(padded.buffer, padded.byteOffset).getUint32(0) : Infinity;
  if (length > padded.length - 4 || padded.subarray(4 + length).some((byte) => byte !== 0)) {
    throw new PeerAiError('INVALID_FORMAT', 'this is not a padded content');
  }
  return padded.slice(4, 4 + length);
}

/** Bytes of each size class once it is sealed: the only lengths a sealed letter has. */
export const sealedSizes: readonly number[] = sealedLimits.sizeClasses.map(
  (size) =>
    sealedCodec.encode({
      version: 1,
      keyId: new Uint8Array(keyIdBytes),
      enc: new Uint8Array(1_120),
      body: new Uint8Array(size + 16),
    }).length,
);
