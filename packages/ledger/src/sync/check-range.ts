import { type CryptoProvider, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { checkEntry } from '../log/check.ts';
import { damageOf, orDamaged } from '../log/damaged.ts';
import type { Entry } from '../log/entry.ts';
import { checkTrainingRound, trainingRoundKind } from '../log/training-round.ts';
import { openReceipt, receiptKind } from '../receipt/receipt.ts';

/**
 * An entry of another peer's log by itself: its place, what it follows, and where it is a receipt or a round its signatures.
 * That receipts follow each other is seen by a whole check of the copy, which has them all. Throws INVALID_ENTRY with `details.index`.
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
    if (entry.kind === trainingRoundKind) orDamaged(index, () => checkTrainingRound(crypto, entry.body, origin));
    return entry;
  } catch (cause) {
    const damage = damageOf(cause);
    if (damage === undefined) throw cause;
    throw new PeerAiError<LedgerErrorCode>(
      'INVALID_ENTRY',
      `entry ${damage.index} of ${origin} is not taken: ${damage.reason}`,
      { index: damage.index, origin, reason: damage.reason },
      { cause },
    );
  }
}

function checkReceipt(crypto: CryptoProvider, body: Uint8Array, origin: PeerId): void {
  const { receipt, signedBy } = openReceipt(crypto, body);
  if (signedBy !== 'both') throw new PeerAiError('RECEIPT_WRONG', 'a receipt with one signature');
  if (receipt.provider !== origin && receipt.consumer !== origin)
    throw new PeerAiError('RECEIPT_WRONG', 'a receipt between two others');
}
