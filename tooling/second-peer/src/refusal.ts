/** Why a message is not taken: a code of docs/protocol/pcp.md. */
export class Refusal extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

const STATUS: readonly (readonly [number, string])[] = [
  [400, 'INVALID_FORMAT MISSING_FIELDS INVALID_VERSION UNKNOWN_KIND KEY_REFUSED CLOCK_SKEW'],
  [400, 'WRONG_RECIPIENT DECRYPTION_FAILED HASH_MISMATCH'],
  [401, 'INVALID_SIGNATURE UNKNOWN_SENDER SESSION_EXPIRED CHALLENGE_INVALID'],
  [403, 'REFUSED'],
  [404, 'NOT_FOUND'],
  [409, 'REPLAY_DETECTED SEQUENCE_ERROR ENCRYPTION_NOT_READY INVALID_STATE WRONG_SESSION'],
  [410, 'EXPIRED'],
  [413, 'LIMIT_EXCEEDED'],
  [429, 'RATE_LIMITED LIMIT_REACHED'],
  [500, 'HANDLER_FAILED INTERNAL'],
  [502, 'PEER_UNREACHABLE CHANNEL_CLOSED'],
  [503, 'ABORTED'],
  [504, 'TIMEOUT'],
];

/** The names of pcp/0.1 where they differ. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  INVALID_FORMAT: 'INVALID_JSON',
  KEY_REFUSED: 'INVALID_SIGNATURE',
  CLOCK_SKEW: 'EXPIRED_TIMESTAMP',
  WRONG_RECIPIENT: 'UNKNOWN_RECIPIENT',
  UNKNOWN_SENDER: 'INVALID_SIGNATURE',
  HANDLER_FAILED: 'HANDLER_ERROR',
};

/** The texts beside the codes of pcp/1.0-six where it is not the sentence. */
const SIX_DETAILS: Readonly<Record<string, string>> = {
  INVALID_FORMAT: 'Invalid JSON',
  UNKNOWN_KIND: 'Unknown message format',
  DECRYPTION_FAILED: 'Decryption failed',
  INVALID_SIGNATURE: 'Invalid signature',
  SESSION_EXPIRED: 'SESSION_EXPIRED',
  REPLAY_DETECTED: 'Replay protection failed',
  SEQUENCE_ERROR: 'SEQUENCE_ERROR',
  RATE_LIMITED: 'rate_limited',
  LIMIT_REACHED: 'rate_limited',
  HANDLER_FAILED: 'Handler error',
};

export type Profile = 'peerai/1' | 'pcp/1.0-six' | 'pcp/0.1';

/** The HTTP answer to a refusal in one profile. Codes that the protocol does not name are INTERNAL. */
export function answerTo(refusal: Refusal, profile: Profile): { readonly status: number; readonly body: unknown } {
  const known = STATUS.find(([, codes]) => codes.split(' ').includes(refusal.code));
  const internal = known === undefined || refusal.code === 'INTERNAL';
  const status = known?.[0] ?? 500;
  const code = internal ? 'INTERNAL' : refusal.code;
  if (profile === 'pcp/0.1') {
    if (status < 500) return { status: 400, body: { error: OLD_NAMES[code] ?? code } };
    return { status: 500, body: { error: OLD_NAMES[code] ?? 'INTERNAL_ERROR' } };
  }
  const message = internal ? 'this peer failed; its owner can see why' : refusal.message;
  const error = { code, message, ...(refusal.details && { details: refusal.details }) };
  if (profile === 'peerai/1') return { status, body: { error } };
  return { status, body: { error, detail: SIX_DETAILS[code] ?? message } };
}
