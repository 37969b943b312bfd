/** Codes this package throws, its own first, then those of the ground floor. */
export type LedgerErrorCode =
  | 'LEDGER_DAMAGED'
  | 'NOT_IN_LOG'
  | 'NOT_OUR_LOG'
  | 'PROOF_WRONG'
  | 'RECEIPT_WRONG'
  | 'INVALID_FORMAT'
  | 'INVALID_SIGNATURE'
  | 'INVALID_VERSION'
  | 'LIMIT_EXCEEDED'
  | 'LIMIT_REACHED'
  | 'NOT_FOUND';
