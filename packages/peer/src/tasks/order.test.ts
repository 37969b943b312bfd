import type { PeerId } from '@peerai/core-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type InLine, nextTask } from './order.ts';
import { taskPrioritySchema } from './tasks.schema.ts';

const [a, b] = ['peer-a', 'peer-b'] as PeerId[] as [PeerId, PeerId];
const one = (priority: InLine['priority'], queuedMs: number, peer = a): InLine => ({ peer, priority, queuedMs });

test('the higher priority is first, then the older one', () => {
  const high = one('high', 5);
  const older = one('normal', 1);
  expect(nextTask([one('normal', 3), older, high], [], 10)).toBe(high);
  expect(nextTask([one('normal', 3), older], [], 10)).toBe(older);
  expect(nextTask([], [], 10)).toBeUndefined();
});

test('a task that has waited for a rank is equal to the next one, a millisecond earlier it is not', () => {
  const low = one('low', 0);
  const normal = one('normal', limits.taskAgeingMs);
  expect(nextTask([normal, low], [], limits.taskAgeingMs - 1)).toBe(normal);
  expect(nextTask([normal, low], [], limits.taskAgeingMs)).toBe(low);
});

test('among equals the peer with the fewest running is first', () => {
  const later = one('normal', 9, b);
  expect(nextTask([one('normal', 1), later], [one('low', 0)], 10)).toBe(later);
});

test('whatever comes five ranks of time later is never before it, at no time', () => {
  const low = one('low', 0);
  const laterMs = limits.taskAgeingMs * taskPrioritySchema.options.length;
  const arrivals = fc.array(fc.nat(laterMs * 3), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(arrivals, fc.nat(laterMs * 9), (others, nowMs) => {
      const emergencies = others.map((ms) => one('emergency', laterMs + ms));
      expect(nextTask([...emergencies, low], [], laterMs + nowMs)).toBe(low);
    }),
    { seed: 7 },
  );
});
