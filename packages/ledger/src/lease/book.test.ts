import type { Store } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { all, crypto, type LedgerWorld, ledgerWorld } from '../../test/world.ts';
import { openEnd } from '../market/end.ts';
import { isOpen, type LeaseBook, openLeaseBook, signedReceipt } from './book.ts';
import { leaseLimits as limits } from './limits.ts';
import { amountsOf } from './machine.ts';
import { type LeaseUsage, nextWorkHash, noWork, readLeaseReceipt } from './receipt.ts';
import type { LeaseRecord } from './rows.ts';

interface Side extends LedgerWorld {
  readonly leases: LeaseBook;
}
const openSide = async (world: LedgerWorld): Promise<Side> => ({
  ...world,
  leases: await openLeaseBook({ ...world, store: world.store.room('leases') }),
});
async function two(seed = 1) {
  const lender = await openSide(await ledgerWorld(seed));
  const borrower = await openSide(await ledgerWorld(seed + 500, { clock: lender.clock }));
  const wish = { lender: lender.identity.peer, nodes: 8, minutes: 2, price: 12_000n };
  return { lender, borrower, wish };
}
async function leasedBetween(seed?: number) {
  const sides = await two(seed);
  const offer = await sides.borrower.leases.offer(sides.wish);
  const { lease, id } = await sides.lender.leases.accept(offer.lease);
  await sides.borrower.leases.accepted(lease);
  return { ...sides, id };
}
const usage = (steps = 4): LeaseUsage => ({
  steps,
  busyMs: 2,
  bytesIn: steps * 16,
  bytesOut: steps * 64,
  stateHash: new Uint8Array(32).fill(steps),
  workHash: nextWorkHash(crypto, undefined, { inputs: noWork, outputs: noWork }),
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const kinds = async ({ ledger }: LedgerWorld): Promise<string[]> =>
  (await all(ledger.entries(0n, ledger.size))).map(({ entry }) => entry.kind);
const receiptOf = ({ receipt }: LeaseRecord): Uint8Array => receipt ?? new Uint8Array();
/** What the borrower's book lost to the lender, and the lender's gained from the borrower. */
const moved = ({ lender, borrower }: { readonly lender: Side; readonly borrower: Side }) => [
  borrower.leases.account(lender.identity.peer).paid,
  lender.leases.account(borrower.identity.peer).earned,
];

describe('a lease between two books', () => {
  test('is in both logs, is signed for run by run, and ends with one receipt in both', async () => {
    const { lender, borrower, id } = await leasedBetween();
    expect([lender.leases.get(id)?.lease, borrower.leases.get(id)?.progress.state]).toEqual([
      borrower.leases.get(id)?.lease,
      'active',
    ]);
    await lender.clock.advance(30_000);
    const first = await lender.leases.issue(id, usage());
    await expect(lender.leases.issue(id, usage(5))).rejects.toThrow(code('LEASE_STATE'));
    const signed = await borrower.leases.countersign(id, receiptOf(first), usage());
    expect(readLeaseReceipt(receiptOf(signed))).toMatchObject({ n: 1, heldMs: 30_000, due: 3_000n });
    await lender.leases.complete(id, receiptOf(signed));
    expect(moved({ lender, borrower })).toEqual([0n, 3_000n]);
    await borrower.leases.booked(id, 1);
    expect(moved({ lender, borrower })).toEqual([3_000n, 3_000n]);
    await borrower.leases.end(id);
    await lender.leases.close(id);
    for (const side of [lender, borrower]) {
      expect(side.leases.get(id)?.progress.state).toBe('settled');
      expect(await kinds(side)).toEqual(['lease', 'lease-receipt']);
      expect(await side.ledger.verify()).toMatchObject({ ok: true });
    }
    const account = borrower.leases.account(lender.identity.peer);
    expect(account).toEqual({ paid: 3_000n, earned: 0n, lockedByUs: 0n, lockedByThem: 0n });
  });

  test('says the same after each message again', async () => {
    const { lender, borrower, id } = await leasedBetween(2);
    const offer = borrower.leases.get(id)?.lease ?? new Uint8Array();
    expect((await lender.leases.accept(offer)).id).toBe(id);
    await borrower.leases.accepted(offer);
    const { receipt: half = new Uint8Array() } = await lender.leases.issue(id, usage());
    const { receipt: full = new Uint8Array() } = await borrower.leases.countersign(id, half, usage());
    for (let times = 0; times < 2; times += 1) {
      await lender.leases.complete(id, full);
      await borrower.leases.booked(id, 1);
      await borrower.leases.end(id);
      await lender.leases.close(id);
    }
    expect(await kinds(lender)).toEqual(['lease', 'lease-receipt']);
    expect(await kinds(borrower)).toEqual(['lease', 'lease-receipt']);
    await expect(lender.leases.accept(offer)).rejects.toThrow(code('LEASE_STATE'));
  });

  test('is on disk when a method resolves, with the caller’s rows in the same commit', async () => {
    const { lender, borrower, wish } = await two(3);
    const mine = (store: Store, text: string) => () => [store.room('mine').put(text, new Uint8Array(1))];
    const offer = await borrower.leases.offer(wish, mine(borrower.store, 'offer'));
    const { id } = await lender.leases.accept(offer.lease);
    const given = await lender.leases.issue(id, usage(), mine(lender.store, 'issue'));
    // kill -9 of both: what was said is there.
    const again = await openSide(await ledgerWorld(3, { store: lender.store.reopen(), clock: lender.clock }));
    const back = await openSide(await ledgerWorld(503, { store: borrower.store.reopen(), clock: lender.clock }));
    expect(again.leases.get(id)).toEqual(given);
    expect(back.leases.get(id)).toEqual(offer);
    expect(await again.store.room('mine').get('issue')).toEqual(new Uint8Array(1));
    expect(await back.store.room('mine').get('offer')).toEqual(new Uint8Array(1));
    await back.leases.accepted(again.leases.get(id)?.lease ?? new Uint8Array());
    const { receipt: full = new Uint8Array() } = await back.leases.countersign(id, receiptOf(given), usage());
    await again.leases.complete(id, full);
    await again.leases.end(id);
    const { due } = readLeaseReceipt(full);
    expect([again.leases.get(id)?.progress.state, moved({ lender: again, borrower: back })]).toEqual([
      'settled',
      [0n, due],
    ]);
    expect(amountsOf(back.leases.get(id)?.progress ?? offer.progress).locked).toBe(12_000n);
  });

  test('keeps nothing of what the disk refused', async () => {
    const { lender, borrower, wish } = await two(4);
    borrower.store.failNextCommit('STORE_FULL');
    await expect(borrower.leases.offer(wish)).rejects.toThrow(code('STORE_FULL'));
    expect([borrower.leases.list(), borrower.leases.account(lender.identity.peer).lockedByUs]).toEqual([[], 0n]);
    const offer = await borrower.leases.offer(wish);
    lender.store.failNextCommit('STORE_FULL');
    await expect(lender.leases.accept(offer.lease)).rejects.toThrow(code('STORE_FULL'));
    expect([lender.leases.list(), lender.ledger.size]).toEqual([[], 0n]);
  });
});

describe('at the limits', () => {
  test('a peer owes another, with what is locked, so much and no more; what it is owed counts against it', async () => {
    const { lender, borrower, wish } = await two(5);
    const most = { ...wish, nodes: limits.nodesMax, minutes: 60, price: limits.exposureMicroMax };
    const first = await borrower.leases.offer(most);
    await expect(borrower.leases.offer({ ...wish, price: 1n })).rejects.toThrow(code('CREDIT_EXCEEDED'));
    expect((await borrower.leases.offer({ ...wish, price: 0n })).progress.price).toBe(0n);
    await lender.leases.accept(first.lease);
    // Another device with the same key knows nothing of what is locked; the lender does.
    const other = await openSide(await ledgerWorld(505, { clock: lender.clock }));
    const { lease } = await other.leases.offer({ ...wish, price: 1n });
    await expect(lender.leases.accept(lease)).rejects.toThrow(code('CREDIT_EXCEEDED'));
    await borrower.leases.end(first.id);
    expect((await borrower.leases.offer({ ...wish, price: 1n })).progress.price).toBe(1n);
  });

  test('so many leases are open, and so many that are over are listed', async () => {
    const { borrower, wish } = await two(6);
    const free = { ...wish, price: 0n };
    for (let count = 0; count < limits.openMax; count += 1) await borrower.leases.offer(free);
    await expect(borrower.leases.offer(free)).rejects.toThrow(code('LIMIT_REACHED'));
    for (const { id } of borrower.leases.list()) await borrower.leases.end(id);
    while (borrower.leases.list().length < limits.overKeptMax)
      await borrower.leases.end((await borrower.leases.offer(free)).id);
    const oldest = borrower.leases.list()[0]?.id ?? '';
    await borrower.leases.end((await borrower.leases.offer(free)).id);
    expect([borrower.leases.list().length, borrower.leases.get(oldest)]).toEqual([limits.overKeptMax, undefined]);
    expect(borrower.leases.list().some(isOpen)).toBe(false);
  });

  test('an offer of another time is refused', async () => {
    const { lender, borrower, wish } = await two(7);
    const [early, late] = [await borrower.leases.offer(wish), await borrower.leases.offer(wish)];
    await lender.clock.advance(limits.startSkewMs);
    expect((await lender.leases.accept(early.lease)).progress.state).toBe('active');
    await lender.clock.advance(1);
    await expect(lender.leases.accept(late.lease)).rejects.toThrow(code('CLOCK_SKEW'));
  });

  test('a lease costs its price at the most, however long it is held', async () => {
    const { lender, borrower, id } = await leasedBetween(8);
    await lender.clock.advance(600_000);
    const given = await lender.leases.issue(id, usage());
    await borrower.leases.countersign(id, receiptOf(given), usage());
    expect(readLeaseReceipt(receiptOf(given))).toMatchObject({ heldMs: 120_000, due: 12_000n });
  });
});

test('a receipt of another lease, or one that was never given, is refused', async () => {
  const { lender, borrower, id, wish } = await leasedBetween(9);
  const other = await borrower.leases.offer(wish);
  const { lease } = await lender.leases.accept(other.lease);
  await borrower.leases.accepted(lease);
  const given = await lender.leases.issue(other.id, usage());
  const signed = receiptOf(await borrower.leases.countersign(other.id, receiptOf(given), usage()));
  await expect(lender.leases.complete(id, signed)).rejects.toThrow(code('RECEIPT_WRONG'));
  await lender.leases.issue(id, usage());
  await expect(lender.leases.complete(id, signed)).rejects.toThrow(code('RECEIPT_WRONG'));
  await expect(lender.leases.complete(other.id, receiptOf(given))).rejects.toThrow(code('INVALID_SIGNATURE'));
  await expect(lender.leases.complete('00', signed)).rejects.toThrow(code('NOT_FOUND'));
  await expect(borrower.leases.accepted(other.lease)).rejects.toThrow(code('INVALID_SIGNATURE'));
});

test('a signed dispute names what both signed last, is in both logs, and is there after a restart', async () => {
  const { lender, borrower, id } = await leasedBetween();
  await lender.clock.advance(30_000);
  const first = receiptOf(await lender.leases.issue(id, usage()));
  const both = receiptOf(await borrower.leases.countersign(id, first, usage()));
  await lender.leases.complete(id, both);
  await lender.clock.advance(30_000);
  await lender.leases.issue(id, usage(8));
  const { end } = await lender.leases.declare(id, new Uint8Array(32));
  await borrower.leases.declared(end ?? new Uint8Array());
  for (const side of [lender, borrower]) {
    expect(await kinds(side)).toEqual(['lease', 'lease-receipt', 'lease-end']);
    const again = (await openSide(side)).leases.get(id);
    expect(again).toEqual(side.leases.get(id));
    // The lender holds a half of the next one, and still shows what both signed.
    expect(again === undefined ? undefined : signedReceipt(again)).toEqual(both);
    expect(again?.progress).toMatchObject({ state: 'disputed', declared: true });
  }
  expect(openEnd(crypto, end ?? new Uint8Array()).end).toMatchObject({ outcome: 'disputed', n: 1, due: 3_000n });
  expect(lender.leases.account(borrower.identity.peer)).toMatchObject({ earned: 3_000n, lockedByThem: 0n });
  await expect(lender.leases.declared(end ?? new Uint8Array())).rejects.toThrow(code('INVALID_FORMAT'));
});
