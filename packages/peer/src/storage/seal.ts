import { concatBytes, type CryptoProvider, equalBytes, fromHex, PeerAiError, utf8 } from '@peerai/core-protocol';
import { chunkIdOf } from '@peerai/ledger/market';
import { storageLimits as limits } from './limits.ts';

/** One key is for one file: so a chunk's place is a nonce that is used once. */
export interface FileKey {
  /** Hex. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}
export interface SealedChunk {
  readonly place: number;
  readonly sealed: Uint8Array;
  /** What it is called at the lender. */
  readonly chunk: string;
}

const nonceOf = (place: number): Uint8Array => {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(8, place);
  return nonce;
};
/** Ties a chunk to its file and place: a lender cannot give one for another. */
const headerOf = ({ id }: FileKey, place: number): Uint8Array =>
  concatBytes(utf8('peerai/stored-chunk/1'), fromHex(id), nonceOf(place));

/**
 * Cuts a file into chunks of `chunkBytes` and seals each with AES-256-GCM, in the order they come; a file of no bytes is one chunk of none.
 *
 * Throws LIMIT_EXCEEDED above `fileBytesMax`, and what `keep` throws.
 */
export async function sealChunks(
  crypto: CryptoProvider,
  key: FileKey,
  bytes: AsyncIterable<Uint8Array>,
  keep: (chunk: SealedChunk) => Promise<void>,
): Promise<{ readonly bytes: number; readonly chunks: number }> {
  let [total, place, filled] = [0, 0, 0];
  const buffer = new Uint8Array(limits.chunkBytes);
  const flush = async (): Promise<void> => {
    const plain = buffer.slice(0, filled);
    const sealed = crypto.aead['aes-256-gcm'].seal(key.key, nonceOf(place), plain, headerOf(key, place));
    await keep({ place, sealed, chunk: chunkIdOf(crypto, sealed) });
    place += 1;
    filled = 0;
  };
  for await (const piece of bytes) {
    total += piece.length;
    if (total > limits.fileBytesMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `a stored file has at most ${limits.fileBytesMax} bytes`);
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + limits.chunkBytes - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === limits.chunkBytes) await flush();
    }
  }
  if (filled > 0 || place === 0) await flush();
  return { bytes: total, chunks: place };
}

/** Throws HASH_MISMATCH for other bytes than those that were stored. */
export function unsealChunk(
  crypto: CryptoProvider,
  key: FileKey,
  place: number,
  chunk: string,
  sealed: Uint8Array,
): Uint8Array {
  const wrong = (): PeerAiError => new PeerAiError('HASH_MISMATCH', 'the lender gave other bytes than were stored');
  if (!equalBytes(fromHex(chunkIdOf(crypto, sealed)), fromHex(chunk))) throw wrong();
  try {
    return crypto.aead['aes-256-gcm'].open(key.key, nonceOf(place), sealed, headerOf(key, place));
  } catch {
    throw wrong();
  }
}
