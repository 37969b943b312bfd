/** Codes this package throws, its own first, then those of the ground floor. */
export type LedgerErrorCode =
  | 'LEDGER_DAMAGED'
  | 'NOT_IN_LOG'
  | 'NOT_OUR_LOG'
  | 'PROOF_WRONG'
  | 'RECEIPT_WRONG'
  | 'SIGNER_WRONG'
  /** A lease is not at a point where this can be. */
  | 'LEASE_STATE'
  /** One of two peers would owe the other more than `exposureMicroMax`. */
  | 'CREDIT_EXCEEDED'
  /** An escrow is not at a point where this can be, or has other terms. */
  | 'ESCROW_STATE'
  /** Where amounts are settled says no, or cannot be reached. */
  | 'SETTLEMENT_FAILED'
  | 'INVALID_FORMAT'
  | 'INVALID_SIGNATURE'
  | 'INVALID_VERSION'
  | 'CLOCK_SKEW'
  | 'LIMIT_EXCEEDED'
  | 'LIMIT_REACHED'
  | 'NOT_FOUND';
