import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { gaussian, seededUnit } from '../train/random.ts';
import { type Attack, type Experiment, trainedAmongLiars } from './testing/liars.ts';
import { median } from './testing/softmax.ts';
import { aggregate, type RobustRule, type Update } from './aggregate.ts';

const rules: readonly RobustRule['rule'][] = ['trimmed-mean', 'multi-krum'];
const update = (peer: string, ...values: number[]): Update => ({ peer, delta: Float32Array.from(values) });
const honest = [1, 2, 3, 4, 5, 6, 7].map((value) => update(`p${value}`, value / 10 + 1, -1));

describe.each(rules)('aggregation by %s', (rule) => {
  it('gives the same bytes whatever order the updates came in', () => {
    const random = seededUnit(4);
    const updates = Array.from({ length: 9 }, (_, peer) =>
      update(`p${peer}`, ...Array.from({ length: 20 }, () => gaussian(random))),
    );
    const once = aggregate(updates, 20, { rule, liars: 2 });
    fc.assert(
      fc.property(fc.shuffledSubarray(updates, { minLength: updates.length }), (shuffled) => {
        expect(aggregate(shuffled, 20, { rule, liars: 2 })).toEqual(once);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses by name what is not finite, of another size, far too long, or twice from one peer', () => {
    const { refused, peers } = aggregate(
      [
        ...honest,
        update('nan', Number.NaN, 1),
        update('inf', Number.POSITIVE_INFINITY, 1),
        update('short', 1),
        update('huge', 1e6, 0),
        update('twice', 1, -1),
        update('twice', 1, -1),
      ],
      2,
      { rule, liars: 0 },
    );
    expect(Object.fromEntries(refused.map(({ peer, reason }) => [peer, reason]))).toEqual({
      nan: 'not-finite',
      inf: 'not-finite',
      short: 'wrong-size',
      huge: 'too-large',
      twice: 'repeated',
    });
    expect(peers).toEqual(honest.map(({ peer }) => peer));
  });

  it('an update of ten times the median length is taken, a longer one is not', () => {
    const same = [1, 2, 3, 4, 5].map((peer) => update(`p${peer}`, 1, 0));
    const judged = (long: number) => aggregate([...same, update('long', long, 0)], 2, { rule, liars: 0 });
    expect(judged(10).refused).toEqual([]);
    expect(judged(10.001).refused).toEqual([{ peer: 'long', reason: 'too-large' }]);
  });

  it('where most did not move at all, those who did are taken', () => {
    const still = [1, 2, 3].map((peer) => update(`p${peer}`, 0, 0));
    expect(aggregate([...still, update('moved', 5, 0)], 2, { rule, liars: 0 }).refused).toEqual([]);
  });

  it('says how many good updates the declared liars need, when they did not come', () => {
    const needed = rule === 'multi-krum' ? 7 : 5;
    const enough = honest.slice(0, needed);
    expect(aggregate(enough, 2, { rule, liars: 2 }).delta).toHaveLength(2);
    expect(() => aggregate(enough.slice(1), 2, { rule, liars: 2 })).toThrow(
      expect.objectContaining({ code: 'TOO_FEW_UPDATES', details: expect.objectContaining({ needed }) }),
    );
  });

  it('takes the limit of updates and not one more', () => {
    const many = (count: number) => Array.from({ length: count }, (_, peer) => update(`p${peer}`, 1));
    expect(aggregate(many(limits.roundUpdatesMax), 1, { rule, liars: 0 }).delta).toEqual(Float32Array.of(1));
    expect(() => aggregate(many(limits.roundUpdatesMax + 1), 1, { rule, liars: 0 })).toThrow(
      expect.objectContaining({ code: 'LIMIT_REACHED' }),
    );
  });

  it('stays between the smallest and the largest honest value, whatever the liars send', () => {
    const wild = fc.array(fc.float({ noNaN: false }), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(fc.array(wild, { maxLength: 2 }), (lies) => {
        const liars = lies.map((values, index) => update(`liar${index}`, ...values));
        const { delta } = aggregate([...honest, ...liars], 2, { rule, liars: 2 });
        expect(delta[1]).toBeCloseTo(-1, rule === 'trimmed-mean' ? 6 : 0);
        if (rule === 'trimmed-mean') expect(delta[0]).toSatisfy((value: number) => value >= 1.0999 && value <= 1.7001);
      }),
    );
  });

  it.each<Attack>([
    'sign flipped',
    'sign flipped ten times',
    'noise',
    'a little less than they would notice',
    'one NaN',
  ])(
    'six of twenty that lie (%s) cost at most two points of accuracy, and would ruin or bend a plain mean',
    (attack) => {
      const clean = accuracyUnder('none', rule);
      const robust = accuracyUnder(attack, rule);
      const plain = accuracyUnder(attack, 'mean');
      expect(clean).toBeGreaterThan(0.9);
      expect(clean - robust).toBeLessThanOrEqual(0.02);
      if (attack !== 'a little less than they would notice' && attack !== 'sign flipped')
        expect(clean - plain).toBeGreaterThan(0.05);
    },
  );
});

describe('what the rules do not stop', () => {
  const seeds = [1, 2, 3];
  const medianOf = (experiment: Omit<Experiment, 'seed'>, what: 'accuracy' | 'fooled'): number =>
    median(seeds.map((seed) => trainedAmongLiars({ ...experiment, seed })[what]));

  it.each(rules)('six of twenty with a quiet backdoor fool %s, and accuracy does not show it', (rule) => {
    const quiet = { attack: 'quiet backdoor', rule, skew: 0 } as const;
    expect(medianOf(quiet, 'fooled')).toBeGreaterThan(medianOf({ ...quiet, liars: 0 }, 'fooled') + 0.1);
    expect(medianOf(quiet, 'accuracy')).toBeGreaterThan(medianOf({ ...quiet, liars: 0 }, 'accuracy') - 0.02);
  });

  it('where nine tenths of a peer’s data are of one class six of twenty teach multi-krum a plain backdoor', () => {
    const skewed = { attack: 'backdoor', rule: 'multi-krum', skew: 0.9 } as const;
    expect(medianOf(skewed, 'fooled')).toBeGreaterThan(0.7);
    expect(medianOf({ ...skewed, liars: 0 }, 'fooled')).toBeLessThan(0.4);
  });

  it.each([
    ['trimmed-mean', 0.01],
    ['multi-krum', 0.1],
  ] as const)('where each peer has one class %s costs more than %f without any liar', (rule, cost) => {
    const one = { attack: 'none', skew: 1 } as const;
    const lost = medianOf({ ...one, rule: 'mean' }, 'accuracy') - medianOf({ ...one, rule }, 'accuracy');
    expect(lost).toBeGreaterThan(cost);
  });
});

const learnt = new Map<string, number>();

/** Median over the seeds; learned once. */
function accuracyUnder(attack: Attack, rule: RobustRule['rule'] | 'mean'): number {
  const key = `${attack} ${rule}`;
  const known =
    learnt.get(key) ?? median([1, 2, 3].map((seed) => trainedAmongLiars({ seed, attack, rule, skew: 0 }).accuracy));
  learnt.set(key, known);
  return known;
}
