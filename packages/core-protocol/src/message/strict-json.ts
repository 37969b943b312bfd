import canonicalize from 'canonicalize';
import { fromUtf8, utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';

const refuse = (text: string, cause?: unknown): PeerAiError => new PeerAiError('INVALID_FORMAT', text, {}, { cause });

/**
 * JSON that means the same to everybody who reads it, or nothing: duplicate keys, `__proto__`, lone surrogates and numbers that a double
 * cannot hold or writes differently (1.0, -0, 1e2, 2^53) are refused, so that what was signed is what is read. Throws INVALID_FORMAT.
 */
export function readStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  const { members } = scan(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse('not JSON', cause);
  }
  if (checkValue(value, 0).members !== members) throw refuse('a key comes twice in one object');
  return value;
}

/** RFC 8785 bytes of a value that `readStrictJson` would give back unchanged. Throws INVALID_FORMAT. */
export function canonicalJson(value: unknown): Uint8Array {
  const { values } = checkValue(value, 0);
  if (values > limits.jsonValuesMax) throw refuse(`more than ${limits.jsonValuesMax} values`);
  try {
    return utf8(canonicalize(value) ?? '');
  } catch (cause) {
    throw refuse('this value has no canonical JSON', cause);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw refuse('not UTF-8', cause);
  }
}

/** One pass before parsing, linear in the text: depth, counts and numbers as they are written. Leaves grammar to JSON.parse. */
function scan(text: string): { readonly members: number } {
  let [members, values, depth] = [0, 1, 0];
  for (let place = 0; place < text.length; place += 1) {
    const sign = text[place] ?? '';
    if (sign === '"') place = endOfString(text, place);
    else if (sign === ':') members += 1;
    else if (sign === ',') values += 1;
    else if (sign === '[' || sign === '{') {
      depth += 1;
      values += 1;
    } else if (sign === ']' || sign === '}') depth -= 1;
    else if (sign === '-' || isDigit(sign)) {
      const end = endOfNumber(text, place);
      checkNumber(text.slice(place, end));
      place = end - 1;
    }
    if (depth > limits.jsonDepthMax) throw refuse(`nested deeper than ${limits.jsonDepthMax}`);
    if (values > limits.jsonValuesMax) throw refuse(`more than ${limits.jsonValuesMax} values`);
  }
  return { members };
}

const isDigit = (sign: string): boolean => sign >= '0' && sign <= '9';

/** Place of the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  let place = start + 1;
  while (place < text.length && text[place] !== '"') place += text[place] === '\\' ? 2 : 1;
  return place;
}

function endOfNumber(text: string, start: number): number {
  let place = start + 1;
  while (place < text.length && (isDigit(text[place] ?? '') || '.eE+-'.includes(text[place] ?? ' '))) place += 1;
  return place;
}

function checkNumber(text: string): void {
  const value = Number(text);
  if (String(value) !== text || !survives(value)) throw refuse(`the number ${text.slice(0, 40)} does not survive JSON`);
}

const survives = (value: number): boolean =>
  Number.isFinite(value) && !Object.is(value, -0) && (!Number.isInteger(value) || Number.isSafeInteger(value));

/** Plain JSON all the way down, as deep as allowed; counts values as `scan` does (each item, each object and array) and members. */
function checkValue(value: unknown, depth: number): { readonly members: number; readonly values: number } {
  if (typeof value === 'number' && !survives(value)) throw refuse('a number that does not survive JSON');
  if (value === null || ['number', 'string', 'boolean'].includes(typeof value)) return { members: 0, values: 1 };
  if (typeof value !== 'object' || !isPlain(value)) throw refuse(`a value of type ${typeof value} is no JSON`);
  if (depth >= limits.jsonDepthMax) throw refuse(`nested deeper than ${limits.jsonDepthMax}`);
  let [members, values] = [0, 1];
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw refuse('a key named __proto__');
    if (!Array.isArray(value)) members += 1;
    const inner = checkValue((value as Record<string, unknown>)[key], depth + 1);
    members += inner.members;
    values += inner.values;
  }
  return { members, values };
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return Object.keys(value).length === value.length;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
