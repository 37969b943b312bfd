import { expect, test } from 'vitest';
import { createHeardOnce } from './heard-once.ts';

test('each number is new once, in whatever order they come', () => {
  const isNew = createHeardOnce(8);
  expect([5, 3, 9, 3, 4, 9, 5, 6].map(isNew)).toEqual([true, true, true, false, true, false, false, true]);
});

test('one below so many that came is old, whether or not it came; one among them is new', () => {
  const isNew = createHeardOnce(3);
  expect([10, 20, 30].map(isNew)).toEqual([true, true, true]);
  expect([9, 10, 15].map(isNew)).toEqual([false, false, true]);
  expect([10, 14, 25].map(isNew)).toEqual([false, false, true]);
});
