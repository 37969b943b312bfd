/**
 * Leases: terms that two peers sign, receipts for what came of them, and a book that both sides' sums agree in. For peers that work for each other.
 *
 * @packageDocumentation
 */
export { isOpen, type LeaseAccount, type LeaseBook, type LeaseBookDeps, openLeaseBook } from './book.ts';
export { leaseLimits } from './limits.ts';
export { amountsOf, type LeaseAmounts, type LeaseProgress, type LeaseState } from './machine.ts';
export { type LeaseReceipt, type LeaseUsage, nextWorkHash, openLeaseReceipt, readLeaseReceipt } from './receipt.ts';
export type { LeaseRecord } from './rows.ts';
export { leaseMs, leasePrice, type LeaseTerms, openLease, readLease } from './terms.ts';
