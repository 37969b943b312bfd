import { compareUtf8, type PeerId } from '@peerai/core-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { someone, testChain, textProposal } from '../../test/governance.ts';
import { crypto } from '../../test/world.ts';
import { decodeStatement, encodeStatement } from './entry.ts';
import type { FoldDeps } from './fold.ts';
import { governanceLimits as limits } from './limits.ts';
import type { PointsSaid, RewardFacts } from './points.ts';

const deps: FoldDeps = { crypto, ballots: { verify: async () => false } };
const four = Array.from({ length: 4 }, () => someone().peer).toSorted(compareUtf8);
const at = (index: number): PeerId => four[index] ?? ('nobody' as PeerId);
const subject = new Uint8Array(32).fill(9);
const code = (expected: string) => expect.objectContaining({ code: expected });
const transfer = (to: PeerId, amountMicro: bigint, reason = ''): PointsSaid => ({
  type: 'transfer',
  to,
  amountMicro,
  reason,
});
const reward = (facts: Partial<RewardFacts>): PointsSaid => ({
  type: 'reward',
  reward: {
    reason: 'capsule',
    to: at(1),
    subject,
    quality: 0,
    novelty: 0,
    nodes: 0,
    heldMs: 0,
    performance: 0,
    ...facts,
  },
});

/** A group whose first member was issued so many micro-points. */
async function funded(amountMicro: bigint) {
  const chain = testChain(deps, four);
  const decide = async (action: Parameters<typeof textProposal>[1]) => {
    const on = await chain.propose(at(0), textProposal('do it', action), 1_000);
    for (const peer of four) await chain.say(peer, { type: 'vote', on, choice: 'yes' }, 1_000);
    await chain.say(at(0), { type: 'close', on }, 1_000);
  };
  await decide({ action: { type: 'points', to: at(0), amountMicro, reason: 'a start' } });
  const give = (from: PeerId, said: PointsSaid) => chain.say(from, said, 2_000);
  const has = (index: number) => chain.state().points.get(at(index)) ?? 0n;
  return { chain, decide, give, has };
}

test('points go from one member to another as far as they reach, and those of all add up to what was issued', async () => {
  const { chain, give, has } = await funded(100n);
  expect(await give(at(0), transfer(at(1), 40n))).toBeUndefined();
  expect(await give(at(1), transfer(at(2), 41n))).toBe('NO_POINTS');
  expect(await give(at(1), transfer(at(1), 1n))).toBe('NO_EFFECT');
  expect(await give(someone().peer, transfer(at(1), 1n))).toBe('NOT_MEMBER');
  expect(await give(at(1), transfer(at(2), 40n))).toBeUndefined();
  expect([has(0), has(1), has(2)]).toEqual([60n, 0n, 40n]);
  // Who has none takes no place.
  expect([...chain.state().points.keys()].toSorted(compareUtf8)).toEqual([at(0), at(2)]);
});

test('no transfers whatever change the supply', async () => {
  const moves = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.bigInt({ min: 1n, max: 80n })), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(moves, async (all) => {
      const { chain, give } = await funded(100n);
      for (const [from, to, amount] of all) await give(at(from), transfer(at(to), amount));
      const { points, pointsIssued } = chain.state();
      expect([[...points.values()].reduce((sum, one) => sum + one, 0n), pointsIssued]).toEqual([100n, 100n]);
      expect([...points.values()].every((one) => one > 0n)).toBe(true);
    }),
    { numRuns: 30, seed: 4 },
  );
});

test('a reward is what the policy in force says: base × quality × novelty, once for a capsule', async () => {
  const { decide, give, has } = await funded(10_000_000n);
  const capsule = { quality: 800_000, novelty: 500_000 };
  expect(await give(at(0), reward(capsule))).toBeUndefined();
  expect(has(1)).toBe(400_000n);
  expect(await give(at(0), reward(capsule))).toBe('REWARDED');
  expect(await give(at(2), reward(capsule))).toBe('NO_POINTS');
  expect(await give(at(0), reward({ ...capsule, to: at(0), subject: new Uint8Array(32) }))).toBe('NO_EFFECT');
  await decide({ action: { type: 'policy', name: 'incentives.capsule_base_micro', value: 2_000_000 } });
  expect(await give(at(0), reward({ ...capsule, subject: new Uint8Array(32) }))).toBeUndefined();
  expect(has(1)).toBe(1_200_000n);
});

test('a borrower pays by node and hour, and its lender gives a tenth back for work above 0.8', async () => {
  const { give, has } = await funded(10_000_000n);
  const work = { nodes: 4, heldMs: 1_800_000 };
  expect(await give(at(0), reward({ reason: 'borrowing', ...work }))).toBeUndefined();
  // Half a credit for a node and an hour.
  expect(has(1)).toBe(1_000_000n);
  const bonus = { reason: 'bonus', to: at(0), ...work } as const;
  expect(await give(at(1), reward({ ...bonus, performance: 800_000 }))).toBe('NO_EFFECT');
  expect(await give(at(1), reward({ ...bonus, performance: 800_001 }))).toBeUndefined();
  expect([has(0), has(1)]).toEqual([9_100_000n, 900_000n]);
});

test('both are read as they were written, and refused past their limits', () => {
  const read = (said: PointsSaid) => decodeStatement(encodeStatement({ timeMs: 1, said }).body).said;
  const whole = [
    transfer(at(1), limits.pointsMicroMax, 'x'.repeat(limits.reasonCharsMax)),
    reward({ quality: 1_000_000 }),
  ];
  for (const said of whole) expect(read(said)).toEqual(said);
  expect(() => read(transfer(at(1), 0n))).toThrow(code('INVALID_FORMAT'));
  expect(() => read(transfer(at(1), limits.pointsMicroMax + 1n))).toThrow(code('LIMIT_EXCEEDED'));
  expect(() => read(transfer(at(1), 1n, 'x'.repeat(limits.reasonCharsMax + 1)))).toThrow(code('LIMIT_EXCEEDED'));
  expect(() => read(reward({ novelty: 1_000_001 }))).toThrow(code('LIMIT_EXCEEDED'));
  expect(() => read(reward({ subject: new Uint8Array(31) }))).toThrow(code('INVALID_FORMAT'));
});

test('so many rewards are remembered as paid, and the oldest first forgotten', async () => {
  const { chain, give } = await funded(1_000_000_000n);
  const id = (index: number) => Uint8Array.of(index >> 8, index & 255, ...new Uint8Array(30));
  const pay = (index: number) => give(at(0), reward({ quality: 1_000, novelty: 1_000, subject: id(index) }));
  for (let index = 0; index < limits.rewardsKept; index += 1) await pay(index);
  expect(await pay(0)).toBe('REWARDED');
  await pay(limits.rewardsKept);
  expect(chain.state().rewarded).toHaveLength(limits.rewardsKept);
  expect(await pay(0)).toBeUndefined();
});

test('so many peers hold points: one more is neither given nor issued any, until somebody has none', async () => {
  const { chain, decide, give, has } = await funded(100n);
  // As thousands of transfers would have left it.
  const points = chain.state().points as Map<PeerId, bigint>;
  for (let count = 2; count < limits.holdersMax; count += 1) points.set(`holder-${count}` as PeerId, 1n);
  expect(await give(at(0), transfer(at(1), 40n))).toBeUndefined();
  expect(chain.state().points.size).toBe(limits.holdersMax);
  const issued = { type: 'points', to: at(2), amountMicro: 5n, reason: 'more' } as const;
  expect(await give(at(0), transfer(at(2), 1n))).toBe('LIMIT_REACHED');
  await expect(decide({ action: issued })).rejects.toThrow('NO_EFFECT');
  // Who has some gets more, and who gives all away makes room for whom it gives to.
  await decide({ action: { ...issued, to: at(1) } });
  expect(await give(at(1), transfer(at(2), 45n))).toBeUndefined();
  await decide({ action: issued });
  expect([has(1), has(2)]).toEqual([0n, 50n]);
});
