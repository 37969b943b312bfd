import { expect, test } from 'vitest';
import { eachPercent } from './each-percent.ts';

test('each whole percent of a step is told once, and a step without parts never', () => {
  const told: string[] = [];
  const tell = eachPercent((step, done, all) => told.push(`${step} ${done} of ${all}`));
  for (let done = 0; done <= 1_000; done += 1) tell('one', done, 1_000);
  expect(told).toHaveLength(101);
  expect(told.at(-1)).toBe('one 1000 of 1000');
  tell('none', 0, 0);
  tell('two', 1, 2);
  expect(told.slice(101)).toEqual(['two 1 of 2']);
});
