import { describe, expect, test } from 'vitest';
import type { Trainer } from '../train/trainer.ts';
import { cosineRate, trainerLearner } from './trainer-learner.ts';

describe('a rate that falls', () => {
  test('begins whole, is half of the way down in the middle, and ends at a hundredth', () => {
    const rate = cosineRate(0.02, 1_000);
    expect(rate(0)).toBe(0.02);
    expect(rate(500)).toBeCloseTo(0.02 * 0.505, 12);
    expect(rate(1_000)).toBeCloseTo(0.000_2, 12);
    expect(rate(1_001)).toBe(rate(1_000));
  });

  test('is that of the run’s step for who comes late, whose own batches begin at the first', async () => {
    const [rates, batches]: [number[], number[]] = [[], []];
    const weights = new Float32Array(1);
    const trainer = {
      load: async () => undefined,
      weights: async () => weights,
      step: async (_: unknown, rate: number) => ({ loss: rates.push(rate) }),
    } as unknown as Trainer;
    const learner = trainerLearner(trainer, {
      batch: (step) => {
        batches.push(step);
        return {};
      },
      learningRate: (step) => step,
    });
    const { signal } = new AbortController();
    for (const round of [3, 5]) await learner.learn(weights, { round, localSteps: 2, signal });
    expect(rates).toEqual([6, 7, 10, 11]);
    expect(batches).toEqual([0, 1, 2, 3]);
  });
});
