import { createCluster } from '@peerai/nn-engine/cluster';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type ChainPair,
  chainTown,
  type ChainTown,
  deposit,
  only,
  owed,
  sight,
  weiPerMicro,
} from '../../test/chain-town.ts';
// Loaded before: a test's clock runs on while the disk reads a module.
import '../ledger/log-room.ts';
import '../market/room.ts';
import '../own/own-room.ts';
import '../reputation/reputation-room.ts';
import '../storage/storage-room.ts';
import '../lending/room.ts';
import { type BorrowRequest, borrowRequestSchema, lendRequestSchema } from '../lending/lending.schema.ts';
import { storageLeaseRequestSchema, storageOfferRequestSchema } from '../storage/storage.schema.ts';
import type { TestPeer } from '../testing/peers.ts';
import { whileTimeGoes } from '../testing/real-time.ts';
import { live } from '../testing/steps.ts';
import type { ChainWorld } from './chain-world.ts';
import { settlementLimits as limits } from './limits.ts';

let town: ChainTown;
let chain: ChainTown['chain'];
beforeAll(async () => {
  town = await chainTown();
  ({ chain } = town);
});
afterAll(() => town[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await chain.balance(town.contract);
});
afterEach(() => town.rest());

const code = (expected: string) => expect.objectContaining({ code: expected });
/** What the contract holds of this test's leases. */
let before = 0n;
const locked = async () => (await chain.balance(town.contract)) - before;
const credit = async (who: TestPeer) => BigInt((await sight(who)).chain?.creditWei ?? '-1');
const settled = async ({ world }: ChainPair, ...both: readonly TestPeer[]) => {
  for (const who of both) await chain.until(world.clock, async () => (await deposit(who)).state === 'settled');
};
/** The lender has what is due, the borrower the rest, and both may take it: nothing stays, nothing came from anywhere. */
async function isShared(lender: TestPeer, borrower: TestPeer, dueMicro: string, priceMicro: string) {
  const [due, price] = [BigInt(dueMicro), BigInt(priceMicro)];
  expect(due > 0n && due < price).toBe(true);
  for (const who of [lender, borrower])
    expect(await deposit(who)).toMatchObject({ paidMicro: dueMicro, failure: null });
  expect([await owed(lender), await owed(borrower)]).toEqual([['0'], ['0']]);
  expect([await credit(lender), await credit(borrower)]).toEqual([due * weiPerMicro, (price - due) * weiPerMicro]);
  for (const { peer } of [lender, borrower]) await peer.market.settlement.payout(live());
  expect(await locked()).toBe(0n);
}

describe('a lease of storage on the chain', () => {
  async function stored(change: Parameters<ChainTown['pair']>[0] = {}) {
    const pair = await town.pair({ ...change, engine: false });
    const { world, lender, borrower } = pair;
    await lender.peer.market.storage.offer(storageOfferRequestSchema.parse({ bytes: 2_097_152, credits: '1' }));
    const { storage } = borrower.peer.market;
    const go = <T>(work: Promise<T>) => whileTimeGoes(world.clock, work);
    const lease = async (minutes = 60) => {
      const wish = storageLeaseRequestSchema.parse({ peer: 'lender', bytes: 1_048_576, minutes });
      return (await go(storage.lease(wish, live()))).lease;
    };
    /** A file, and ten minutes of it that are proven. */
    const held = async (id: string) => {
      await go(storage.put(id, 'notes', bytesOf('x'.repeat(100_000)), live()));
      await pair.pass(600_000);
      await go(storage.prove(id, live()));
    };
    return { ...pair, lease, held, go };
  }

  test('is deposited, endorsed proof by proof, and paid out: the same amount on both sides', async () => {
    const pair = await stored();
    const { lender, borrower, lease, held, go } = pair;
    const { id, priceMicro } = await lease();
    expect([priceMicro, await locked()]).toEqual(['1000000', 1_000_000n * weiPerMicro]);
    for (const who of [lender, borrower])
      expect(await deposit(who)).toMatchObject({ state: 'open', of: 'storage', lease: id });
    await held(id);
    await chain.until(
      pair.world.clock,
      async () => (await deposit(lender)).endorsed === (await only(borrower)).answers,
    );
    await go(borrower.peer.market.settle(id, live()));
    await settled(pair, lender, borrower);
    const { dueMicro, state } = await only(borrower);
    expect([state, (await only(lender)).dueMicro]).toEqual(['settled', dueMicro]);
    await isShared(lender, borrower, dueMicro, priceMicro);
  });

  test('is handed in once by a lender that was ended before it could, with what the borrower endorsed', async () => {
    const pair = await stored();
    const { world, lender, borrower, lease, held, go, restart } = pair;
    const { id, priceMicro } = await lease();
    await held(id);
    await chain.until(world.clock, async () => (await deposit(lender)).endorsed > 0);
    chain.isOpen = false;
    const { lease: over } = await go(borrower.peer.market.settle(id, live()));
    await chain.until(world.clock, async () => (await deposit(lender)).failure !== null);
    const again = await restart(lender);
    const blocks = BigInt(await chain.ask('eth_blockNumber'));
    chain.isOpen = true;
    await settled(pair, again, borrower);
    // One transaction, one block.
    expect(BigInt(await chain.ask('eth_blockNumber'))).toBe(blocks + 1n);
    await isShared(again, borrower, over.dueMicro, priceMicro);
  });

  test('of which nothing was used goes back to the borrower a day after its time', async () => {
    const { world, lender, borrower, lease, pass } = await stored();
    await lease(1);
    await pass(limits.handInMs);
    await chain.until(world.clock, async () => (await only(borrower)).state === 'refunded');
    expect((await deposit(borrower)).state).toBe('open');
    await pass(120_000);
    for (const who of [borrower, lender])
      await chain.until(world.clock, async () => (await deposit(who)).state === 'refunded');
    expect([await credit(borrower), await credit(lender)]).toEqual([await locked(), 0n]);
    await borrower.peer.market.settlement.payout(live());
    expect(await locked()).toBe(0n);
  });

  test('is not begun by a lender that sees no deposit', async () => {
    const { lender, borrower, lease } = await stored({ borrower: 'local' });
    await expect(lease()).rejects.toThrow(code('SETTLEMENT_FAILED'));
    for (const { peer } of [lender, borrower]) expect((await peer.market.view()).leases).toEqual([]);
  });
});

describe('a lease of nodes on the chain', () => {
  const ofNodes = async ({ peer }: TestPeer) => {
    const [lease] = (await peer.nodeLending.list()).leases;
    if (lease === undefined) throw new Error('there is no lease');
    return lease;
  };
  async function lent(change: Parameters<ChainTown['pair']>[0] = {}) {
    // A line that takes its time: what is held for no time costs nothing.
    const pair = await town.pair({ ...change, engine: false, latencyMs: 100 });
    const { world, lender, borrower } = pair;
    await lender.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: 128, credits: '60' }));
    const wish = (more: Partial<BorrowRequest> = {}) =>
      borrowRequestSchema.parse({
        peer: 'lender',
        minutes: 1,
        cluster: { nodes: 64, outputs: 1, seed: 3 },
        vectors: Array.from({ length: 1_100 }, () => [1, -1]),
        ...more,
      });
    const borrow = (more?: Partial<BorrowRequest>, by: TestPeer = borrower) =>
      by.peer.nodeLending.borrow(wish(more), live());
    /** Time goes on only while the node is idle: a lease is over in a minute. */
    const go = async <T>(work: Promise<T>): Promise<T> => {
      let isOver = false;
      const end = (): void => void (isOver = true);
      work.then(end, end);
      await chain.until(world.clock, () => isOver);
      return work;
    };
    return { ...pair, borrow, go };
  }

  test('is deposited, endorsed run by run, and paid out: the same amount on both sides', async () => {
    const pair = await lent();
    const { lender, borrower, borrow, go } = pair;
    const { lease, result } = await go(borrow());
    const home = createCluster({ nodes: 64, inputs: 2, outputs: 1, seed: 3 });
    const expected = Array.from({ length: 1_100 }, () => [...home.process([1, -1])]);
    expect(result?.outputs).toEqual(expected);
    expect(lease).toMatchObject({ state: 'settled', priceMicro: '64000000' });
    expect(lease.runs).toBeGreaterThan(1);
    expect(await deposit(lender)).toMatchObject({ of: 'node', lease: lease.id, amountMicro: '64000000' });
    await settled(pair, lender, borrower);
    expect((await ofNodes(lender)).paidMicro).toBe(lease.paidMicro);
    await isShared(lender, borrower, lease.paidMicro, lease.priceMicro);
    // What was paid there is owed no more: there is room for the next.
    const { lease: next } = await go(borrow());
    expect(next.state).toBe('settled');
  });

  test('is deposited once by a borrower that was ended before the lender’s yes, and goes on from there', async () => {
    const pair = await lent();
    const { world, lender, borrower, borrow, restart } = pair;
    const failed = borrow().catch((error: unknown) => error);
    // The money is there; nobody has heard of it yet.
    await chain.until(world.clock, async () => (await locked()) > 0n);
    const blocks = BigInt(await chain.ask('eth_blockNumber'));
    const back = await restart(borrower);
    await failed;
    await chain.until(world.clock, async () => (await ofNodes(back)).state === 'settled');
    const lease = await ofNodes(back);
    await settled(pair, lender, back);
    expect(lease.steps).toBe(1_100);
    // The settlement is the one transaction since.
    expect(BigInt(await chain.ask('eth_blockNumber'))).toBe(blocks + 1n);
    await isShared(lender, back, lease.paidMicro, lease.priceMicro);
  });

  test('is handed in once by a lender that was ended before it could', async () => {
    const pair = await lent();
    const { world, lender, borrower, borrow, go, restart } = pair;
    const borrowing = borrow();
    borrowing.catch(() => undefined);
    await chain.until(world.clock, async () => {
      const [lease] = (await lender.peer.nodeLending.list()).leases;
      return lease !== undefined;
    });
    chain.isOpen = false;
    const { lease } = await go(borrowing);
    await chain.until(world.clock, async () => (await deposit(lender)).failure !== null);
    expect(await deposit(lender)).toMatchObject({ state: 'open', failure: { code: 'SETTLEMENT_FAILED' } });
    const again = await restart(lender);
    const blocks = BigInt(await chain.ask('eth_blockNumber'));
    chain.isOpen = true;
    await settled(pair, again, borrower);
    expect(BigInt(await chain.ask('eth_blockNumber'))).toBe(blocks + 1n);
    await isShared(again, borrower, lease.paidMicro, lease.priceMicro);
  });

  test('that the lender does not begin is over, and its deposit goes back a day after its time', async () => {
    const lie: ChainWorld['load'] = async () => {
      const evm = await import('@peerai/ledger/evm');
      return { ...evm, evmSettlement: (deps) => evm.evmSettlement(deps, { weiPerMicro: weiPerMicro / 2n }) };
    };
    const { world, lender, borrower, borrow, go, pass } = await lent({ borrower: { load: lie } });
    await expect(go(borrow())).rejects.toThrow(code('ESCROW_STATE'));
    expect((await lender.peer.nodeLending.list()).leases).toEqual([]);
    expect([(await ofNodes(borrower)).state, (await deposit(borrower)).state]).toEqual(['refunded', 'open']);
    await pass(limits.handInMs + 120_000);
    await chain.until(world.clock, async () => (await deposit(borrower)).state === 'refunded');
    expect(await credit(borrower)).toBe(await locked());
    await borrower.peer.market.settlement.payout(live());
    expect(await locked()).toBe(0n);
  });
});

async function* bytesOf(text: string) {
  yield new TextEncoder().encode(text);
}
