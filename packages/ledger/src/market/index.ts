/**
 * The market: what peers owe each other, computed from what both signed, and where it is settled. For peers that work for each other at a price.
 *
 * @packageDocumentation
 */
export { isMeteredOpen, type MeteredBook, type MeteredBookDeps, openMeteredBook } from './book.ts';
export { agreeToEnd, type LeaseEnd, leaseEndEntry, openEnd, signEnd } from './end.ts';
export { checkEvidence, encodeEvidence, type Evidence } from './evidence.ts';
export type { LeaseDocument } from './collect.ts';
export { openFinalReceipt } from './final-receipt.ts';
export { type Fault, judgeLease, type Verdict } from './judge.ts';
export { marketLimits } from './limits.ts';
export { createLocalSettlement } from './local-settlement.ts';
export { openPoints, pointsEntry, type PointsMove, type PointsPolicy, signPoints } from './points.ts';
export type { PointsStanding } from './points-standing.ts';
export { refusedReceiptEntry } from './refused-receipt.ts';
export { type MarketStanding, replayMarket } from './replay.ts';
export type { MeteredRecord, MeteredState } from './rows.ts';
export type { Escrow, EscrowState, EscrowTerms, FinalReceipt, LogHead, Settlement } from './settlement.ts';
export { admitLease, type Between, type LeaseStanding, tokensOf } from './standing.ts';
export {
  challengedPlaces,
  countersignStorage,
  issueStorageReceipt,
  openStorageReceipt,
  readStorageReceipt,
  storageProof,
  type StorageReceipt,
  storageReceiptEntry,
} from './storage.ts';
export {
  encodeShown,
  falseAnswerEntry,
  openFalseAnswer,
  openStorageAnswer,
  signStorageAnswer,
  type StorageAnswer,
} from './storage-answer.ts';
export { challengedLeaves, chunkIdOf, provenBy, showLeaf, type ShownLeaf, type StoredChunk } from './storage-tree.ts';
export {
  acceptMetered,
  meteredDue,
  meteredLeaseEntry,
  meteredMs,
  meteredPrice,
  type MeteredResource,
  type MeteredTerms,
  offerMetered,
  openMetered,
  readMetered,
} from './terms.ts';
