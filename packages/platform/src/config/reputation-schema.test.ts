import { expect, it } from 'vitest';
import { configSchema } from './schema.ts';

const leastOf = (reputation: object) => configSchema.safeParse({ reputation }).data?.reputation.admission_min;

it('the floor for leases lies under a stranger’s score unless said, and is a score', () => {
  expect([leastOf({}), leastOf({ admission_min: 0 }), leastOf({ admission_min: 1 })]).toEqual([0.25, 0, 1]);
  for (const past of [-0.01, 1.01]) expect(leastOf({ admission_min: past })).toBeUndefined();
});
