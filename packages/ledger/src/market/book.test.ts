import type { EntryBody } from '@peerai/core-protocol';
import { fromHex } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { endOf, usageChain } from '../../test/market.ts';
import { all, type LedgerWorld, ledgerWorld } from '../../test/world.ts';
import { leaseLimits } from '../lease/limits.ts';
import { type MeteredBook, openMeteredBook } from './book.ts';
import { meteredRows } from './rows.ts';

interface Side extends LedgerWorld {
  readonly leases: MeteredBook;
}
const code = (expected: string) => expect.objectContaining({ code: expected });
const openSide = async (world: LedgerWorld): Promise<Side> => ({
  ...world,
  leases: await openMeteredBook({ ...world, receipts: world.book, store: world.store.room('metered') }),
});
async function two() {
  const lender = await openSide(await ledgerWorld(41));
  const borrower = await openSide(await ledgerWorld(42, { clock: lender.clock }));
  const wish = {
    lender: lender.identity.peer,
    resource: 'model',
    subject: 'nano',
    unitPrice: 1_000n,
    unitsMax: 1_000,
    minutes: 1,
  } as const;
  const leased = async () => {
    const offer = await borrower.leases.offer(wish);
    const { lease, id } = await lender.leases.accept(offer.lease);
    await borrower.leases.accepted(lease);
    return id;
  };
  const used = (id: string, tokens: readonly number[]): EntryBody[] =>
    usageChain(lender, borrower, fromHex(id), tokens);
  return { lender, borrower, wish, leased, used };
}
const counted = (sides: readonly Side[], receipts: readonly EntryBody[]): void => {
  for (const { leases } of sides) for (const { body } of receipts) leases.count(body);
};
const between = ({ leases }: Side, { identity }: Side) => leases.between(identity.peer);

describe('a metered lease between two books', () => {
  test('locks its price on both sides, is counted on both, and ends with both signatures in both logs', async () => {
    const { lender, borrower, leased, used } = await two();
    const id = await leased();
    expect(between(borrower, lender)).toEqual({ owes: 0n, lockedByUs: 1_000n, lockedByThem: 0n });
    expect(between(lender, borrower)).toEqual({ owes: 0n, lockedByUs: 0n, lockedByThem: 1_000n });
    const receipts = used(id, [9, 19]);
    counted([lender, borrower], [...receipts, ...receipts]);
    expect(between(lender, borrower)).toEqual({ owes: -30n, lockedByUs: 0n, lockedByThem: 970n });
    const { end = new Uint8Array() } = await lender.leases.agree(borrower.leases.endHalf(id));
    await borrower.leases.agreed(end);
    await borrower.leases.agreed(end);
    expect(between(borrower, lender)).toEqual({ owes: 30n, lockedByUs: 0n, lockedByThem: 0n });
    for (const { ledger } of [lender, borrower]) {
      const kinds = (await all(ledger.entries(0n, ledger.size))).map(({ entry }) => entry.kind);
      expect(kinds).toEqual(['metered-lease', 'lease-end']);
    }
    expect(() => borrower.leases.endHalf(id)).toThrow(code('LEASE_STATE'));
    await expect(lender.leases.dispute(id, new Uint8Array(32))).rejects.toThrow(code('LEASE_STATE'));
  });

  test('does not end where the two have other receipts', async () => {
    const { lender, borrower, leased, used } = await two();
    const id = await leased();
    const [first, second] = used(id, [9, 19]);
    counted(
      [lender],
      [first, second].flatMap((one) => one ?? []),
    );
    counted(
      [borrower],
      [first].flatMap((one) => one ?? []),
    );
    await expect(lender.leases.agree(borrower.leases.endHalf(id))).rejects.toThrow(code('RECEIPT_WRONG'));
    await expect(borrower.leases.agreed(borrower.leases.endHalf(id))).rejects.toThrow(code('INVALID_SIGNATURE'));
    const stranger = await ledgerWorld(43);
    const foreign = endOf(stranger, lender, fromHex(id)).body;
    await expect(lender.leases.agree(foreign)).rejects.toThrow(code('INVALID_FORMAT'));
    const { end = new Uint8Array() } = await borrower.leases.dispute(id, new Uint8Array(32).fill(1));
    expect(await lender.leases.disputed(end)).toMatchObject({ state: 'disputed', due: 30n });
    expect(between(borrower, lender)).toMatchObject({ owes: 10n, lockedByUs: 0n });
  });

  test('whose time is over may still get a receipt that was late, and nobody loses it in a restart', async () => {
    const { lender, leased, used } = await two();
    const id = await leased();
    await lender.clock.advance(59_999);
    expect(await lender.leases.expire()).toEqual([]);
    await lender.clock.advance(1);
    expect(await lender.leases.expire()).toMatchObject([{ state: 'refunded' }]);
    counted([lender], used(id, [9]));
    expect(lender.leases.get(id)).toMatchObject({ state: 'settled', due: 10n });
    await lender.leases.expire();
    const again = await openSide(await ledgerWorld(41, { store: lender.store.reopen(), clock: lender.clock }));
    expect(again.leases.get(id)).toMatchObject({ state: 'settled', due: 10n, n: 1 });
  });

  test('signs for the leased model and up to the leased tokens, and not past them', async () => {
    const { borrower, lender, leased, used } = await two();
    const id = await leased();
    const [within, past] = used(id, [999, 0]);
    expect(borrower.leases.covers(within?.body ?? new Uint8Array())).toBe(true);
    expect(borrower.leases.covers(past?.body ?? new Uint8Array())).toBe(false);
    expect(lender.leases.covers(within?.body ?? new Uint8Array())).toBe(false);
    expect(lender.leases.usable(borrower.identity.peer, 'other')).toBeUndefined();
    expect(lender.leases.usable(borrower.identity.peer, 'nano')).toEqual({ id, left: 1_000 });
    counted([lender], within === undefined ? [] : [within]);
    expect(lender.leases.usable(borrower.identity.peer, 'nano')).toEqual({ id, left: 0 });
  });

  test('is refused when its offer is older than clocks may differ', async () => {
    const { lender, borrower, wish } = await two();
    const [old, other] = [await borrower.leases.offer(wish), await borrower.leases.offer(wish)];
    await lender.clock.advance(leaseLimits.startSkewMs);
    await lender.leases.accept(old.lease);
    await lender.clock.advance(1);
    await expect(lender.leases.accept(other.lease)).rejects.toThrow(code('CLOCK_SKEW'));
  });
});

test('so many leases are open, and the next is refused', async () => {
  const { borrower, wish } = await two();
  for (let place = 0; place < leaseLimits.openMax; place += 1) await borrower.leases.offer({ ...wish, unitPrice: 0n });
  await expect(borrower.leases.offer({ ...wish, unitPrice: 0n })).rejects.toThrow(code('LIMIT_REACHED'));
});

test('so many that are over are listed, and what the others came to stays', async () => {
  const { lender, borrower, leased, used } = await two();
  const id = await leased();
  counted([borrower], used(id, [9]));
  await borrower.leases.dispute(id, new Uint8Array(32));
  const record = borrower.leases.get(id);
  if (record === undefined) throw new Error('it is gone');
  const room = borrower.store.room('metered');
  const rows = meteredRows(room);
  const names = Array.from({ length: leaseLimits.overKeptMax - 1 }, (_, place) => place.toString(16).padStart(64, '0'));
  await room.commit(names.map((name, place) => rows.put({ ...record, id: name, sinceMs: place })));
  const full = await openSide(await ledgerWorld(42, { store: borrower.store, clock: lender.clock }));
  expect(full.leases.list()).toHaveLength(leaseLimits.overKeptMax);
  // The world that came back has the same luck: another moment makes another lease.
  await lender.clock.advance(1);
  const next = await full.leases.offer({ ...record.terms });
  const { lease } = await lender.leases.accept(next.lease);
  await full.leases.accepted(lease);
  await full.leases.dispute(next.id, new Uint8Array(32));
  expect(full.leases.list()).toHaveLength(leaseLimits.overKeptMax);
  expect(full.leases.get(names[0] ?? '')).toBeUndefined();
  const again = await openSide(await ledgerWorld(42, { store: borrower.store.reopen(), clock: lender.clock }));
  expect(again.leases.between(lender.identity.peer).owes).toBe(10n * BigInt(leaseLimits.overKeptMax));
});
