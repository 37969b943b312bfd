/** Codes this package gives, its own first, then those of the ground floor. */
export type MessagingErrorCode =
  | 'UNKNOWN_KIND'
  | 'HANDLER_FAILED'
  | 'EXPIRED'
  | 'CLOCK_SKEW'
  | 'WRONG_RECIPIENT'
  | 'INVALID_FORMAT'
  | 'INVALID_SIGNATURE'
  | 'INVALID_VERSION'
  | 'LIMIT_EXCEEDED'
  | 'LIMIT_REACHED'
  | 'REFUSED';
