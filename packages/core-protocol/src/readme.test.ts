import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('runs the example of the README as it is printed', async () => {
  const folder = join(import.meta.dirname, '..');
  const example = /```ts\n(.*?)```/s.exec(readFileSync(join(folder, 'README.md'), 'utf8'))?.[1] ?? '';
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@peerai/source', '--input-type=module-typescript', '--eval', example],
    { cwd: folder, timeout: 15_000 },
  );
  expect(stdout.trim()).toBe('true { length: 5 }');
});
