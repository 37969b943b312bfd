import { PeerAiError } from '../errors.ts';
import type { PcpErrorCode } from './errors.ts';
import type { PcpOpened, PcpProfile } from './profile.ts';

/** What goes back over HTTP, as JSON. */
export interface PcpReply {
  readonly status: number;
  /** The `Retry-After` header, when there is one. */
  readonly retryAfterSeconds?: number;
  readonly body: Readonly<Record<string, unknown>>;
}
export interface PcpErrorRow {
  readonly status: number;
  /** The text older peers look for in `detail`; without one it is the error's own sentence. */
  readonly detail?: string;
  /** What pcp/0.1 calls it; without one the code itself, or INTERNAL_ERROR from status 500 on. */
  readonly concat?: string;
}

/** Every code a peer may be answered with: seed 3's seven, the ground floor's, and what the peer protocol adds. */
export const pcpErrors: Readonly<Record<PcpErrorCode, PcpErrorRow>> = {
  INVALID_FORMAT: { status: 400, concat: 'INVALID_JSON' },
  MISSING_FIELDS: { status: 400 },
  INVALID_VERSION: { status: 400, concat: 'INVALID_VERSION' },
  UNKNOWN_KIND: { status: 400, detail: 'Unknown message format' },
  KEY_REFUSED: { status: 400, concat: 'INVALID_SIGNATURE' },
  CLOCK_SKEW: { status: 400, concat: 'EXPIRED_TIMESTAMP' },
  WRONG_RECIPIENT: { status: 400, concat: 'UNKNOWN_RECIPIENT' },
  DECRYPTION_FAILED: { status: 400, detail: 'Decryption failed' },
  HASH_MISMATCH: { status: 400 },
  INVALID_SIGNATURE: { status: 401, detail: 'Invalid signature', concat: 'INVALID_SIGNATURE' },
  UNKNOWN_SENDER: { status: 401, concat: 'INVALID_SIGNATURE' },
  CHALLENGE_INVALID: { status: 401 },
  SESSION_EXPIRED: { status: 401, detail: 'SESSION_EXPIRED' },
  REFUSED: { status: 403 },
  NOT_FOUND: { status: 404 },
  REPLAY_DETECTED: { status: 409, detail: 'Replay protection failed', concat: 'REPLAY_DETECTED' },
  SEQUENCE_ERROR: { status: 409, detail: 'SEQUENCE_ERROR' },
  ENCRYPTION_NOT_READY: { status: 409 },
  INVALID_STATE: { status: 409 },
  WRONG_SESSION: { status: 409 },
  EXPIRED: { status: 410 },
  LIMIT_EXCEEDED: { status: 413 },
  RATE_LIMITED: { status: 429, detail: 'rate_limited' },
  LIMIT_REACHED: { status: 429, detail: 'rate_limited' },
  HANDLER_FAILED: { status: 500, detail: 'Handler error', concat: 'HANDLER_ERROR' },
  INTERNAL: { status: 500 },
  PEER_UNREACHABLE: { status: 502 },
  CHANNEL_CLOSED: { status: 502 },
  ABORTED: { status: 503 },
  TIMEOUT: { status: 504 },
};

/**
 * The answer to a message that was refused, in its profile's shape: `{error: {code, message, details?, retryAfter?}}`, for versions 0.3 to 1.1
 * with `detail` beside it, for 0.1 `{error: "CODE"}` and status 400 or 500 as its clients expect. Where the profile is not known yet, say
 * `pcp/1.0-six`: its shape holds ours. What is no PeerAiError of the table becomes INTERNAL and tells nothing.
 */
export function pcpErrorReply(error: unknown, profile: PcpProfile): PcpReply {
  const known = PeerAiError.is(error) && Object.hasOwn(pcpErrors, error.code) && error.code !== 'INTERNAL';
  const code = (known ? error.code : 'INTERNAL') as PcpErrorCode;
  const row = pcpErrors[code];
  const message = known ? error.message : 'this peer failed; its owner can see why';
  const { retryAfterMs, ...details } = known ? error.details : {};
  const retryAfterSeconds = typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1_000)) : undefined;
  const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  if (profile === 'pcp/0.1')
    return { ...retry, status: row.status < 500 ? 400 : 500, body: { error: concatCode(code, details) } };
  const inner = {
    code,
    message,
    ...(Object.keys(details).length === 0 ? {} : { details }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds }),
  };
  const body =
    profile === 'peerai/1' ? { error: inner } : { error: inner, detail: detailOf(row, code, message, details) };
  return { ...retry, status: row.status, body };
}

function concatCode(code: PcpErrorCode, details: Readonly<Record<string, unknown>>): string {
  if (details['field'] === 'timestamp') return 'INVALID_TIMESTAMP';
  if (details['field'] === 'signature') return 'INVALID_SIGNATURE';
  const row = pcpErrors[code];
  return row.concat ?? (row.status < 500 ? code : 'INTERNAL_ERROR');
}

function detailOf(
  row: PcpErrorRow,
  code: PcpErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>>,
): string {
  if (details['field'] === 'signature') return code === 'MISSING_FIELDS' ? 'Missing signature' : 'Invalid signature';
  if (code === 'INVALID_FORMAT' && details['field'] === undefined) return 'Invalid JSON';
  return row.detail ?? message;
}

/**
 * The answer to a message that was taken, in its profile's shape. A pcp/0.1 handler may answer with a message of its own instead: send what
 * `sealConcat` gives.
 */
export function pcpReceivedReply(opened: PcpOpened, self: { readonly entityId: string }): PcpReply {
  if (opened.profile === 'pcp/0.1') return { status: 200, body: { status: 'received' } };
  const body = { status: 'received', entity_id: self.entityId, verification: 'passed' };
  return { status: 200, body: opened.profile === 'peerai/1' ? { ...body, id: opened.id } : body };
}
