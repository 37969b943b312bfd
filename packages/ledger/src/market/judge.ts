import { type CryptoProvider, type EntryBody, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { collect, newestOf } from './collect.ts';
import type { LeaseEnd } from './end.ts';
import { type ReceiptFault, receiptFault } from './receipt-fault.ts';
import { dueOf } from './standing.ts';

/** Why a peer's own signatures speak against it. */
export type Fault =
  /** It signed an end that names a receipt with another amount than both signed there. */
  | 'false-amount'
  /** It signed an end as if its own later signature under a receipt were not there. */
  | 'receipt-denied'
  /** It signed two receipts in one place of one lease, and so did the other. */
  | 'signed-twice'
  /** It signed, as its answer to a challenge, a leaf that is not of the chunk it names. */
  | 'false-answer'
  /** Lender: it signed a receipt that is wrong by its own terms, whether or not the borrower signed it. */
  | ReceiptFault;
export interface Verdict {
  /** Hex. */
  readonly lease: string;
  readonly lender: PeerId;
  readonly borrower: PeerId;
  /** Whether one of the two ended the lease as disputed. */
  readonly disputed: boolean;
  readonly faults: ReadonlyMap<PeerId, Fault>;
  /** The one without a fault, where the other has one. */
  readonly winner: PeerId | undefined;
}

/**
 * What signed documents alone decide about a lease: the same for everybody who has the same documents, whatever the two say of each other. Each peer is
 * held against its own signatures. Whether work was good is decided by nobody here: then there is no fault, and no winner.
 *
 * Throws NOT_FOUND where the lease is not among the documents, LIMIT_EXCEEDED for too many of them.
 */
export function judgeLease(crypto: CryptoProvider, lease: string, documents: Iterable<EntryBody>): Verdict {
  const found = collect(crypto, documents);
  const document = found.leases.get(lease);
  if (document === undefined)
    throw new PeerAiError<LedgerErrorCode>('NOT_FOUND', 'the lease itself is not among these documents');
  const { lender, borrower } = document.terms;
  const receipts = (found.receipts.get(lease) ?? []).filter(({ value }) => dueOf(document, value) !== undefined);
  const { newest, twice } = newestOf(receipts);
  const isOfBoth = ({ by, other }: LeaseEnd): boolean =>
    (by === lender && other === borrower) || (by === borrower && other === lender);
  const ends = (found.ends.get(lease) ?? []).filter(({ end }) => isOfBoth(end));
  const faults = new Map<PeerId, Fault>();
  // Two bodies in one place carry both names: neither can hold it against the other.
  if (twice) faults.set(lender, 'signed-twice').set(borrower, 'signed-twice');
  for (const { end, signedBy } of ends) {
    if (signedBy === 'both') continue;
    const here = receipts.filter(({ n }) => n === end.n);
    const [one] = here;
    if (one !== undefined && here.length === 1 && dueOf(document, one.value) !== end.due)
      faults.set(end.by, 'false-amount');
    // The second signature of a receipt is its borrower's: it knows of each. A lender may not have it back yet.
    else if (end.by === borrower && end.n < (newest?.n ?? 0) && !faults.has(end.by))
      faults.set(end.by, 'receipt-denied');
  }
  const isStorage = document.kind === 'metered' && document.terms.resource === 'storage';
  const isHere = ({ lender: by, borrower: of }: { readonly lender: PeerId; readonly borrower: PeerId }): boolean =>
    by === lender && of === borrower;
  if (isStorage && (found.falseAnswers.get(lease) ?? []).some(isHere)) faults.set(lender, 'false-answer');
  const signedBefore = receipts.map(({ value }) => value);
  const wrong = (found.halves.get(lease) ?? []).map((half) => receiptFault(lease, document, half, signedBefore));
  const [fault] = wrong.filter((one) => one !== undefined).toSorted();
  if (fault !== undefined) faults.set(lender, fault);
  const disputed = ends.some(({ end }) => end.outcome === 'disputed');
  const guilty = [lender, borrower].filter((peer) => faults.has(peer));
  const winner = guilty.length === 1 ? [lender, borrower].find((peer) => !faults.has(peer)) : undefined;
  return { lease, lender, borrower, disputed, faults, winner };
}
