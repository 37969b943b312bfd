import type { CryptoProvider, PeerId } from '@peerai/core-protocol';
import { createReceiptChecker, type ReceiptChecker } from '../receipt/chain.ts';
import { receiptKind } from '../receipt/receipt.ts';
import { orDamaged } from './damaged.ts';
import { type Entry, noPrevious } from './entry.ts';
import { appendLeaf, type CompactRange, emptyRange } from './merkle.ts';
import { createTrainingClaims, isTrainingClaim, type TrainingClaims } from './training-claim.ts';
import { trainingRoundKind } from './training-round.ts';

/** How far a check has come. */
export interface Progress {
  range: CompactRange;
  previous: Uint8Array;
  readonly receipts: ReceiptChecker;
  readonly claims: TrainingClaims;
  readonly origin: PeerId;
  rounds: number;
  /** Of the tiles that the newest entry completed. */
  tileRoots: readonly Uint8Array[];
}
export const startProgress = (crypto: CryptoProvider, origin: PeerId): Progress => ({
  range: emptyRange,
  previous: noPrevious,
  receipts: createReceiptChecker(crypto, origin),
  claims: createTrainingClaims(crypto, origin),
  origin,
  rounds: 0,
  tileRoots: [],
});

/** Counts an entry as good, its receipt, and what it says of a round, too. Throws LEDGER_DAMAGED when that is not. */
export function advance(crypto: CryptoProvider, progress: Progress, entry: Entry, leaf: Uint8Array): void {
  if (entry.kind === receiptKind) orDamaged(entry.seq, () => progress.receipts.take(entry.body));
  if (isTrainingClaim(entry.kind)) orDamaged(entry.seq, () => progress.claims.take(entry));
  if (entry.kind === trainingRoundKind) progress.rounds += 1;
  const tileRoots: Uint8Array[] = [];
  progress.range = appendLeaf(crypto, progress.range, leaf, tileRoots);
  progress.tileRoots = tileRoots;
  progress.previous = leaf;
}
