import { expect, it } from 'vitest';
import { teachBase, weightsOf } from './base.ts';
import { firstWeights } from './model.ts';
import { trainAlone, trainTogether } from './together.ts';

const letters = Uint8Array.from({ length: 400 }, (_, index) => 97 + (index % 7));
const place = {
  text: { parts: [letters], heldOut: letters },
  signal: new AbortController().signal,
  log: () => undefined,
};
const plan = {
  members: 1,
  rounds: 1,
  localSteps: 1,
  rows: 1,
  outer: { learningRate: 1, momentum: 0 },
  judged: { each: 1, last: 1 },
};

it('One trainer and a member of rounds begin from the weights they are given', async () => {
  // These guess far worse than untrained ones, which give each byte about the same chance, and one step at a hundredth of the rate does not bring them there.
  const from = firstWeights().map((value) => value * 4);
  const [alone, together] = [
    await trainAlone({ ...plan, from }, place),
    await trainTogether({ ...plan, from }, 4, place),
  ];
  const guessed = Math.log(256);
  expect(together.firstLoss).toBe(alone.firstLoss);
  for (const { firstLoss, lastLoss } of [alone, together]) {
    expect(firstLoss).toBeGreaterThan(guessed + 1);
    expect(lastLoss).toBeGreaterThan(guessed + 1);
  }
}, 60_000);

it('A base is what one trainer learned, whole', async () => {
  const untrained = firstWeights();
  const base = weightsOf(await teachBase({ steps: 1, rows: 1 }, place));
  expect(base).toHaveLength(untrained.length);
  // The first step of AdamW moves no weight further than its rate, 1.5e-5, and the decay; and it moves some.
  const furthest = base.reduce((most, value, index) => Math.max(most, Math.abs(value - (untrained[index] ?? 0))), 0);
  expect(furthest).toBeGreaterThan(1e-5);
  expect(furthest).toBeLessThan(2e-5);
}, 60_000);
