import { memoryWorld } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { all, crypto, ledgerWorld } from '../../test/world.ts';
import { createLocalSettlement } from './local-settlement.ts';
import type { EscrowTerms } from './settlement.ts';

const { signal } = new AbortController();
const code = (expected: string) => expect.objectContaining({ code: expected });
const lease = new Uint8Array(32).fill(1);
async function place() {
  const world = await ledgerWorld(31);
  const settlement = createLocalSettlement({ ...world, store: world.store.room('settlement') });
  const borrower = memoryWorld({ seed: 32, crypto }).identity.peer;
  const refundMs = world.clock.nowMs() + 1_000;
  const terms: EscrowTerms = { lease, lender: world.identity.peer, borrower, amount: 100n, refundMs };
  return { ...world, settlement, terms };
}
const last = (due: bigint) => ({ lease, n: 1, due, receipt: new Uint8Array() });

test('an escrow is opened once, and what is due goes to the lender', async () => {
  const { settlement, terms } = await place();
  expect(await settlement.get(lease, signal)).toBeUndefined();
  const escrow = await settlement.open(terms, signal);
  expect(escrow).toMatchObject({ state: 'open', paid: 0n });
  expect(await settlement.open(terms, signal)).toEqual(escrow);
  await expect(settlement.open({ ...terms, amount: 101n }, signal)).rejects.toThrow(code('ESCROW_STATE'));
  await expect(settlement.settle(last(101n), signal)).rejects.toThrow(code('RECEIPT_WRONG'));
  const settled = await settlement.settle(last(100n), signal);
  expect(settled).toMatchObject({ state: 'settled', paid: 100n });
  expect(await settlement.settle(last(100n), signal)).toEqual(settled);
  await expect(settlement.settle(last(99n), signal)).rejects.toThrow(code('ESCROW_STATE'));
  await expect(settlement.refund(lease, signal)).rejects.toThrow(code('ESCROW_STATE'));
  expect(await settlement.get(lease, signal)).toEqual(settled);
});

test('everything goes back when the time is over, and not a millisecond before', async () => {
  const { settlement, terms, clock } = await place();
  await expect(settlement.refund(lease, signal)).rejects.toThrow(code('NOT_FOUND'));
  await settlement.open(terms, signal);
  await clock.advance(999);
  await expect(settlement.refund(lease, signal)).rejects.toThrow(code('ESCROW_STATE'));
  await clock.advance(1);
  const back = await settlement.refund(lease, signal);
  expect(back).toMatchObject({ state: 'refunded', paid: 0n });
  expect(await settlement.refund(lease, signal)).toEqual(back);
  await expect(settlement.settle(last(1n), signal)).rejects.toThrow(code('ESCROW_STATE'));
});

test('a log’s head is anchored in the own log, grows, and never changes', async () => {
  const { settlement, ledger } = await place();
  const head = (size: bigint, fill: number) => ({ origin: 'peer', size, root: new Uint8Array(32).fill(fill) });
  const first = await settlement.anchor(head(5n, 1), signal);
  expect(await settlement.anchor(head(5n, 1), signal)).toEqual(first);
  await settlement.anchor(head(6n, 2), signal);
  for (const wrong of [head(6n, 3), head(5n, 1)])
    await expect(settlement.anchor(wrong, signal)).rejects.toThrow(code('ESCROW_STATE'));
  expect((await all(ledger.entries(0n, ledger.size))).map(({ entry }) => entry.kind)).toEqual(['anchor', 'anchor']);
  await expect(settlement.anchor(head(7n, 1), AbortSignal.abort())).rejects.toThrow('aborted');
});
