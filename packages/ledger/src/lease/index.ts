/**
 * Leases: terms that two peers sign, receipts for what came of them, and a book that both sides' sums agree in. For peers that work for each other.
 *
 * @packageDocumentation
 */
export { isOpen, type LeaseAccount, type LeaseBook, type LeaseBookDeps, openLeaseBook, signedReceipt } from './book.ts';
export { leaseLimits } from './limits.ts';
export { amountsOf, type LeaseAmounts, type LeaseProgress, type LeaseState } from './machine.ts';
export {
  countersignLeaseReceipt,
  issueLeaseReceipt,
  type LeaseReceipt,
  leaseReceiptEntry,
  type LeaseUsage,
  nextWorkHash,
  openLeaseReceipt,
  readLeaseReceipt,
} from './receipt.ts';
export type { LeaseRecord } from './rows.ts';
export {
  acceptLease,
  leaseDue,
  leaseEntry,
  leaseMs,
  leasePrice,
  type LeaseTerms,
  offerLease,
  openLease,
  readLease,
} from './terms.ts';
