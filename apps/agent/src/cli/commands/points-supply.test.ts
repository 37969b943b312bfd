import type { PeerId } from '@peerai/core-protocol';
import type { GovernanceState } from '@peerai/ledger/governance';
import { expect, test } from 'vitest';
import { supplyOf, supplyText } from './points-supply.ts';

const [ann, bob] = ['ann', 'bob'] as unknown as [PeerId, PeerId];
const decided = (result: string, type = 'points') => ({
  id: 'd'.repeat(64),
  height: 7,
  result,
  action: { type, to: bob, amountMicro: 2_500_000n },
});
const stateOf = (points: readonly (readonly [PeerId, bigint])[]) =>
  ({
    points: new Map(points),
    pointsIssued: 2_500_000n,
    decisions: [decided('accepted'), decided('rejected'), decided('accepted', 'text')],
  }) as unknown as GovernanceState;

test('what members have is what accepted decisions issued, each of which is named, or the chain is damaged', () => {
  const supply = supplyOf(
    stateOf([
      [bob, 2_000_000n],
      [ann, 500_000n],
    ]),
  );
  const issues = [{ decision: 'd'.repeat(64), height: 7, peerId: bob, amountMicro: '2500000' }];
  expect(supply).toEqual({ supplyMicro: '2500000', holders: 2, issues });
  expect(supplyText(supply)).toBe(
    '2.5 points were issued, and 2 peers have them all.\n  2.5 by decision dddddddddddd in block 7',
  );
  const damaged = expect.objectContaining({ code: 'LEDGER_DAMAGED' }) as Error;
  for (const held of [2_499_999n, 2_500_001n]) expect(() => supplyOf(stateOf([[bob, held]]))).toThrow(damaged);
});
