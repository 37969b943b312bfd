import { ManualClock } from '@peerai/core-protocol/testing';
import { createCluster } from '@peerai/nn-engine/cluster';
import { expect, test } from 'vitest';
import { live } from '../testing/steps.ts';
import { clusterLimits } from './limits.ts';
import { processSteps } from './work.ts';

test('others have their turn each time `clusterVisitsAtOnce` weights were visited, and not one visit sooner', async () => {
  const inputs = 249;
  const turnsIn = async (steps: number): Promise<number> => {
    const cluster = createCluster({ nodes: 1_000, nodesMax: 1_000, inputs, outputs: 1, seed: 1 });
    let turns = 0;
    const clock = Object.assign(new ManualClock(), { sleep: async () => void (turns += 1) });
    const input = Array.from({ length: inputs }, () => 0);
    await processSteps(
      cluster,
      { inputs: Array.from({ length: steps }, () => input), everyMs: 0 },
      { clock, signal: live(), fired: () => undefined },
    );
    return turns;
  };
  // A step visits each node's weights and its threshold.
  const steps = clusterLimits.clusterVisitsAtOnce / (1_000 * (inputs + 1));
  expect([
    await turnsIn(steps - 1),
    await turnsIn(steps),
    await turnsIn(2 * steps - 1),
    await turnsIn(2 * steps),
  ]).toEqual([0, 1, 1, 2]);
});
