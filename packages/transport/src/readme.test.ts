import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the example of the README runs and prints what it says', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/u.exec(readme)?.[1] ?? '';
  expect(example).toContain('createAgentNode');
  const args = ['--conditions=@peerai/source', '--input-type=module-typescript', '-e', example];
  const cwd = new URL('..', import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 19_000 });
  expect(stdout.trim()).toBe("[ 'hello bob' ]");
}, 25_000);
