const marker = Symbol.for('peerai.error');

export interface ErrorDetails {
  readonly [name: string]: unknown;
}

/**
 * The one error class of the house. A peer or a caller decides by `code`; the message is for people.
 *
 * Every package keeps a literal union of its codes beside the code that throws them, and says in docstrings "Throws CODE when …".
 * `details` never holds secrets, keys or prompt text: it travels to logs and to the other side.
 */
export class PeerAiError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly details: ErrorDetails;
  readonly [marker] = true;

  constructor(code: Code, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PeerAiError';
    this.code = code;
    this.details = details;
  }

  /** True for our errors, also those of a second copy of this package; with `codes`, only for one of them. */
  static is<C extends string = string>(error: unknown, ...codes: readonly C[]): error is PeerAiError<C> {
    if (typeof error !== 'object' || error === null || !(marker in error)) return false;
    return codes.length === 0 || codes.includes((error as PeerAiError<C>).code);
  }
}

/** Codes of the ground floor; the other packages add their own beside their code. */
export type CoreErrorCode =
  | 'INVALID_FORMAT'
  | 'INVALID_SIGNATURE'
  | 'INVALID_VERSION'
  | 'LIMIT_EXCEEDED'
  | 'DECRYPTION_FAILED'
  | 'KEY_REFUSED'
  | 'EXPIRED'
  | 'CLOCK_SKEW'
  | 'REPLAY_DETECTED'
  | 'WRONG_RECIPIENT'
  | 'CHANNEL_CLOSED'
  | 'PEER_UNREACHABLE'
  | 'REFUSED'
  | 'LIMIT_REACHED'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'NOT_FOUND'
  | 'HASH_MISMATCH'
  | 'INTERNAL';
