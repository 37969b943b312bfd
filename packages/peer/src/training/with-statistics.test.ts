import type { Trainer } from '@peerai/nn-engine';
import { expect, test } from 'vitest';
import { withStatistics } from './with-statistics.ts';

test('what a round exchanges is weights and statistics, and both are taken on from it', async () => {
  const held: Record<'weights' | 'statistics', Float32Array> = {
    weights: Float32Array.of(1, 2, 3),
    statistics: Float32Array.of(8, 9),
  };
  const trainer = {
    load: async (weights: Float32Array) => void (held.weights = weights),
    weights: async () => held.weights,
    statistics: async () => ({ statistics: held.statistics }),
    loadStatistics: async (values: Readonly<Record<string, Float32Array>>) =>
      void (held.statistics = values['statistics'] ?? new Float32Array()),
  } as unknown as Trainer;
  const whole = withStatistics(trainer, { size: 5, statistics: 2 });
  expect([...(await whole.weights())]).toEqual([1, 2, 3, 8, 9]);
  await whole.load(Float32Array.of(10, 20, 30, 80, 90));
  expect(held).toEqual({ weights: Float32Array.of(10, 20, 30), statistics: Float32Array.of(80, 90) });
  // Where there are none the trainer is left as it is.
  expect(withStatistics(trainer, { size: 3 })).toBe(trainer);
});
