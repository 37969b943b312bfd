/**
 * What is proven: one signed RFC 6962 log per peer, and usage receipts that both sides sign.
 *
 * @example
 * const ledger = await openLedger({ store: store.room('ledger'), identity, crypto, clock });
 * const index = await ledger.append([{ kind: 'note', body }]);
 * verifyProof(crypto, await ledger.prove(index), entryBytes);
 *
 * @packageDocumentation
 */
export type { LedgerErrorCode } from './errors.ts';
export { limits as ledgerLimits } from './limits.ts';
export type { Verification, VerifyOptions } from './log/check.ts';
export type { Damage } from './log/damaged.ts';
export { decodeEntry, type Entry } from './log/entry.ts';
export { leafHash, verifyConsistency, verifyInclusion } from './log/merkle.ts';
export { openCheckpoint, type TreeHead } from './log/note.ts';
export { type LedgerDeps, type NumberedEntry, openLedger, type OpenOptions, type OwnLedger } from './log/open.ts';
export { decodeProof, type ProofFile, type Proven, verifyProof, withEntry } from './log/proof-file.ts';
export {
  decodeTrainingCommit,
  decodeTrainingReveal,
  encodeTrainingCommit,
  encodeTrainingReveal,
  openRevealed,
  type TrainingCommit,
  trainingCommitKind,
  type TrainingReveal,
  trainingRevealKind,
  updateCommitment,
} from './log/training-claim.ts';
export {
  decodeTrainingRound,
  encodeTrainingRound,
  receiptsHash,
  type TrainingRound,
  trainingRoundKind,
} from './log/training-round.ts';
export { type StoredLog, verifyLedger } from './log/verify.ts';
export { type Signed, type VerifyAside } from './log/check.ts';
export { type LogSource, verifyLog } from './log/verify-log.ts';
export { createReceiptBook, type ReceiptBook, type ReceiptBookDeps } from './receipt/book.ts';
export { type ChainTotals, verifyReceiptChain } from './receipt/chain.ts';
export type { CounterpartyTotals, ListedReceipt, ListOptions, ReceiptPage } from './receipt/history.ts';
export { countersign, type ExpectedFacts, issueReceipt, type SignerDeps, type UsageFacts } from './receipt/issue.ts';
export {
  type OpenedReceipt,
  openReceipt,
  readReceipt,
  receiptEntry,
  receiptHash,
  receiptKind,
  type UsageReceipt,
} from './receipt/receipt.ts';
