import { describe, expect, it } from 'vitest';
import { modelSize } from './model.ts';
import { rowsOf } from './results.ts';
import type { Scenario } from './scenario.ts';

const scenario: Scenario = {
  name: 'start',
  steps: 100,
  shape: { members: 2, rows: 1, outer: { learningRate: 1, momentum: 0 }, judged: { each: 1, last: 1 } },
  rounds: [{ bits: 4, localSteps: 50 }],
};
const curve = (firstLoss: number, lastLoss: number, bytesSent: readonly number[] = []) => ({
  losses: [firstLoss, lastLoss],
  firstLoss,
  lastLoss,
  bytesSent,
});
/** A member's bytes that are 500 times fewer than 100 gradients. */
const fewest = (4 * modelSize * 100) / 500;
const measured = (lastLoss: number, sent: number, lessons?: Scenario['lessons']) => {
  const together = { bits: 4, localSteps: 50, curve: curve(2, lastLoss, [sent * 2, sent]) } as const;
  const whole = { scenario: { ...scenario, ...(lessons && { lessons }) }, joined: curve(2, 1), single: curve(2, 1.5) };
  return rowsOf({ ...whole, together: [together] }, together);
};
const passed = (rows: ReturnType<typeof rowsOf>) => rows.filter(({ goal }) => goal !== null).map(({ pass }) => pass);

describe('The rows of a scenario', () => {
  it('meet the goals at 500 times and within one per cent, and neither a little beyond', () => {
    expect(passed(measured(1.0099, fewest))).toEqual([true, true]);
    expect(passed(measured(1.0101, fewest + 1))).toEqual([false, false]);
  });

  it('say what a trained model learned in the rounds, beside what one trainer did', () => {
    const [before, off] = measured(1.25, fewest, { steps: 1, rows: 1 }).slice(-2);
    expect(before).toMatchObject({ case: expect.stringContaining('held-out loss before'), candidate: 2 });
    expect(off).toMatchObject({ candidate: 0.75, baseline: 1, ratio: 0.75, goal: null });
    expect(measured(1.25, fewest)).toHaveLength(6);
  });
});
