import { PeerAiError } from '@peerai/core-protocol';
import { refusedKey } from './not-built.ts';
import { configKeys } from './tree.ts';

export interface ConfigProblem {
  readonly code: 'CONFIG_INVALID' | 'CONFIG_NOT_BUILT_IN';
  readonly key: string;
  /** `/home/a/peerai.yaml:12`, `env PEERAI_…`, `flag`. */
  readonly place: string;
  readonly message: string;
}

/** One error for all problems; `details.problems` holds each. */
export function configError(problems: readonly ConfigProblem[]): PeerAiError {
  const text = problems.map(({ place, message }) => `${place}: ${message}`).join('\n');
  return new PeerAiError(problems[0]?.code ?? 'CONFIG_INVALID', text, { problems });
}

/** Why this key cannot be set: unknown, or not part of this version. */
export function keyProblem(key: string, place: string): ConfigProblem {
  const refused = refusedKey(key);
  if (refused !== undefined) {
    return { code: 'CONFIG_NOT_BUILT_IN', key, place, message: `${refused} is not part of this version` };
  }
  const near = nearest(key);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return { code: 'CONFIG_INVALID', key, place, message: `unknown key ${key}${hint}` };
}

/** The known key a person most likely meant: the same name in another place, or few letters away. */
function nearest(key: string): string | undefined {
  const leaf = key.split('.').at(-1) ?? key;
  const known = knownNames();
  const elsewhere = known.filter((name) => name.split('.').at(-1) === leaf);
  if (elsewhere.length === 1) return elsewhere[0];
  const ranked = known
    .map((name) => ({ name, steps: Math.min(distance(key, name), 1 + distance(leaf, name.split('.').at(-1) ?? '')) }))
    .sort((a, b) => a.steps - b.steps);
  const best = ranked[0];
  return best !== undefined && best.steps <= Math.max(2, Math.floor(leaf.length / 3)) ? best.name : undefined;
}

/** Keys and the sections above them. */
function knownNames(): string[] {
  const names = new Set<string>();
  for (const { key } of configKeys()) {
    const parts = key.split('.');
    for (let length = 1; length <= parts.length; length += 1) names.add(parts.slice(0, length).join('.'));
  }
  return [...names];
}

/** Levenshtein's distance: letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const change = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
