/** The meanings of exit statuses, for scripts. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notRunning: 3,
  unreachable: 4,
  refused: 5,
  verification: 6,
  engine: 7,
  timeout: 8,
  config: 9,
  interrupted: 130,
} as const;

const byCode: Readonly<Record<string, number>> = {
  USAGE: exitCodes.usage,
  INVALID_FORMAT: exitCodes.usage,
  INVALID_OPTION: exitCodes.usage,
  SHAPE_MISMATCH: exitCodes.usage,
  DATA_INVALID: exitCodes.usage,
  DATA_TOO_SMALL: exitCodes.usage,
  BASE_MISSING: exitCodes.usage,
  AGENT_NOT_RUNNING: exitCodes.notRunning,
  PEER_UNREACHABLE: exitCodes.unreachable,
  PEER_LOST: exitCodes.unreachable,
  CHANNEL_CLOSED: exitCodes.unreachable,
  ANSWER_INTERRUPTED: exitCodes.unreachable,
  NOT_GRANTED: exitCodes.refused,
  CAPSULE_PERSONAL: exitCodes.refused,
  CAPSULE_NOT_SHARED: exitCodes.refused,
  REFUSED: exitCodes.refused,
  NOT_COMMITTER: exitCodes.refused,
  PEER_BLOCKED: exitCodes.refused,
  BUDGET_SPENT: exitCodes.refused,
  CREDIT_EXCEEDED: exitCodes.refused,
  LENDING_OFF: exitCodes.refused,
  VOTE_REFUSED: exitCodes.refused,
  NO_DECISION: exitCodes.timeout,
  NOT_OFFERED: exitCodes.refused,
  NODES_TAKEN: exitCodes.refused,
  PRICE_TOO_LOW: exitCodes.refused,
  PRICE_TOO_HIGH: exitCodes.refused,
  TOO_MANY_GUESTS: exitCodes.refused,
  MODEL_NOT_SHARED: exitCodes.refused,
  PAIRING_REJECTED: exitCodes.refused,
  KEY_PASSPHRASE_WRONG: exitCodes.refused,
  KEY_PASSPHRASE_NEEDED: exitCodes.refused,
  KEY_FILE_OPEN: exitCodes.refused,
  INVALID_SIGNATURE: exitCodes.verification,
  FINGERPRINT_WRONG: exitCodes.verification,
  KEY_CONFLICT: exitCodes.verification,
  LEDGER_DAMAGED: exitCodes.verification,
  LEDGER_BEHIND: exitCodes.verification,
  RECEIPT_WRONG: exitCodes.verification,
  PROOF_WRONG: exitCodes.verification,
  INVALID_ENTRY: exitCodes.verification,
  FORKED: exitCodes.verification,
  WITNESSES_MISSING: exitCodes.verification,
  HASH_MISMATCH: exitCodes.verification,
  NO_MODELS: exitCodes.engine,
  MODEL_UNKNOWN: exitCodes.engine,
  TIMEOUT: exitCodes.timeout,
  RUN_LIMIT: exitCodes.timeout,
  ABORTED: exitCodes.interrupted,
};

/** The exit status of an error's code. */
export function exitCodeOf(code: string): number {
  if (code.startsWith('CONFIG_')) return exitCodes.config;
  if (code.startsWith('ENGINE_')) return exitCodes.engine;
  if (code.startsWith('TOKEN_') || code.startsWith('TICKET_') || code.startsWith('INVITE_')) return exitCodes.refused;
  return byCode[code] ?? exitCodes.failure;
}
