import { expect, test } from 'vitest';
import { readMachine } from './machine.ts';

test('the machine’s counters grow with the work done, and its memory is a share', () => {
  const before = readMachine();
  for (const endMs = Date.now() + 150; Date.now() < endMs;);
  const after = readMachine();
  expect(after.totalMs).toBeGreaterThan(before.totalMs);
  expect(after.busyMs).toBeGreaterThan(before.busyMs);
  expect(after.busyMs - before.busyMs).toBeLessThanOrEqual(after.totalMs - before.totalMs);
  expect(before.memory > 0 && before.memory < 1).toBe(true);
});
