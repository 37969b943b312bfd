import { Refusal } from './refusal.ts';

/** A number as it was written: the older profiles sign its text. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** JSON with the text of its numbers kept. */
export type Json = null | boolean | string | NumberText | readonly Json[] | JsonObject;
/** Members in the order in which they came. */
export type JsonObject = Map<string, Json>;

const DEPTH_MAX = 32;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// oxlint-disable-next-line no-control-regex -- JSON says which characters a string may not hold
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORDS: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
];

/** Reads JSON as docs/protocol/pcp.md says: no key twice, no `__proto__`, no lone surrogates, nothing behind it. */
export function readJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    if (depth > DEPTH_MAX) throw broken();
    this.#take(SPACE);
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    const number = this.#take(NUMBER);
    const double = Number(number);
    const vanished = double === 0 && /[1-9]/.test(number.split(/[eE]/)[0] ?? '');
    if (number === '' || number.length > 80 || !Number.isFinite(double) || vanished) throw broken();
    return new NumberText(number);
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at !== this.#text.length) throw broken();
  }

  #object(depth: number): JsonObject {
    const members: JsonObject = new Map();
    this.#list('}', () => {
      const key = this.#string();
      this.#expect(':');
      if (members.has(key) || key === '__proto__') throw broken();
      members.set(key, this.value(depth + 1));
    });
    return members;
  }

  #array(depth: number): Json[] {
    const values: Json[] = [];
    this.#list(']', () => values.push(this.value(depth + 1)));
    return values;
  }

  #list(close: string, one: () => void): void {
    this.#at += 1;
    this.#take(SPACE);
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#take(SPACE);
      one();
      this.#take(SPACE);
      const next = this.#text[this.#at];
      this.#at += 1;
      if (next === close) return;
      if (next !== ',') throw broken();
    }
  }

  #string(): string {
    const raw = this.#take(STRING);
    if (raw === '') throw broken();
    const text: unknown = JSON.parse(raw);
    if (typeof text !== 'string' || !text.isWellFormed()) throw broken();
    return text;
  }

  #expect(character: string): void {
    this.#take(SPACE);
    if (this.#text[this.#at] !== character) throw broken();
    this.#at += 1;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

function broken(): Refusal {
  return new Refusal('INVALID_FORMAT', 'this is no JSON that the protocol takes');
}

/** The same as ordinary values; numbers become doubles. */
export function plain(value: Json): unknown {
  if (value instanceof NumberText) return Number(value.text);
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

/** Ordinary values as JSON; `write` gives the text of a number, as ECMAScript does where it is not given. */
export function fromPlain(value: unknown, write: (value: number) => string = String): Json {
  if (typeof value === 'number') return new NumberText(write(value));
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((item: unknown) => fromPlain(item, write));
  if (typeof value === 'object') {
    const given = Object.entries(value).filter(([, member]) => member !== undefined);
    return new Map(given.map(([key, member]) => [key, fromPlain(member, write)]));
  }
  throw new TypeError('only JSON can be sent');
}
