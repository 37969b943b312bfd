import type { PeerId } from '@peerai/core-protocol';

/** What a lease locks before the work begins. Amounts are micro-credits, a millionth of a credit. */
export interface EscrowTerms {
  /** SHA-256 of the lease's body, 32 bytes: the escrow's name on both sides. */
  readonly lease: Uint8Array;
  /** Is paid. */
  readonly lender: PeerId;
  /** Pays. */
  readonly borrower: PeerId;
  /** The most that this lease may cost. */
  readonly amount: bigint;
  /** Wall clock, milliseconds: from then on what was not settled goes back to the borrower. */
  readonly refundMs: number;
}
/** `settled`: the lender got `paid` and the borrower the rest. `refunded`: the borrower got everything back. */
export type EscrowState = 'open' | 'settled' | 'refunded';
export interface Escrow extends EscrowTerms {
  readonly state: EscrowState;
  /** What the lender got, 0 while it is open; `amount − paid` is the borrower's. */
  readonly paid: bigint;
  /** Where somebody else can look it up: a transaction's hash, or an own log's entry. */
  readonly reference: string;
}
/** The last cumulative receipt of a lease: only it counts. */
export interface FinalReceipt {
  readonly lease: Uint8Array;
  /** Its place, from 1; a later one with a lower place is refused. */
  readonly n: number;
  /** Micro-credits of the whole lease so far. */
  readonly due: bigint;
  /** As both peers signed it: a usage receipt, a lease receipt or a storage receipt. */
  readonly receipt: Uint8Array;
}
/** The head of a log, to be kept where its owner cannot change it. */
export interface LogHead {
  /** The peer whose log it is. */
  readonly origin: string;
  readonly size: bigint;
  /** RFC 6962 root, 32 bytes. */
  readonly root: Uint8Array;
}

/**
 * Where credits that two peers agreed on become something: their own books (`local`), or a contract (`evm`). It is asked when a lease begins and when it
 * ends, never for an answer. Each method may be repeated: the same call says the same and moves nothing twice.
 *
 * All throw SETTLEMENT_FAILED when the place behind it says no or cannot be reached, and the signal's reason.
 */
export interface Settlement {
  readonly kind: 'local' | 'evm';
  /** Locks the amount. Throws ESCROW_STATE where the same lease is there with other terms, CREDIT_EXCEEDED where the borrower has not that much. */
  open(terms: EscrowTerms, signal: AbortSignal): Promise<Escrow>;
  /** Pays the lender what is due, the borrower the rest. Throws NOT_FOUND, ESCROW_STATE after a refund, RECEIPT_WRONG for more than the amount. */
  settle(last: FinalReceipt, signal: AbortSignal): Promise<Escrow>;
  /** Everything back to the borrower. Throws NOT_FOUND, ESCROW_STATE before `refundMs` and after it was settled. */
  refund(lease: Uint8Array, signal: AbortSignal): Promise<Escrow>;
  /** Throws nothing for an unknown one: it is undefined. */
  get(lease: Uint8Array, signal: AbortSignal): Promise<Escrow | undefined>;
  /** Keeps a log's head there. Throws ESCROW_STATE for one smaller than what is kept, or of the same size with another root. */
  anchor(head: LogHead, signal: AbortSignal): Promise<{ readonly reference: string }>;
}
