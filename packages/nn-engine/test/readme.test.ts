import { readFile } from 'node:fs/promises';

import { expect, it, vi } from 'vitest';

it('the example in the README is this package’s example.ts, and it learns', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = await readFile(new URL('./example.ts', import.meta.url), 'utf8');
  expect(/```ts\n([\s\S]*?)```/.exec(readme)?.[1]).toBe(example);
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const { first, last } = await import('./example.ts');
  expect(first).toBeGreaterThan(0.6);
  expect(last).toBeLessThan(0.3);
  expect(log).toHaveBeenCalledWith(expect.stringMatching(/^loss 0\.\d+ before, 0\.\d+ after 200 steps$/));
});
