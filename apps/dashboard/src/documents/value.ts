import { values } from './strings.ts';

/** How a value is written: a text as it is, everything else as JSON. */
export type As = 'text' | 'json';

export const asOf = (value: unknown): As => (typeof value === 'string' ? 'text' : 'json');
export const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What somebody wrote; `undefined` where it is not JSON. JSON has no `undefined` of its own. */
export function readValue(text: string, as: As): unknown {
  if (as === 'text') return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function kindOf(value: unknown): string {
  const { kinds } = values;
  if (value === null) return kinds.nothing;
  if (Array.isArray(value)) return kinds.list;
  switch (typeof value) {
    case 'string':
      return kinds.text;
    case 'number':
      return kinds.number;
    case 'boolean':
      return kinds.yesNo;
    default:
      return kinds.object;
  }
}

/** Keys in the order of their names, those alone that have `part` in theirs. */
export const keysWith = (contents: Readonly<Record<string, unknown>>, part: string): readonly string[] =>
  Object.keys(contents)
    .filter((key) => key.toLowerCase().includes(part.trim().toLowerCase()))
    .toSorted((a, b) => a.localeCompare(b));
