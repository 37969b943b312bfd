import type { PeerId } from '@peerai/core-protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  capsuleQuality,
  incentivePolicy,
  incentiveValues,
  type Occasion,
  paymentsFor,
  seedIncentives,
} from './index.ts';

const [ann, ben] = ['ann', 'ben'] as unknown as [PeerId, PeerId];
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the seed’s incentives', () => {
  test('a capsule earns base × quality × novelty, from who takes it over', () => {
    const quality = capsuleQuality({ novelty: 0.75, importance: 0.9, tags: 4 });
    expect(quality).toBe(1);
    expect([0.7, 0.71].map((novelty) => capsuleQuality({ novelty, importance: 0.8, tags: 3 }))).toEqual([0.5, 0.7]);
    const occasion = { type: 'capsule', author: ann, taker: ben, quality: 0.7, novelty: 0.5 } as const;
    expect(paymentsFor(seedIncentives, occasion)).toEqual([{ from: ben, to: ann, micro: 350_000n, reason: 'capsule' }]);
  });

  test('borrowing costs half a credit an hour; above 0.8 a tenth of it comes back from the lender', () => {
    const lent = { type: 'borrowing', lender: ann, borrower: ben, nodes: 2, heldMs: 3_600_000 } as const;
    const paid = { from: ben, to: ann, micro: 1_000_000n, reason: 'borrowing' };
    expect(paymentsFor(seedIncentives, lent)).toEqual([paid]);
    expect(paymentsFor(seedIncentives, { ...lent, performance: 0.8 })).toEqual([paid]);
    expect(paymentsFor(seedIncentives, { ...lent, performance: 0.800_001 })).toEqual([
      paid,
      { from: ann, to: ben, micro: 100_000n, reason: 'bonus' },
    ]);
    expect(paymentsFor(seedIncentives, { ...lent, heldMs: 1 })).toEqual([{ ...paid, micro: 1n }]);
  });

  test('sums conserve, nobody pays himself, nothing is negative', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const peer = fc.constantFrom(ann, ben);
    const capsule = fc.record({
      type: fc.constant('capsule' as const),
      author: peer,
      taker: peer,
      quality: share,
      novelty: share,
    });
    const borrowing = fc.record({
      type: fc.constant('borrowing' as const),
      lender: peer,
      borrower: peer,
      nodes: fc.nat(1_024),
      heldMs: fc.nat(86_400_000),
      performance: share,
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(capsule, borrowing), { maxLength: 20 }), (occasions: readonly Occasion[]) => {
        const account = new Map<PeerId, bigint>();
        const book = (one: PeerId, micro: bigint) => account.set(one, (account.get(one) ?? 0n) + micro);
        for (const { from, to, micro } of occasions.flatMap((one) => paymentsFor(seedIncentives, one))) {
          expect(from).not.toBe(to);
          expect(micro > 0n).toBe(true);
          book(from, -micro);
          book(to, micro);
        }
        expect([...account.values()].reduce((a, b) => a + b, 0n)).toBe(0n);
        const alone = occasions.filter((one) =>
          one.type === 'capsule' ? one.author === one.taker : one.lender === one.borrower,
        );
        expect(alone.flatMap((one) => paymentsFor(seedIncentives, one))).toEqual([]);
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  test.each([{ quality: 1.1 }, { novelty: -0.1 }, { novelty: Number.NaN }])(
    'a share such as %o is refused',
    (change) => {
      const occasion = { type: 'capsule', author: ann, taker: ben, quality: 1, novelty: 1, ...change } as const;
      expect(() => paymentsFor(seedIncentives, occasion)).toThrow(code('INVALID_FORMAT'));
    },
  );
  test.each([{ nodes: -1 }, { heldMs: 0.5 }])('a count such as %o is refused', (change) => {
    const occasion = { type: 'borrowing', lender: ann, borrower: ben, nodes: 1, heldMs: 1, ...change } as const;
    expect(() => paymentsFor(seedIncentives, occasion)).toThrow(code('INVALID_FORMAT'));
  });
});

describe('a policy', () => {
  test('is names and values that a group can vote on, and comes back the same', () => {
    const own = { ...seedIncentives, capsuleBaseMicro: 7n, bonusPermille: 1_000 };
    expect(incentivePolicy(incentiveValues(own))).toEqual(own);
    expect(incentivePolicy({ 'something.else': true })).toEqual(seedIncentives);
  });
  test('has an effect', () => {
    const occasion = {
      type: 'borrowing',
      lender: ann,
      borrower: ben,
      nodes: 1,
      heldMs: 3_600_000,
      performance: 0.5,
    } as const;
    const own = incentivePolicy({
      'incentives.node_hour_micro': '10',
      'incentives.bonus_above_permille': 400,
      'incentives.bonus_permille': 500,
    });
    expect(paymentsFor(own, occasion).map(({ micro }) => micro)).toEqual([10n, 5n]);
  });
  test.each([
    ['incentives.bonus_permille', 1_000, 1_001],
    ['incentives.bonus_above_permille', 1_000, 1_001],
    ['incentives.node_hour_micro', '1000000000', '1000000001'],
    ['incentives.capsule_base_micro', '1000000000', '1000000001'],
  ])('takes %s at its limit and not past it', (name, most, past) => {
    expect(() => incentivePolicy({ [name]: most })).not.toThrow();
    expect(() => incentivePolicy({ [name]: past })).toThrow(code('LIMIT_EXCEEDED'));
    for (const wrong of ['-1', '0.5', '', true, null])
      expect(() => incentivePolicy({ [name]: wrong })).toThrow(code('INVALID_FORMAT'));
  });
});
