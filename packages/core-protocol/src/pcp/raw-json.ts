import { compareUtf8, fromUtf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import { numberText } from './number-text.ts';
import { pcpLimits } from './limits.ts';

/** A number as it was written: older peers sign its text, and a double would change 1.0, 1e-07, -0.0 and long integers. */
export class RawNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
export type RawObject = ReadonlyMap<string, RawJson>;
export type RawJson = null | boolean | string | RawNumber | readonly RawJson[] | RawObject;

const refuse = (text: string, cause?: unknown): PeerAiError => new PeerAiError('INVALID_FORMAT', text, {}, { cause });

/**
 * JSON with the text of its numbers kept. Linear in the bytes, bounded in depth, values and length of numbers.
 * Throws INVALID_FORMAT, also for a key that comes twice, `__proto__`, lone surrogates, and numbers no double comes near (1e400, 1e-400).
 */
export function readRawJson(bytes: Uint8Array): RawJson {
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch (cause) {
    throw refuse('not UTF-8', cause);
  }
  return new Reader(text).whole();
}

const word = /[a-z]*/y;
const numberWord = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const blank = /[ \t\n\r]*/y;
const plainString = /"[^"\\\u0000-\u001f]*"/y; // oxlint-disable-line no-control-regex -- JSON's own rule
const words: Readonly<Record<string, null | boolean>> = { null: null, true: true, false: false };

class Reader {
  readonly #text: string;
  #place = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): RawJson {
    const value = this.#value(0);
    if (this.#place !== this.#text.length) throw refuse('something stands behind the JSON');
    return value;
  }

  #value(depth: number): RawJson {
    this.#values += 1;
    if (this.#values > limits.jsonValuesMax) throw refuse(`more than ${limits.jsonValuesMax} values`);
    this.#match(blank);
    const sign = this.#text[this.#place];
    const value =
      sign === '{'
        ? this.#object(depth + 1)
        : sign === '['
          ? this.#array(depth + 1)
          : sign === '"'
            ? this.#string()
            : sign === '-' || (sign !== undefined && sign >= '0' && sign <= '9')
              ? this.#number()
              : this.#word();
    this.#match(blank);
    return value;
  }

  #object(depth: number): RawObject {
    const members = new Map<string, RawJson>();
    this.#open(depth);
    if (this.#take('}')) return members;
    do {
      this.#match(blank);
      const key = this.#string();
      if (key === '__proto__') throw refuse('a key named __proto__');
      if (members.has(key)) throw refuse('a key comes twice in one object');
      this.#match(blank);
      if (!this.#take(':')) throw refuse('not JSON');
      members.set(key, this.#value(depth));
    } while (this.#take(','));
    if (!this.#take('}')) throw refuse('not JSON');
    return members;
  }

  #array(depth: number): readonly RawJson[] {
    const items: RawJson[] = [];
    this.#open(depth);
    if (this.#take(']')) return items;
    do items.push(this.#value(depth));
    while (this.#take(','));
    if (!this.#take(']')) throw refuse('not JSON');
    return items;
  }

  #open(depth: number): void {
    if (depth > limits.jsonDepthMax) throw refuse(`nested deeper than ${limits.jsonDepthMax}`);
    this.#place += 1;
    this.#match(blank);
  }

  #string(): string {
    const plain = this.#match(plainString);
    const value = plain === '' ? this.#escaped() : plain.slice(1, -1);
    if (!value.isWellFormed()) throw refuse('a lone surrogate');
    return value;
  }

  #escaped(): string {
    const start = this.#place;
    if (this.#text[start] !== '"') throw refuse('not JSON');
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    this.#place = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch (cause) {
      throw refuse('not JSON', cause);
    }
  }

  #number(): RawNumber {
    const text = this.#match(numberWord);
    if (text === '') throw refuse('not JSON');
    if (text.length > pcpLimits.numberCharsMax) throw refuse('a number with too many digits');
    const value = Number(text);
    if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(text.replace(/[eE].*/, '')))) {
      throw refuse(`the number ${text} is beyond a double`);
    }
    return new RawNumber(text);
  }

  #word(): null | boolean {
    const value = words[this.#match(word)];
    if (value === undefined) throw refuse('not JSON');
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#place;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#place += found.length;
    return found;
  }

  #take(sign: string): boolean {
    if (this.#text[this.#place] !== sign) return false;
    this.#place += 1;
    return true;
  }
}

/**
 * Python's `json.dumps(value, sort_keys=True, separators=(",", ":"))`: keys by code point, everything outside ASCII and DEL as lower-case
 * \uXXXX. Raw numbers as they were written, own ones as Python writes them back. Throws INVALID_FORMAT for what is no JSON.
 */
export function writeAsciiJson(value: unknown): string {
  let values = 0;
  const write = (value: unknown, depth: number): string => {
    values += 1;
    if (values > limits.jsonValuesMax) throw refuse(`more than ${limits.jsonValuesMax} values`);
    if (value === null || typeof value === 'boolean') return String(value);
    if (typeof value === 'string') return asciiString(value);
    if (typeof value === 'number') return numberText(value);
    if (value instanceof RawNumber) return value.text;
    // The same depth that is read: of lists and objects, not of what they hold.
    if (depth >= limits.jsonDepthMax) throw refuse(`nested deeper than ${limits.jsonDepthMax}`);
    if (Array.isArray(value)) return `[${Array.from(value, (item) => write(item, depth + 1)).join(',')}]`;
    const members = Array.from(membersOf(value)).sort(([a], [b]) => compareUtf8(a, b));
    return `{${members.map(([key, item]) => `${asciiString(key)}:${write(item, depth + 1)}`).join(',')}}`;
  };
  return write(value, 0);
}

function membersOf(value: unknown): Iterable<readonly [string, unknown]> {
  if (value instanceof Map) return value as RawObject;
  const isPlain = typeof value === 'object' && value !== null;
  const prototype: unknown = isPlain ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null) throw refuse(`a value of type ${typeof value} is no JSON`);
  return Object.entries(value as object).map((member) => {
    if (member[0] === '__proto__') throw refuse('a key named __proto__');
    return member;
  });
}

function asciiString(value: string): string {
  if (!value.isWellFormed()) throw refuse('a lone surrogate');
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The value for a handler: plain JSON. A whole number that a double would round becomes its text, so that nobody reads another one. */
export function plainJson(value: RawJson): unknown {
  if (value instanceof RawNumber) {
    const number = Number(value.text);
    return Number.isInteger(number) && !Number.isSafeInteger(number) ? value.text : number + 0;
  }
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, item]) => [key, plainJson(item)]));
  return Array.isArray(value) ? value.map((item: RawJson) => plainJson(item)) : value;
}
