import { type CoreErrorCode, type ErrorDetails, PeerAiError } from '../errors.ts';

/** What sessions add to the codes of the ground floor. */
export type SessionErrorCode =
  | CoreErrorCode
  /** A proof, a confirmation or the time of a challenge does not hold. */
  | 'CHALLENGE_INVALID'
  /** A handshake message that is not the one awaited. */
  | 'INVALID_STATE'
  | 'ENCRYPTION_NOT_READY'
  | 'SESSION_EXPIRED'
  /** `details.expected` and `details.received`. */
  | 'SEQUENCE_ERROR'
  /** A frame of another session. */
  | 'WRONG_SESSION'
  /** A frame or a handshake of another peer than this session's. */
  | 'UNKNOWN_SENDER';

export const sessionError = (code: SessionErrorCode, text: string, details: ErrorDetails = {}): PeerAiError =>
  new PeerAiError(code, text, details);
