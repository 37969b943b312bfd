import { expect, test } from 'vitest';
import { followEmbedder, textOf } from './commands/memory-embedder.ts';

const { signal } = new AbortController();
const view = (left: number, problem?: string, full?: string) => ({
  count: 8,
  embedder: {
    name: 'ollama/nomic',
    kind: 'semantic' as const,
    setting: 'auto',
    left,
    ...(problem === undefined ? {} : { problem }),
    ...(full === undefined ? {} : { full }),
  },
});
async function follow(views: readonly ReturnType<typeof view>[]) {
  const [lines, left]: [string[], ReturnType<typeof view>[]] = [[], [...views]];
  const output = { progress: (line: string) => void lines.push(line) };
  const look = async () => left.shift() ?? view(-1);
  const last = await followEmbedder(look, output, signal, async () => undefined);
  return { lines, last, left };
}

test('a bar follows the model until it has read everything, and is taken away then', async () => {
  const { lines, last } = await follow([view(8), view(6), view(0), view(1)]);
  expect(lines).toEqual([
    `ollama/nomic: ${'░'.repeat(20)} 0 % of 8 capsules`,
    `ollama/nomic: ${'█'.repeat(5)}${'░'.repeat(15)} 25 % of 8 capsules`,
    '',
  ]);
  expect(last.embedder.left).toBe(0);
});

test('it ends where there is no room for more, and says why', async () => {
  const { last, left } = await follow([view(8), view(6, undefined, 'they fill their 256 MiB'), view(5)]);
  expect(left).toHaveLength(1);
  expect(textOf(last)).toMatch(/reads no more +they fill their 256 MiB/u);
});

test('it ends where the model is away, and when the caller leaves', async () => {
  const { left } = await follow([view(8), view(6, 'no engine answers'), view(5)]);
  expect(left).toHaveLength(1);
  const lines: string[] = [];
  const gone = followEmbedder(async () => view(3), { progress: (line) => void lines.push(line) }, AbortSignal.abort());
  await expect(gone).rejects.toMatchObject({ name: 'AbortError' });
  expect(lines.at(-1)).toBe('');
});
