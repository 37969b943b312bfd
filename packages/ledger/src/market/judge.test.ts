import { toHex } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { endOf, leaseOf, rememberingCrypto, termsBetween, trader, usageChain } from '../../test/market.ts';
import { judgeLease } from './judge.ts';
import { openMetered } from './terms.ts';

const crypto = rememberingCrypto();
const [lender, borrower] = [trader(31), trader(32)];
const lease = leaseOf(lender, borrower, termsBetween(lender, borrower));
const { id } = openMetered(crypto, lease.body);
const hex = toHex(id);
// 11 and 21 tokens more, at 2 micro-credits each.
const chain = usageChain(lender, borrower, id, [10, 20]);
const [first = lease] = chain;
const [both, dues] = [
  [lease, ...chain],
  [22n, 64n],
] as const;
const judge = (documents: Parameters<typeof judgeLease>[2]) => judgeLease(crypto, hex, documents);
const [from, to] = [lender.identity.peer, borrower.identity.peer];

describe('a verdict', () => {
  const evidence = new Uint8Array(32).fill(7);
  const dispute = (by: typeof lender, other: typeof lender, n: number, due: bigint) =>
    endOf(by, other, id, { outcome: 'disputed', n, due, evidence });

  test('finds no fault with ends that say what both signed, disputed or not', () => {
    expect(judge(both)).toEqual({
      lease: hex,
      lender: from,
      borrower: to,
      disputed: false,
      faults: new Map(),
      winner: undefined,
    });
    expect(judge([...both, dispute(borrower, lender, 2, dues[1])])).toMatchObject({
      disputed: true,
      winner: undefined,
    });
  });

  test('is against who signs another amount than both signed there, whoever it is', () => {
    for (const [by, other, winner] of [
      [lender, borrower, to],
      [borrower, lender, from],
    ] as const) {
      const found = judge([...both, dispute(by, other, 1, dues[0] + 1n)]);
      expect([[...found.faults], found.winner]).toEqual([[[by.identity.peer, 'false-amount']], winner]);
    }
  });

  test('is against a borrower that leaves out what it signed; a lender may not have it back yet', () => {
    const denied = judge([...both, dispute(borrower, lender, 1, dues[0])]);
    expect([[...denied.faults], denied.winner]).toEqual([[[to, 'receipt-denied']], from]);
    expect(judge([...both, dispute(lender, borrower, 1, dues[0])]).faults.size).toBe(0);
    expect(judge([lease, first, dispute(borrower, lender, 1, dues[0])]).faults.size).toBe(0);
  });

  test('is against both that signed two receipts in one place, and nobody wins', () => {
    const other = usageChain(lender, borrower, id, [10, 25]);
    const found = judge([...both, ...other]);
    expect([[...found.faults.values()], found.winner]).toEqual([['signed-twice', 'signed-twice'], undefined]);
  });

  test('is the same for every order of documents, and needs the lease', () => {
    const all = [...both, dispute(borrower, lender, 1, 1n), dispute(lender, borrower, 2, dues[1])];
    expect(judge(all.toReversed())).toEqual(judge(all));
    expect(judge(all).winner).toBe(from);
    expect(() => judge(all.slice(1))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  test('does not hear who is no side of the lease', () => {
    const stranger = trader(33);
    expect(judge([...both, endOf(stranger, lender, id, { outcome: 'settled', n: 1, due: 1n })]).faults.size).toBe(0);
  });
});
