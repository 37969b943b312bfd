import { base64 } from '@scure/base';
import { fromHex, utf8 } from '../bytes.ts';
import { limits } from '../limits.ts';
import { missingField, wrongField } from './errors.ts';
import { pcpLimits } from './limits.ts';
import { type RawJson, RawNumber, type RawObject } from './raw-json.ts';
import { readTimestamp } from './timestamp.ts';

/** Throws MISSING_FIELDS; null is missing too, as Python peers write None. */
export function need(message: RawObject, field: string): RawJson {
  const value = message.get(field);
  if (value === undefined || value === null) throw missingField(field);
  return value;
}

/** 1 to `bytesMax` bytes of text. Throws MISSING_FIELDS, INVALID_FORMAT. */
export function needText(message: RawObject, field: string, bytesMax: number): string {
  const value = need(message, field);
  if (typeof value !== 'string' || value === '' || utf8(value).length > bytesMax) throw wrongField(field);
  return value;
}

export function optionalText(message: RawObject, field: string, bytesMax: number): string | undefined {
  return (message.get(field) ?? null) === null ? undefined : needText(message, field, bytesMax);
}

/** `msg_type`, a word. */
export function needKind(message: RawObject): string {
  const kind = needText(message, 'msg_type', limits.kindBytesMax);
  if (!/^[a-z][a-z0-9_.-]*$/.test(kind)) throw wrongField('msg_type');
  return kind;
}

export function needTimestamp(message: RawObject): number {
  const timestampMs = readTimestamp(need(message, 'timestamp'));
  if (timestampMs === undefined) throw wrongField('timestamp');
  return timestampMs;
}

/** A whole number from 0 to 2^53 − 1 without sign, point or exponent. */
export function optionalCount(message: RawObject, field: string): number | undefined {
  const value = message.get(field) ?? null;
  if (value === null) return undefined;
  const count = value instanceof RawNumber && /^\d+$/.test(value.text) ? Number(value.text) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw wrongField(field);
  return count;
}

/** 64 bytes as 128 hex digits, and where the profile reads base64 too, as its 88 characters; nothing else. */
export function needSignature(message: RawObject, encodings: readonly ('hex' | 'base64')[]): Uint8Array {
  const text = need(message, 'signature');
  if (typeof text !== 'string') throw wrongField('signature');
  if (encodings.includes('hex') && /^[0-9a-fA-F]{128}$/.test(text)) return fromHex(text);
  const signature = encodings.includes('base64') && text.length === 88 ? decodeBase64('signature', text) : undefined;
  if (signature?.length !== 64) throw wrongField('signature');
  return signature;
}

/** RFC 4648 with padding, one text for one value. Throws INVALID_FORMAT. */
export function decodeBase64(field: string, text: string): Uint8Array {
  try {
    return base64.decode(text);
  } catch (cause) {
    throw wrongField(field, cause);
  }
}
export const encodeBase64 = (bytes: Uint8Array): string => base64.encode(bytes);

/** 16 to 64 bytes in hex or base64, kept as text because its text is signed. */
export function needNonce(message: RawObject): string {
  const nonce = needText(message, 'nonce', pcpLimits.nonceCharsMax);
  const isHex = /^(?:[0-9a-fA-F]{2}){16,64}$/.test(nonce);
  const [, text = ''] = /^([A-Za-z0-9+/_-]+)={0,2}$/.exec(nonce) ?? [];
  const isBase64 = text.length >= pcpLimits.nonceCharsMin && text.length <= pcpLimits.nonceBase64CharsMax;
  if (!isHex && !isBase64) throw wrongField('nonce');
  return nonce;
}
