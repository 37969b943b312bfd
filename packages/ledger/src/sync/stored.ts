import { type CryptoProvider, PeerAiError, type Store } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { inclusionPath, rootOf } from '../log/merkle.ts';
import { openCheckpoint } from '../log/note.ts';
import { encodeProof } from '../log/proof-file.ts';
import { decodeHead, headKey } from '../log/rows.ts';
import { subtreeReader } from '../log/tiles.ts';
import { claimPrefix, type PrefixClaim } from '../witness/equivocation.ts';

/** What the log in this room had at `size`, and what leads from there to `total` entries. Needs 0 < size ≤ total ≤ entries. */
export async function storedPrefix(
  crypto: CryptoProvider,
  store: Store,
  size: bigint,
  total: bigint,
): Promise<PrefixClaim> {
  const value = size === total ? await store.get(headKey) : undefined;
  const head = value === undefined ? undefined : decodeHead(value);
  if (head?.size === size) return { root: rootOf(crypto, { size, hashes: head.range }), path: [] };
  return claimPrefix(crypto, subtreeReader(crypto, store), size, total);
}

/**
 * A proof file under an earlier checkpoint of the log in this room, such as one that witnesses signed. Throws NOT_IN_LOG when the entry came after it,
 * INVALID_SIGNATURE, INVALID_FORMAT, LEDGER_DAMAGED.
 */
export async function proveUnder(
  crypto: CryptoProvider,
  store: Store,
  index: bigint,
  note: string,
): Promise<Uint8Array> {
  const { size } = openCheckpoint(crypto, note);
  if (index < 0n || index >= size)
    throw new PeerAiError<LedgerErrorCode>('NOT_IN_LOG', `that checkpoint speaks of ${size} entries`, { index, size });
  return encodeProof({ index, note, path: await inclusionPath(crypto, subtreeReader(crypto, store), index, size) });
}
