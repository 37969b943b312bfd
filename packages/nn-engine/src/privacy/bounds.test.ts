import { MemoryStore } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';

import { limits } from '../limits.ts';
import { openPrivacyBudget, privacyLoss } from './index.ts';

test('the least noise is at most `budgetNoiseMax`: what would need more is spent', async () => {
  const [steps, delta] = [50, 1e-5];
  const atMost = privacyLoss([{ noise: limits.budgetNoiseMax, sampleRate: 1, steps }], delta).epsilon;
  const least = (epsilonMax: number) =>
    openPrivacyBudget(new MemoryStore(), 'notes', { epsilonMax, delta }).leastNoise(steps);
  expect(await least(atMost)).toBe(limits.budgetNoiseMax);
  await expect(least(atMost * (1 - 1e-9))).rejects.toThrow(expect.objectContaining({ code: 'PRIVACY_SPENT' }));
});
