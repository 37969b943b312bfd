import { type CryptoProvider, toHex } from '@peerai/core-protocol';
import type { BlobSource } from '@peerai/core-protocol/blob';

/** Bytes in memory under their SHA-256, for others to fetch while they are here. */
export interface BlobTable extends BlobSource {
  /** @param sha256 - where it is known already. */
  put(bytes: Uint8Array, sha256?: Uint8Array): Uint8Array;
  delete(sha256: Uint8Array): void;
}

export function createBlobTable(crypto: CryptoProvider): BlobTable {
  const held = new Map<string, Uint8Array>();
  return {
    put(bytes, sha256 = crypto.sha256(bytes)) {
      held.set(toHex(sha256), bytes);
      return sha256;
    },
    delete: (sha256) => void held.delete(toHex(sha256)),
    length: async (sha256) => held.get(toHex(sha256))?.length,
    read: async (sha256, offset, count) =>
      held.get(toHex(sha256))?.subarray(offset, offset + count) ?? new Uint8Array(),
  };
}
