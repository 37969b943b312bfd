import { type Json, NumberText } from './json.ts';
import { Refusal } from './refusal.ts';

/** RFC 8785. Throws INVALID_FORMAT for a number that ECMAScript would write in another way. */
export function rfc8785(value: Json): string {
  if (value instanceof NumberText) {
    const double = Number(value.text);
    const beyond = Number.isInteger(double) && !Number.isSafeInteger(double);
    if (beyond || String(double) !== value.text) {
      throw new Refusal('INVALID_FORMAT', `the number ${value.text} has another canonical text`);
    }
    return value.text;
  }
  if (value instanceof Map) {
    // Sorted by UTF-16 code units, which is how ECMAScript compares texts.
    const keys = [...value.keys()].sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${rfc8785(value.get(key) ?? null)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(rfc8785).join(',')}]`;
  return JSON.stringify(value);
}

/** What Python's `json.dumps(value, sort_keys=True, separators=(",", ":"))` writes. */
export function pythonText(value: Json): string {
  if (value instanceof NumberText) return value.text;
  if (typeof value === 'string') return pythonString(value);
  if (value instanceof Map) {
    const keys = [...value.keys()].sort(byCodePoint);
    return `{${keys.map((key) => `${pythonString(key)}:${pythonText(value.get(key) ?? null)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(pythonText).join(',')}]`;
  return JSON.stringify(value);
}

const SHORT: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
};

function pythonString(text: string): string {
  let written = '';
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const character = text.charAt(at);
    const inClear = unit >= 0x20 && unit <= 0x7e;
    written += SHORT[character] ?? (inClear ? character : String.raw`\u` + unit.toString(16).padStart(4, '0'));
  }
  return `"${written}"`;
}

function byCodePoint(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8'));
}

/** A number as we write it in the older profiles: Python's text of it. */
export function pythonNumber(value: number): string {
  if (!Number.isFinite(value) || Object.is(value, -0)) throw new RangeError('not sent');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new RangeError('not sent');
  if (value !== 0 && Math.abs(value) < 1e-4) {
    return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
  }
  return String(value);
}
