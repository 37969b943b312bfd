import { type Logger, PeerAiError } from '@peerai/core-protocol';

export type Face = 'openai' | 'ollama';

/** The caller's mistake, with the status it gets. */
export class BadRequest extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    message: string,
    options: {
      readonly status?: number;
      readonly code?: string;
      readonly param?: string;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
    this.name = 'BadRequest';
    this.status = options.status ?? 400;
    this.code = options.code ?? 'invalid_request';
    this.param = options.param ?? null;
    this.headers = options.headers ?? {};
  }
}
export const unsupported = (param: string, what: string): BadRequest =>
  new BadRequest(`${what} cannot be passed to a peer's model yet; leave out \`${param}\``, {
    code: 'unsupported',
    param,
  });

/** Our codes as statuses. What a peer refuses is not the caller's mistake, so it is never 400 but for the prompt itself. */
const statuses: Readonly<Record<string, number>> = {
  PROMPT_TOO_LONG: 400,
  UNSUPPORTED: 400,
  LIMIT_EXCEEDED: 400,
  NOT_GRANTED: 403,
  PEER_BLOCKED: 403,
  MODEL_NOT_SHARED: 403,
  TICKET_INVALID: 403,
  TICKET_EXPIRED: 403,
  TICKET_REVOKED: 403,
  MODEL_UNKNOWN: 404,
  DEVICE_UNKNOWN: 404,
  QUEUE_FULL: 429,
  TOO_MANY: 429,
  TOO_MANY_GUESTS: 429,
  LIMIT_REACHED: 429,
  BUDGET_SPENT: 429,
  RECEIPT_UNSIGNED: 429,
  ANSWERS_UNENDORSED: 429,
  ABORTED: 499,
  ENGINE_UNREACHABLE: 503,
  PEER_UNREACHABLE: 503,
  PEER_LOST: 503,
  NO_MODELS: 503,
  CHANNEL_CLOSED: 503,
  TIMEOUT: 504,
};

interface Described {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

function describe(error: unknown): Described {
  if (error instanceof BadRequest) return error;
  if (PeerAiError.is(error)) {
    const status = statuses[error.code] ?? 502;
    const { retryAfterMs } = error.details;
    const seconds = typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1_000)) : 1;
    const headers: Record<string, string> = status === 429 ? { 'retry-after': String(seconds) } : {};
    return { status, code: error.code, message: error.message, param: null, headers };
  }
  return {
    status: 500,
    code: 'INTERNAL',
    message: 'something went wrong here; the log says what',
    param: null,
    headers: {},
  };
}

/** The error's body in the face's shape, for a response or, once a stream has begun, for its last line. */
export function errorBody(face: Face, error: unknown): unknown {
  const { status, code, message, param } = describe(error);
  if (face === 'ollama') return { error: message };
  return { error: { message, type: openAiType(status), param, code } };
}

export function failure(face: Face, error: unknown, logger: Logger): Response {
  const { status, headers } = describe(error);
  if (status === 500) logger.error('gateway-failed', { error: error instanceof Error ? error.name : typeof error });
  return new Response(JSON.stringify(errorBody(face, error)), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  });
}

function openAiType(status: number): string {
  if (status === 429) return 'rate_limit_error';
  if (status === 403) return 'permission_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
