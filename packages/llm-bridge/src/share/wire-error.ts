import { fromUtf8, PeerAiError, utf8 } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { ErrorFields } from './protocol.ts';

/** Our engines' troubles in words that tell nothing about our machine. */
const plain: Readonly<Record<string, string>> = {
  ENGINE_UNREACHABLE: 'the engine of this model does not answer',
  ENGINE_FAILED: 'the engine of this model broke off',
  ENGINE_MISSING: 'the engine of this model is not installed',
  ENGINE_LOOP: 'the engine of this model is another peer',
};

/** An error as the other side may see it: its code and sentence; what is not ours says nothing of itself. */
export function toWireError(error: unknown): ErrorFields {
  if (!PeerAiError.is(error) || !isCode(error.code)) {
    return { code: 'INTERNAL', message: 'the other side failed', retryAfterMs: undefined };
  }
  const { retryAfterMs } = error.details;
  return {
    code: error.code,
    message: cut(plain[error.code] ?? error.message),
    retryAfterMs: isCount(retryAfterMs) ? retryAfterMs : undefined,
  };
}

/** The provider's error as the asker throws it. */
export function fromWireError(fields: ErrorFields | undefined): PeerAiError {
  if (fields === undefined || !isCode(fields.code)) return new PeerAiError('INTERNAL', 'the other side failed');
  const { retryAfterMs } = fields;
  return new PeerAiError(fields.code, cut(fields.message), retryAfterMs === undefined ? {} : { retryAfterMs });
}

const isCode = (code: string): boolean => /^[A-Z][A-Z0-9_]{0,63}$/.test(code);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function cut(text: string): string {
  const bytes = utf8(text);
  if (bytes.length <= limits.errorMessageBytesMax) return text;
  let end = limits.errorMessageBytesMax - 3;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${fromUtf8(bytes.subarray(0, end))}…`;
}
