import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedBy, type ClusterFacts, decide } from './cluster-versions.ts';

const facts = (parts: Partial<ClusterFacts> = {}): ClusterFacts => ({
  version: { a: 1 },
  removed: false,
  work: 1,
  hash: 'aa',
  ...parts,
});

test('the newer one is taken, the older and the same are not', () => {
  const [mine, newer] = [facts(), facts({ version: changedBy({ a: 1 }, 'b' as never) })];
  expect(decide(mine, newer)).toEqual({ take: true, version: { a: 1, b: 1 }, isConflict: false });
  expect(decide(newer, mine)).toEqual({ take: false, version: { a: 1, b: 1 }, isConflict: false });
  expect(decide(mine, mine)).toMatchObject({ take: false, isConflict: false });
});

const some = fc
  .record({
    version: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 3 })),
    removed: fc.boolean(),
    work: fc.integer({ min: 0, max: 2 }),
    hash: fc.constantFrom('aa', 'bb'),
  })
  .map((made): ClusterFacts => (made.removed ? { ...made, work: 0, hash: '' } : made));
const sorted = ({ version }: ClusterFacts) => Object.entries(version).toSorted(([a], [b]) => (a < b ? -1 : 1));

test('two that were changed apart come to the same, whoever asks first', () => {
  fc.assert(
    fc.property(some, some, (one, two) => {
      // Equal versions are equal clusters: nobody changes one without counting.
      fc.pre(JSON.stringify(sorted(one)) !== JSON.stringify(sorted(two)));
      const after = (mine: ClusterFacts, theirs: ClusterFacts): ClusterFacts => {
        const { take, version } = decide(mine, theirs);
        return { ...(take ? theirs : mine), version };
      };
      const [first, second] = [after(one, two), after(two, one)];
      expect({ ...first, version: sorted(first) }).toEqual({ ...second, version: sorted(second) });
      expect([decide(first, second).take, decide(second, first).take]).toEqual([false, false]);
    }),
  );
});
