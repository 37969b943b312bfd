import type { LedgerErrorCode } from '@peerai/ledger';
import type { LlmErrorCode } from '@peerai/llm-bridge';
import type { MessagingErrorCode } from '@peerai/messaging';
import type { NnErrorCode } from '@peerai/nn-engine';
import type { PeerErrorCode } from '@peerai/peer';
import type { PlatformErrorCode } from '@peerai/platform';
import type { TransportErrorCode } from '@peerai/transport';

/** Codes of the access rule, of tickets and of this process. */
type OwnCode =
  | 'TOKEN_MISSING'
  | 'TOKEN_WRONG'
  | 'HOST_REFUSED'
  | 'ORIGIN_REFUSED'
  | 'KEY_EXISTS'
  | 'KEY_UNKNOWN'
  | 'NOT_GRANTED'
  | 'PEER_BLOCKED'
  | 'TICKET_INVALID'
  | 'TICKET_EXPIRED'
  | 'TICKET_REVOKED'
  | 'MODEL_NOT_SHARED'
  | 'MODEL_BUSY'
  | 'TOO_MANY'
  | 'TOO_MANY_GUESTS'
  | 'RECEIPT_UNSIGNED'
  | 'METHOD_NOT_ALLOWED'
  | 'PORT_TAKEN'
  | 'ADDRESS_UNAVAILABLE'
  | 'RELAY_INVALID';
type Code =
  | OwnCode
  | PlatformErrorCode
  | LedgerErrorCode
  | LlmErrorCode
  | MessagingErrorCode
  | NnErrorCode
  | PeerErrorCode
  | TransportErrorCode;

/** HTTP status of every code of the house: a new code without one does not compile. */
const statuses: Readonly<Record<Code, number>> = {
  INVALID_FORMAT: 400,
  INVALID_VERSION: 400,
  INVITE_INVALID: 400,
  SHARE_INVALID: 400,
  SELF_PAIRING: 400,
  UNSUPPORTED: 400,
  PROMPT_TOO_LONG: 400,
  UNKNOWN_KIND: 400,
  RELAY_INVALID: 400,
  CONFIG_INVALID: 400,
  CONFIG_NOT_BUILT_IN: 400,
  KEY_REFUSED: 400,
  TOKEN_MISSING: 401,
  TOKEN_WRONG: 401,
  HOST_REFUSED: 403,
  ORIGIN_REFUSED: 403,
  NOT_GRANTED: 403,
  PEER_BLOCKED: 403,
  REFUSED: 403,
  NOT_COMMITTER: 403,
  ROUTE_REFUSED: 403,
  ROUTE_LOOP: 409,
  ROUTE_TOO_LONG: 400,
  TICKET_INVALID: 403,
  TICKET_EXPIRED: 403,
  TICKET_REVOKED: 403,
  BUDGET_SPENT: 403,
  MODEL_NOT_SHARED: 403,
  TOO_MANY_GUESTS: 403,
  PAIRING_REJECTED: 403,
  RECEIPT_UNSIGNED: 403,
  NOT_FOUND: 404,
  DEVICE_UNKNOWN: 404,
  MODEL_UNKNOWN: 404,
  SHARE_UNKNOWN: 404,
  PAIRING_GONE: 404,
  TASK_UNKNOWN: 404,
  GROUP_UNKNOWN: 404,
  MAILBOX_UNKNOWN: 404,
  NOT_MEMBER: 404,
  NOT_IN_LOG: 404,
  KEY_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  KEY_EXISTS: 409,
  ALREADY_MEMBER: 409,
  INVITE_USED: 409,
  MODEL_AMBIGUOUS: 409,
  TOO_MANY_DEVICES: 409,
  REQUEST_ID_REUSED: 409,
  ALREADY_ANSWERED: 409,
  TASK_OVER: 409,
  REPLAY_DETECTED: 409,
  INVITE_EXPIRED: 410,
  EXPIRED: 410,
  RESUME_GONE: 410,
  LIMIT_EXCEEDED: 413,
  TOO_MANY: 429,
  TOO_MANY_PAIRINGS: 429,
  QUEUE_FULL: 429,
  LIMIT_REACHED: 429,
  RATE_LIMITED: 429,
  MAILBOX_FULL: 429,
  ABORTED: 499,
  INTERNAL: 500,
  HANDLER_FAILED: 500,
  LEDGER_DAMAGED: 500,
  NOT_OUR_LOG: 500,
  PROOF_WRONG: 500,
  SHAPE_MISMATCH: 500,
  NOT_DIFFERENTIABLE: 500,
  MODEL_REFUSED: 500,
  PROGRAM_CLOSED: 500,
  SNAPSHOT_LOST: 500,
  KEY_FILE_OPEN: 500,
  KEY_FILE_BROKEN: 500,
  KEY_PASSPHRASE_NEEDED: 500,
  KEY_PASSPHRASE_WRONG: 500,
  PORT_TAKEN: 500,
  ADDRESS_UNAVAILABLE: 500,
  UNSAFE_ENVIRONMENT: 500,
  PEER_UNREACHABLE: 502,
  PRIVATE_NETWORK: 502,
  PEER_LOST: 502,
  CHANNEL_CLOSED: 502,
  ANSWER_INTERRUPTED: 502,
  ENGINE_UNREACHABLE: 502,
  ENGINE_FAILED: 502,
  ENGINE_LOOP: 502,
  // What another peer sent and did not hold.
  INVALID_SIGNATURE: 502,
  DECRYPTION_FAILED: 502,
  WRONG_RECIPIENT: 502,
  HASH_MISMATCH: 502,
  CLOCK_SKEW: 502,
  RECEIPT_WRONG: 502,
  ENGINE_MISSING: 503,
  NO_MODELS: 503,
  MODEL_BUSY: 503,
  STORE_BROKEN: 503,
  STORE_CLOSED: 503,
  STORE_LOCKED: 503,
  STORE_NEWER: 503,
  TIMEOUT: 504,
  RUN_LIMIT: 504,
  STORE_FULL: 507,
};

/** The HTTP status of a code; of one that another peer's newer version gave, 502. */
export function statusOf(code: string): number {
  return Object.hasOwn(statuses, code) ? statuses[code as Code] : 502;
}
