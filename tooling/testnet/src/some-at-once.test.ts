import { expect, test } from 'vitest';
import { roundRobin, someAtOnce } from './some-at-once.ts';

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
};

test('answers have the order of the items, and never more than so many run', async () => {
  let running = 0;
  let most = 0;
  const answers = await someAtOnce([5, 1, 9, 2, 7, 3], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await turns(item);
    running -= 1;
    return item * 10;
  });
  expect(answers).toEqual([50, 10, 90, 20, 70, 30]);
  expect(most).toBe(2);
});

test('after a failure nothing new is begun, and it is thrown once what ran has ended', async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  const all = someAtOnce([0, 1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('the second');
    await turns(20);
    ended.push(item);
  });
  await expect(all).rejects.toThrow('the second');
  expect([begun, ended]).toEqual([[0, 1], [0]]);
});

test.each([1, 2, 5, 20, 21])('of %i items each meets each other once, and a round shares nobody', (count) => {
  const items = Array.from({ length: count }, (_, index) => index);
  const pairs = roundRobin(items);
  const names = pairs.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  expect(new Set(names).size).toBe((count * (count - 1)) / 2);
  expect(names).toHaveLength((count * (count - 1)) / 2);
  const perRound = Math.floor(count / 2);
  for (let from = 0; from < pairs.length; from += perRound) {
    const round = pairs.slice(from, from + perRound).flat();
    expect(new Set(round).size).toBe(round.length);
  }
});
