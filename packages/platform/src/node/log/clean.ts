import { PeerAiError } from '@peerai/core-protocol';
import { limits } from '../../limits.ts';

/** Names whose values are secret whatever they are. */
const secretName = /secret|pass(?:phrase|word)|authorization|cookie|credential|private|mnemonic|(?:^|_)pin$/iu;
/** Names whose values are somebody's words or keys; a number or a boolean under them is a count or a setting. */
const wordyName = /token|key|prompt|text|seed|body|payload|content|message|answer|ticket/iu;
/** Gateway keys in paths, tickets behind `#` and in join and pairing links, bearer tokens and query tokens, wherever they stand. */
const hiddenParts: readonly (readonly [RegExp, string])[] = [
  [/\/t\/[^/\s?#"']+/gu, '/t/[redacted]'],
  [/(:\/\/[^\s#"']*)#[^\s"']+/gu, '$1#[redacted]'],
  [/(peerai:\/\/(?:join|pair)\/)[^\s"']+/giu, '$1[redacted]'],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/giu, '$1 [redacted]'],
  [/([?&](?:token|key|secret|access_token)=)[^&\s"'#]+/giu, '$1[redacted]'],
];
/** C0, DEL, C1, line separators, and what turns the direction of text: a peer's name must not move the reader's cursor. */
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const redacted = '[redacted]';

/** Fields as a log may hold them: secrets gone, foreign text escaped and cut, depth and width bounded. */
export function cleanFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return cleanRecord(fields, 0);
}

export function cleanText(text: string): string {
  const units = text.length;
  const cut =
    units > limits.logTextUnitsMax
      ? `${text.slice(0, limits.logTextUnitsMax).toWellFormed()}…(${units})`
      : text.toWellFormed();
  const hidden = hiddenParts.reduce((result, [pattern, by]) => result.replaceAll(pattern, by), cut);
  return hidden.replaceAll(control, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function cleanRecord(record: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(record);
  const kept = entries
    .slice(0, limits.logEntriesMax)
    .map(([name, value]) => [cleanText(name), cleanNamed(name, value, depth)] as const);
  const clean: Record<string, unknown> = Object.fromEntries(kept);
  if (entries.length > limits.logEntriesMax) clean['…'] = entries.length - limits.logEntriesMax;
  return clean;
}

function cleanNamed(name: string, value: unknown, depth: number): unknown {
  if (value === undefined || value === null) return value;
  if (secretName.test(name)) return redacted;
  const counts = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  if (wordyName.test(name) && !counts) return redacted;
  return cleanValue(value, depth);
}

function cleanValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return cleanText(value);
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : cleanObject(value, depth);
    case 'function':
    case 'symbol':
      return undefined;
    default:
      return value;
  }
}

function cleanObject(value: object, depth: number): unknown {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= limits.logDepthMax) return '[deeper]';
  if (value instanceof Error) return cleanError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return cleanText(value.href);
  if (value instanceof Map) return cleanRecord(Object.fromEntries(value), depth + 1);
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...value] as unknown[];
    const kept = items.slice(0, limits.logEntriesMax).map((item) => cleanValue(item, depth + 1));
    return items.length > kept.length ? [...kept, `…(${items.length})`] : kept;
  }
  return cleanRecord(value, depth + 1);
}

/** Ours say what may be said; the text of others may quote anything, so only its kind and place are kept. */
function cleanError(error: Error, depth: number): Record<string, unknown> {
  const ours = PeerAiError.is(error);
  const { code } = error as { code?: unknown };
  const cause = error.cause instanceof Error ? cleanError(error.cause, depth + 1) : undefined;
  return {
    name: cleanText(error.name),
    ...(typeof code === 'string' ? { code: cleanText(code) } : {}),
    ...(ours
      ? { reason: cleanText(error.message), details: cleanRecord(error.details, depth + 1) }
      : { at: place(error) }),
    ...(cause === undefined || depth >= limits.logDepthMax ? {} : { cause }),
  };
}

function place(error: Error): string | undefined {
  const line = error.stack?.split('\n').find((text) => /^\s+at /u.test(text));
  return line === undefined ? undefined : cleanText(line.trim());
}
