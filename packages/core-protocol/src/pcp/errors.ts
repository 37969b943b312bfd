import { PeerAiError, type CoreErrorCode, type ErrorDetails } from '../errors.ts';

/** What the peer protocol adds to the codes of the ground floor; seed 3's own seven are among both. */
export type PcpErrorCode =
  | CoreErrorCode
  /** A field that must be there is not; `details.field`. */
  | 'MISSING_FIELDS'
  /** No key is known for this sender, so nothing it says can be checked. */
  | 'UNKNOWN_SENDER'
  | 'UNKNOWN_KIND'
  | 'SESSION_EXPIRED'
  | 'SEQUENCE_ERROR'
  | 'ENCRYPTION_NOT_READY'
  /** A handshake that does not go on, and a frame of another session. */
  | 'CHALLENGE_INVALID'
  | 'INVALID_STATE'
  | 'WRONG_SESSION'
  /** `details.retryAfterMs` says when. */
  | 'RATE_LIMITED'
  | 'HANDLER_FAILED';

export const pcpError = (code: PcpErrorCode, text: string, details: ErrorDetails = {}, cause?: unknown): PeerAiError =>
  new PeerAiError(code, text, details, { cause });
/** INVALID_FORMAT that names the field. */
export const wrongField = (field: string, cause?: unknown): PeerAiError =>
  pcpError('INVALID_FORMAT', `${field} is not as it must be`, { field }, cause);
export const missingField = (field: string): PeerAiError =>
  pcpError('MISSING_FIELDS', `Missing required field: ${field}`, { field });
