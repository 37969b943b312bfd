import { PeerAiError } from '@peerai/core-protocol';
import { hintFor, type Problem } from '@peerai/peer';

/** HTTP status of a code; what is not listed is the caller's fault only when it says so by its name. */
const statusOf: Readonly<Record<string, number>> = {
  INVALID_FORMAT: 400,
  INVITE_INVALID: 400,
  SHARE_INVALID: 400,
  SELF_PAIRING: 400,
  LIMIT_EXCEEDED: 413,
  TOKEN_MISSING: 401,
  TOKEN_WRONG: 401,
  HOST_REFUSED: 403,
  ORIGIN_REFUSED: 403,
  NOT_GRANTED: 403,
  PEER_BLOCKED: 403,
  REFUSED: 403,
  TICKET_INVALID: 403,
  TICKET_EXPIRED: 403,
  TICKET_REVOKED: 403,
  BUDGET_SPENT: 403,
  MODEL_NOT_SHARED: 403,
  TOO_MANY_GUESTS: 403,
  NOT_FOUND: 404,
  DEVICE_UNKNOWN: 404,
  MODEL_UNKNOWN: 404,
  SHARE_UNKNOWN: 404,
  PAIRING_GONE: 404,
  NOT_IN_LOG: 404,
  KEY_UNKNOWN: 404,
  KEY_EXISTS: 409,
  INVITE_USED: 409,
  INVITE_EXPIRED: 410,
  TOO_MANY: 429,
  TOO_MANY_PAIRINGS: 429,
  TOO_MANY_DEVICES: 409,
  QUEUE_FULL: 429,
  LIMIT_REACHED: 429,
  PEER_UNREACHABLE: 502,
  PEER_LOST: 502,
  CHANNEL_CLOSED: 502,
  ENGINE_UNREACHABLE: 502,
  ENGINE_FAILED: 502,
  ENGINE_MISSING: 503,
  NO_MODELS: 503,
  STORE_FULL: 507,
  STORE_BROKEN: 503,
  TIMEOUT: 504,
  ABORTED: 499,
};

/** Any failure as RFC 9457 problem+json. What is not ours becomes INTERNAL without its text. */
export function problemOf(error: unknown, requestId: string): Problem {
  if (!PeerAiError.is(error)) {
    return make({ code: 'INTERNAL', status: 500, detail: 'something went wrong here; the log has the request id', requestId });
  }
  const { hint: own, retryAfterMs, status } = error.details;
  const hint = typeof own === 'string' ? own : hintFor(error.code);
  return {
    ...make({ code: error.code, status: typeof status === 'number' ? status : (statusOf[error.code] ?? 500), detail: error.message, requestId }),
    ...(hint === undefined ? {} : { hint }),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}

function make(parts: { readonly code: string; readonly status: number; readonly detail: string; readonly requestId: string }): Problem {
  const title = parts.code.toLowerCase().replaceAll('_', ' ');
  return { type: `urn:peerai:problem:${parts.code.toLowerCase().replaceAll("_", "-")}`, title, ...parts };
}
