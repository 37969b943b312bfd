import { base64urlnopad, hex } from '@scure/base';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Texts up to here are written by hand while they are ASCII: what TextEncoder gives lies outside the heap, four times as dear as a key's bytes. */
const shortTextMax = 64;

export function utf8(text: string): Uint8Array {
  if (text.length > shortTextMax) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return encoder.encode(text);
    bytes[index] = code;
  }
  return bytes;
}

/** Bytes of a text as UTF-8, without writing them while it is ASCII. */
export function utf8Length(text: string): number {
  for (let index = 0; index < text.length; index += 1)
    if (text.charCodeAt(index) > 0x7f) return encoder.encode(text).length;
  return text.length;
}

/** Throws TypeError on malformed UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Constant time for equal lengths, so that a secret can be compared. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

/** Short bytes as a text to look them up by, one character a byte: a quarter of what hex costs. Not for people. */
export const byteName = (bytes: Uint8Array): string =>
  String.fromCharCode.apply(undefined, bytes as unknown as number[]);
/** The bytes of a `byteName`. */
export const fromByteName = (name: string): Uint8Array => Uint8Array.from(name, (sign) => sign.charCodeAt(0));

export const toHex = (bytes: Uint8Array): string => hex.encode(bytes);
/** Throws on anything but an even count of hex digits. */
export const fromHex = (text: string): Uint8Array => hex.decode(text.toLowerCase());
/** RFC 4648 section 5, no padding. */
export const toBase64Url = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);
export const fromBase64Url = (text: string): Uint8Array => base64urlnopad.decode(text);

/** Orders texts as their UTF-8 bytes are ordered: by code point, which JavaScript's `<` does not do above U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left === right) continue;
    const [leftIsPair, rightIsPair] = [left >= 0xd800 && left < 0xe000, right >= 0xd800 && right < 0xe000];
    return leftIsPair === rightIsPair ? left - right : leftIsPair ? 1 : -1;
  }
  return a.length - b.length;
}
