import { expect, test } from 'vitest';
import { groupShapes } from './shape.ts';
import { simulateAgreement } from './simulation.ts';

const sparse = groupShapes.filter((shape) => shape !== 'full');
const worlds = [
  { members: 4, areSilent: false, seeds: [1, 2, 3] },
  { members: 4, areSilent: true, seeds: [4, 5, 6] },
  { members: 7, areSilent: false, seeds: [7] },
  { members: 7, areSilent: true, seeds: [8, 9] },
];

test.for(sparse)(
  'members whose links are a %s decide one chain each and go on, while the liars among them hand on nothing',
  { timeout: 120_000 },
  async (shape) => {
    for (const { seeds, ...world } of worlds)
      for (const seed of seeds) {
        const { ok, failure } = await simulateAgreement(seed, { ...world, shape });
        expect({ ...world, seed, ok, failure }).toEqual({ ...world, seed, ok: true, failure: undefined });
      }
  },
);

test('members that have to hand on every vote have the ten seconds that one who hands on nothing is given', async () => {
  const world = { members: 7, shape: 'line', areSilent: true, healingMs: 10_000 } as const;
  expect((await simulateAgreement(1, world)).ok).toBe(true);
});
