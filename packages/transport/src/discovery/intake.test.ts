import type { PeerId } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createIntake } from './intake.ts';

const [one, other] = ['one' as PeerId, 'other' as PeerId];

test('a neighbour brings as many records as the limit and not one more; the next window begins anew', async () => {
  const clock = new ManualClock();
  const intake = createIntake(clock);
  for (let count = 1; count <= limits.recordsTakenMax; count += 1) expect(intake.take(one)).toBe(true);
  expect(intake.take(one)).toBe(false);
  expect(intake.take(other)).toBe(true);
  await clock.advance(limits.recordsWindowMs - 1);
  expect(intake.take(one)).toBe(false);
  await clock.advance(1);
  expect(intake.take(one)).toBe(true);
});

test('no more neighbours are counted than the limit', () => {
  const intake = createIntake(new ManualClock());
  for (let index = 0; index < limits.recordSourcesMax; index += 1) intake.take(`peer-${index}` as PeerId);
  expect(intake.sources).toBe(limits.recordSourcesMax);
  intake.take(one);
  expect(intake.sources).toBe(limits.recordSourcesMax);
});
