import type { PeerId } from '@peerai/core-protocol';
import {
  isMeteredOpen,
  type LeaseDocument,
  meteredMs,
  meteredPrice,
  type MeteredRecord,
  type MeteredTerms,
} from '@peerai/ledger/market';

/** What is to be locked for a lease, whatever is leased. */
export interface LeaseToSettle {
  /** Hex. */
  readonly id: string;
  readonly document: LeaseDocument;
  /** The most it may cost, micro-credits. */
  readonly price: bigint;
  /** When its time is over, by the terms; wall clock. */
  readonly endsMs: number;
}
/** One of this peer's own leases, as those see it who settle it. */
export interface EscrowedLease extends LeaseToSettle {
  readonly peer: PeerId;
  readonly role: 'lender' | 'borrower';
  /** More may be done, and signed for. */
  readonly isOpen: boolean;
  /** The newest receipt that both signed, its place and what it comes to. */
  readonly receipt: Uint8Array | undefined;
  readonly n: number;
  readonly due: bigint;
  /** Place of the newest receipt that may still be signed; `n` unless its signature is on its way. */
  readonly lastN: number;
}

export const meteredToSettle = (terms: MeteredTerms, id: string): LeaseToSettle => ({
  id,
  document: { kind: 'metered', terms },
  price: meteredPrice(terms),
  endsMs: terms.startMs + meteredMs(terms),
});

export const escrowedMetered = (record: MeteredRecord): EscrowedLease => {
  const { id, terms, peer, role, receipt, n, due } = record;
  return { ...meteredToSettle(terms, id), isOpen: isMeteredOpen(record), peer, role, receipt, n, due, lastN: n };
};
