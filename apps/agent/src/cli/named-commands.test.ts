import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { verbs } from './verbs.ts';

/** Where messages, hints and pages are written that tell their reader to type a command. The corpus asks after commands that are not, too. */
const said = ['apps/agent/src/**/*.ts', 'apps/dashboard/src/**/*.{ts,tsx}', 'packages/*/src/**/*.ts', 'docs/**/*.md'];
/** Verbs that take something else there too: `peerai share nano`. */
const takesMore = new Set(['share']);

test('every command that a message, a page or a document tells to type is there', async () => {
  const cwd = fileURLToPath(new URL('../../../../', import.meta.url));
  const files = globSync(said, { cwd }).filter((file) => !/\.test\.ts$|\/nano\/corpus\//u.test(file));
  const named = new Map(
    files.flatMap((file) =>
      [...readFileSync(`${cwd}${file}`, 'utf8').matchAll(/peerai ([a-z-]+) ([a-z][a-z-]*)/gu)].map(
        ([text, verb = '', sub = '']) => [text, { file, verb, sub }] as const,
      ),
    ),
  );
  const loaded = new Map<string, readonly string[]>();
  for (const [word, { load }] of Object.entries(verbs)) loaded.set(word, Object.keys((await load()).subs ?? {}));
  const unknown = [...named].filter(([, { verb, sub }]) => {
    const subs = loaded.get(verb);
    if (subs === undefined || takesMore.has(verb)) return false;
    // What has no verbs of its own takes names; nothing goes by the name of a list.
    return subs.length === 0 ? sub === 'ls' : !subs.includes(sub);
  });
  expect(named.size).toBeGreaterThan(100);
  expect(unknown.map(([text, { file }]) => `${text} (${file})`)).toEqual([]);
});
