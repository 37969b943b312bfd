import { utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import { bytes, message, nested, oneOf, optional, string, uint53 } from '../wire/index.ts';

/** What an error says on the wire: a code and a sentence, never our internals. */
const errorCodec = message({
  code: string(1),
  message: string(2),
  detailsJson: optional(string(3)),
  retryAfterMs: optional(uint53(4)),
});
export type RpcError = ReturnType<typeof errorCodec.decode>;

/** Every message of every method: one request, then responses, then an end or an error. */
export const frame = message({
  kind: oneOf(1, ['request', 'response', 'end', 'error']),
  body: optional(bytes(2)),
  error: optional(nested(3, errorCodec)),
});
export type Frame = ReturnType<typeof frame.decode>;

/** How an error travels: ours with its code, anything else as INTERNAL and without a word of its own. */
export function describeError(error: unknown): RpcError {
  if (!PeerAiError.is(error) || !isCode(error.code)) {
    return { code: 'INTERNAL', message: 'the other side failed', detailsJson: undefined, retryAfterMs: undefined };
  }
  const { retryAfterMs, ...details } = error.details;
  return {
    code: error.code,
    message: cut(error.message, limits.rpcErrorMessageBytesMax),
    detailsJson: writeDetails(details),
    retryAfterMs: isCount(retryAfterMs) ? retryAfterMs : undefined,
  };
}

/** The error as the caller sees it; `details` are the other side's claims, with `retryAfterMs` where it gave one. */
export function readError(error: RpcError | undefined): PeerAiError {
  if (error === undefined || !isCode(error.code)) return new PeerAiError('INTERNAL', 'the other side failed');
  const { retryAfterMs } = error;
  const details = { ...readDetails(error.detailsJson), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return new PeerAiError(error.code, cut(error.message, limits.rpcErrorMessageBytesMax), details);
}

const isCode = (code: string): boolean => /^[A-Z][A-Z0-9_]{0,63}$/.test(code);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function cut(text: string, bytesMax: number): string {
  if (utf8(text).length <= bytesMax) return text;
  return `${new TextDecoder().decode(utf8(text).subarray(0, bytesMax - 8)).replace(/\uFFFD$/, '')}…`;
}

function writeDetails(details: object): string | undefined {
  if (Object.keys(details).length === 0) return undefined;
  try {
    const json = JSON.stringify(details);
    return utf8(json).length <= limits.rpcErrorDetailsBytesMax ? json : undefined;
  } catch {
    return undefined;
  }
}

function readDetails(json: string | undefined): object {
  if (json === undefined || utf8(json).length > limits.rpcErrorDetailsBytesMax) return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
