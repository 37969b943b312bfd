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
  /** A witness has seen another size of the log than the request starts from; `details.size` is the one it knows. */
  | 'WITNESS_CONFLICT'
  /** Fewer witnesses than asked for stand under a checkpoint. */
  | 'WITNESSES_MISSING'
  /** Somebody signed two histories of one log; `details.evidence` proves it to anybody. */
  | 'FORKED'
  /** An entry of another peer's log is not as it must be; `details.index` names it. */
  | 'INVALID_ENTRY'
  | 'INVALID_FORMAT'
  | 'INVALID_SIGNATURE'
  | 'INVALID_VERSION'
  | 'KEY_REFUSED'
  | 'CLOCK_SKEW'
  | 'EXPIRED'
  | 'LIMIT_EXCEEDED'
  | 'LIMIT_REACHED'
  | 'NOT_FOUND'
  /** A block of a group that may not come next, whoever signed it. */
  | 'BLOCK_WRONG'
  /** Two statements that prove no lie. */
  | 'EVIDENCE_WRONG'
  /** Who a lie is proven of had no voice in that group at that block. */
  | 'ACCUSED_NOT_MEMBER';
