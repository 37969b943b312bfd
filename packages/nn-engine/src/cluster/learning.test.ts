import { describe, expect, it } from 'vitest';

import { createCluster } from './cluster.ts';
import { accuracyOf, toyTasks, trainCluster } from './toy-tasks.ts';
import { classError, mostVoted, softmax } from './votes.ts';

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

describe('A cluster learns', () => {
  it.each(Object.entries(toyTasks))(
    '%s: 30 points above chance and above itself untrained, median of five seeds',
    (_, task) => {
      const readings = [1, 2, 3, 4, 5].map((seed) => {
        const cluster = createCluster({ nodes: 32, inputs: 2, seed });
        const untrained = accuracyOf(cluster, task, { seed: seed + 900 });
        trainCluster(cluster, task, { presentations: 600, seed: seed + 100 });
        return { untrained, trained: accuracyOf(cluster, task, { seed: seed + 900 }) };
      });
      const trained = middle(readings.map((reading) => reading.trained));
      expect(trained).toBeGreaterThanOrEqual(0.5 + 0.3);
      expect(trained - middle(readings.map(({ untrained }) => untrained))).toBeGreaterThanOrEqual(0.3);
    },
  );
});

describe('Votes', () => {
  it('become shares, an error that points to the known class, and a choice', () => {
    expect([...softmax([0, Math.log(3)])].map((share) => share.toFixed(6))).toEqual(['0.250000', '0.750000']);
    expect([...classError([0, 0], 1)]).toEqual([-0.5, 0.5]);
    expect([mostVoted([1, 3, 3]), mostVoted([2, 1])]).toEqual([1, 0]);
    expect(softmax([1_000, 0])[0]).toBe(1);
  });
});
