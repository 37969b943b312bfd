import { type CryptoProvider, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { checkEntry } from '../log/check.ts';
import { damageOf, orDamaged } from '../log/damaged.ts';
import type { Entry } from '../log/entry.ts';
import type { TrainingClaims } from '../log/training-claim.ts';
import { openReceipt, receiptKind } from '../receipt/receipt.ts';

/**
 * An entry of another peer's log by itself: its place, what it follows, and where it is a receipt its signatures.
 * That receipts follow each other is seen by a whole check of the copy, which has them all; what is said of rounds is `checkClaim`'s. Throws INVALID_ENTRY with `details.index`.
 */
export function checkForeign(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  expected: { readonly index: bigint; readonly previous: Uint8Array; readonly origin: PeerId },
): Entry {
  const { index, origin } = expected;
  try {
    const entry = checkEntry(bytes, expected);
    if (entry.kind === receiptKind) orDamaged(index, () => checkReceipt(crypto, entry.body, origin));
    return entry;
  } catch (cause) {
    throw notTaken(origin, cause);
  }
}

/** What an entry says of a training round, held against what the log says before it. Throws INVALID_ENTRY with `details.index`. */
export function checkClaim(claims: TrainingClaims, entry: Entry): void {
  try {
    orDamaged(entry.seq, () => claims.take(entry));
  } catch (cause) {
    throw notTaken(entry.origin, cause);
  }
}

function notTaken(origin: PeerId, cause: unknown): unknown {
  const damage = damageOf(cause);
  if (damage === undefined) return cause;
  return new PeerAiError<LedgerErrorCode>(
    'INVALID_ENTRY',
    `entry ${damage.index} of ${origin} is not taken: ${damage.reason}`,
    { index: damage.index, origin, reason: damage.reason },
    { cause },
  );
}

function checkReceipt(crypto: CryptoProvider, body: Uint8Array, origin: PeerId): void {
  const { receipt, signedBy } = openReceipt(crypto, body);
  if (signedBy !== 'both') throw new PeerAiError('RECEIPT_WRONG', 'a receipt with one signature');
  if (receipt.provider !== origin && receipt.consumer !== origin)
    throw new PeerAiError('RECEIPT_WRONG', 'a receipt between two others');
}
