import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';

test('the example in the README runs and prints what it says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, code = ''] = /```ts\n([\s\S]*?)```/u.exec(readme) ?? [];
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  // Beside the build, which nothing checks or packs while it runs; there the package's own name is a file.
  const folder = new URL('../dist/', import.meta.url);
  const file = new URL(`readme-example-${process.pid}.ts`, folder);
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(file, code.replace("'@peerai/peer'", "'../src/index.ts'"));
    await import(/* @vite-ignore */ file.href);
  } finally {
    rmSync(file, { force: true });
  }
  const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gmu)].map(([, text]) => text);
  expect(printed.mock.calls.map((values) => values.join(' '))).toEqual(expected);
  expect(expected).toHaveLength(2);
});
