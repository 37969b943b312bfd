import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { expect, it } from 'vitest';
import { interleave, resultOf } from './harness.ts';
import { questions } from './questions.ts';
import { table } from './report.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('The README’s example runs and prints the rows it shows', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/u.exec(readme) ?? [];
  const body = stripTypeScriptTypes(code.replaceAll(/^import .*$/gmu, ''));
  const printed: string[] = [];
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (
    ...names: string[]
  ) => (...values: unknown[]) => Promise<void>;
  const run = new AsyncFunction('interleave', 'resultOf', 'table', 'console', body);
  await run(interleave, resultOf, table, { log: (text: string) => printed.push(text) });
  const [, row = ''] = /\/\/ (copy\b.*)/u.exec(code) ?? [];
  const [head = '', , , first = ''] = printed.join('\n').split('\n');
  expect(head).toBe('copying: Is a copy as fast as a fill?');
  expect(first.split(/\s{2,}/)[0]).toBe(row);
});

it('The README says of every question what it answers', () => {
  for (const name of Object.keys(questions)) expect(readme).toContain(`| \`${name}\` |`);
});
