import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  addressOf,
  chainTown,
  type ChainTown,
  deposit,
  ether,
  only,
  owed,
  sight,
  weiPerMicro,
} from '../../test/chain-town.ts';
import { type LeaseRequest, leaseRequestSchema, offerRequestSchema } from '../market/market.schema.ts';
import { testWorld } from '../testing/peers.ts';
import { live, startAsking, until } from '../testing/steps.ts';
import type { ChainWorld } from './chain-world.ts';
import { settlementLimits as limits } from './limits.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
let town: ChainTown;
let chain: ChainTown['chain'];
let contract: string;

beforeAll(async () => {
  town = await chainTown();
  ({ chain, contract } = town);
});
afterAll(() => town[Symbol.asyncDispose]());
afterEach(() => town.rest());

/** A lender with a model at two credits for 1,000 tokens, and a borrower, each with an ether. */
async function fair(change: { readonly borrower?: Partial<ChainWorld> | 'local' } = {}) {
  const pair = await town.pair(change);
  const { world, lender, borrower } = pair;
  const model = (await lender.peer.models.list()).models[0]?.name.split('@')[0] ?? '';
  await lender.peer.market.offer(offerRequestSchema.parse({ model, credits: '2' }));
  const lease = (wish: Partial<LeaseRequest> = {}) =>
    borrower.peer.market.lease(leaseRequestSchema.parse({ peer: 'lender', model, tokens: 1_000, ...wish }), live());
  const chat = async (text: string) => {
    await until(world.clock, () => borrower.peer.peers.list().some(({ models }) => models.includes(model)));
    const running = startAsking(borrower, model, text);
    await until(world.clock, () => running.ended());
    return running.events;
  };
  return { ...pair, lease, chat };
}
describe('a lease on the chain', () => {
  test('is deposited, metered without it, settled by the lender with the borrower’s word, and paid out to both', async () => {
    const { world, lender, borrower, lease, chat } = await fair();
    const { lease: begun } = await lease();
    expect(begun).toMatchObject({ state: 'active', priceMicro: '2000000' });
    expect(await chain.balance(contract)).toBe(2_000_000n * weiPerMicro);
    for (const who of [lender, borrower])
      expect(await deposit(who)).toMatchObject({ state: 'open', amountMicro: '2000000', lease: begun.id });
    expect((await chat('hello')).at(-1)).toMatchObject({ type: 'finish' });
    await chat('and again');
    await chain.until(world.clock, async () => (await deposit(lender)).endorsed === 2);
    await world.clock.until(borrower.peer.market.settle(begun.id, live()));
    await chain.until(world.clock, async () => (await deposit(lender)).state === 'settled');
    await chain.until(world.clock, async () => (await deposit(borrower)).state === 'settled');
    const { dueMicro } = await only(lender);
    const due = BigInt(dueMicro);
    expect(due > 0n && due < 2_000_000n).toBe(true);
    for (const who of [lender, borrower])
      expect(await deposit(who)).toMatchObject({ paidMicro: dueMicro, endorsed: 2 });
    // Nobody owes anybody anything: it was paid.
    expect([await owed(lender), await owed(borrower)]).toEqual([['0'], ['0']]);
    const credits = [(await sight(lender)).chain?.creditWei, (await sight(borrower)).chain?.creditWei];
    expect(credits).toEqual([`${due * weiPerMicro}`, `${(2_000_000n - due) * weiPerMicro}`]);
    const [address, before] = [await addressOf(lender), await chain.balance(await addressOf(lender))];
    const { wei, gasUsed, transaction } = await lender.peer.market.settlement.payout(live());
    expect([wei, BigInt(gasUsed) > 21_000n]).toEqual([credits[0], true]);
    const price = BigInt((await chain.receipt(transaction ?? '')).effectiveGasPrice);
    expect(await chain.balance(address)).toBe(before + BigInt(wei) - BigInt(gasUsed) * price);
    await borrower.peer.market.settlement.payout(live());
    expect(await chain.balance(contract)).toBe(0n);
    const blocks = await chain.ask('eth_blockNumber');
    const nothing = { wei: '0', transaction: null, gasUsed: '0' };
    expect(await lender.peer.market.settlement.payout(live())).toMatchObject({ address, ...nothing });
    expect(await chain.ask('eth_blockNumber')).toBe(blocks);
    const kept = await lender.peer.market.settlement.anchor(live());
    expect(kept).toMatchObject({ origin: lender.identity.peer, sent: { gasUsed: expect.any(String) } });
    const again = await lender.peer.market.settlement.anchor(live());
    expect(again).toEqual({ ...kept, sent: null });
    const [opened, closed] = [(await deposit(borrower)).opened, (await deposit(lender)).closed];
    for (const done of [opened, closed])
      expect((await chain.receipt(done?.transaction ?? '')).gasUsed).toBe(
        `0x${BigInt(done?.gasUsed ?? 0).toString(16)}`,
      );
  });

  test('that nobody used goes back to the borrower a day after its time, not before', async () => {
    const { world, lender, borrower, lease, pass } = await fair();
    await lease({ minutes: 1 });
    const state = async () => (await deposit(borrower)).state;
    await pass(limits.handInMs);
    await chain.until(world.clock, async () => (await only(borrower)).state === 'refunded');
    expect([await state(), await chain.balance(contract)]).toEqual(['open', 2_000_000n * weiPerMicro]);
    await pass(120_000);
    for (const who of [borrower, lender])
      await chain.until(world.clock, async () => (await deposit(who)).state === 'refunded');
    expect((await sight(borrower)).chain?.creditWei).toBe(`${2_000_000n * weiPerMicro}`);
    await borrower.peer.market.settlement.payout(live());
    expect(await chain.balance(contract)).toBe(0n);
  });

  test('is settled once when the node comes back, though the lender was restarted meanwhile', async () => {
    const { world, lender, borrower, lease, chat, restart } = await fair();
    const { lease: begun } = await lease();
    await chat('hello');
    await chain.until(world.clock, async () => (await deposit(lender)).endorsed === 1);
    chain.isOpen = false;
    // The two agree without the chain.
    const { lease: over } = await world.clock.until(borrower.peer.market.settle(begun.id, live()));
    expect(over).toMatchObject({ state: 'settled', agreed: true });
    await chain.until(world.clock, async () => (await deposit(lender)).failure !== null);
    expect(await deposit(lender)).toMatchObject({ state: 'open', failure: { code: 'SETTLEMENT_FAILED' } });
    const again = await restart(lender);
    await chain.until(world.clock, async () => (await deposit(again)).failure !== null);
    const blocks = await chain.ask('eth_blockNumber');
    chain.isOpen = true;
    await chain.until(world.clock, async () => (await deposit(again)).state === 'settled');
    expect(await deposit(again)).toMatchObject({ paidMicro: over.dueMicro, failure: null });
    await chain.until(world.clock, async () => (await deposit(borrower)).state === 'settled');
    // One transaction, one block.
    expect(BigInt(await chain.ask('eth_blockNumber'))).toBe(BigInt(blocks) + 1n);
  });

  test('is served while the node answers nothing at all: what is owed is kept, and settled when it answers again', async () => {
    const { world, lender, borrower, lease, chat } = await fair();
    const { lease: begun } = await lease();
    chain.isSilent = true;
    for (const text of ['hello', 'and again']) expect((await chat(text)).at(-1)).toMatchObject({ type: 'finish' });
    await until(world.clock, async () => (await deposit(lender)).endorsed === 2);
    // Nothing of it was asked of the node.
    expect(chain.unanswered()).toBe(0);
    const { lease: over } = await world.clock.until(borrower.peer.market.settle(begun.id, live()));
    expect(over).toMatchObject({ state: 'settled', agreed: true, answers: 2 });
    expect(BigInt(over.dueMicro) > 0n).toBe(true);
    await chain.until(world.clock, () => chain.unanswered() > 0);
    expect(await deposit(lender)).toMatchObject({ state: 'open', endorsed: 2 });
    expect(await owed(borrower)).toEqual([over.dueMicro]);
    chain.isSilent = false;
    for (const who of [lender, borrower])
      await chain.until(world.clock, async () => (await deposit(who)).state === 'settled');
    expect(await deposit(lender)).toMatchObject({ paidMicro: over.dueMicro, failure: null });
    expect([await owed(lender), await owed(borrower)]).toEqual([['0'], ['0']]);
  });

  test('is not begun by a lender that sees no deposit, or too small a one, and that deposit comes back', async () => {
    const nothing = await fair({ borrower: 'local' });
    await expect(nothing.lease()).rejects.toThrow(code('SETTLEMENT_FAILED'));
    const lie: ChainWorld['load'] = async () => {
      const evm = await import('@peerai/ledger/evm');
      const evmSettlement: typeof evm.evmSettlement = (deps, options) => ({
        ...evm.evmSettlement(deps, options),
        open: async (terms) => ({ ...terms, state: 'open', paid: 0n, reference: 'nowhere' }),
      });
      return { ...evm, evmSettlement };
    };
    await expect((await fair({ borrower: { load: lie } })).lease()).rejects.toThrow(code('ESCROW_STATE'));
    const half: ChainWorld['load'] = async () => {
      const evm = await import('@peerai/ledger/evm');
      return { ...evm, evmSettlement: (deps) => evm.evmSettlement(deps, { weiPerMicro: weiPerMicro / 2n }) };
    };
    const { world, lender, borrower, lease } = await fair({ borrower: { load: half } });
    await expect(lease()).rejects.toThrow(code('ESCROW_STATE'));
    for (const { peer } of [lender, borrower]) expect((await peer.market.view()).leases).toEqual([]);
    expect((await lender.peer.market.view()).deposits).toEqual([]);
    expect(await deposit(borrower)).toMatchObject({ state: 'open' });
    await chain.passSeconds(2 * 86_400);
    world.clock.jump(2 * 86_400_000);
    await chain.until(world.clock, async () => (await deposit(borrower)).state === 'refunded');
  });

  test('begins only where both name one chain, one contract and one rate', async () => {
    const other = `0x${'11'.repeat(20)}`;
    for (const change of [{ contract: other }, { weiPerMicro: 1n }, { chainId: 1 }]) {
      const { lease, borrower } = await fair({ borrower: change });
      await expect(lease()).rejects.toThrow(code('SETTLEMENT_FAILED'));
      expect((await borrower.peer.market.view()).deposits).toEqual([]);
    }
    const poor = await fair();
    await chain.give(await addressOf(poor.borrower), 1_000n);
    await expect(poor.lease()).rejects.toThrow(code('CREDIT_EXCEEDED'));
    expect((await poor.borrower.peer.market.view()).deposits).toEqual([]);
  });

  test('is served no further than so many answers beyond what the borrower endorsed', async () => {
    const mean: ChainWorld['load'] = async () => {
      const evm = await import('@peerai/ledger/evm');
      const evmSettlement: typeof evm.evmSettlement = (deps, options) => {
        const honest = evm.evmSettlement(deps, options);
        return { ...honest, endorse: (last, signal) => honest.endorse({ ...last, due: last.due - 1n }, signal) };
      };
      return { ...evm, evmSettlement };
    };
    const { world, lender, lease, chat } = await fair({ borrower: { load: mean } });
    await lease();
    const seen: string[] = [];
    let refused: unknown;
    for (let n = 0; n < limits.unendorsedMax + 1; n += 1) {
      const last = (await chat('a')).at(-1);
      seen.push(last?.type ?? '');
      if (last?.type === 'error') refused = last;
      await until(world.clock, async () => (await only(lender)).answers >= Math.min(n + 1, limits.unendorsedMax));
    }
    expect(seen).toEqual([...Array<string>(limits.unendorsedMax).fill('finish'), 'error']);
    expect(JSON.stringify(refused)).toContain('ANSWERS_UNENDORSED');
    expect(await deposit(lender)).toMatchObject({ endorsed: 0, state: 'open' });
  });
});

describe('the chain', () => {
  test('is not needed, and nothing of it is there without a setting', async () => {
    const { peer } = await testWorld().peer('alone');
    expect(await peer.market.settlement.view(live())).toEqual({ v: 1, kind: 'local', chain: null });
    await expect(peer.market.settlement.deploy(live())).rejects.toThrow(code('SETTLEMENT_OFF'));
    expect((await peer.doctor.check()).checks.map(({ id }) => id)).not.toContain('settlement');
    await peer.stop();
  });

  test('is looked at by the doctor: whether it answers, which it is, whether the contract is ours, and what pays for gas', async () => {
    const check = async (change: Partial<ChainWorld>, wei = ether) => {
      const { peer } = await testWorld().peer('one', { seed: 5, chain: town.chainOf(5, change) });
      const { chain: facts } = await peer.market.settlement.view(live());
      await chain.give(facts?.address ?? '', wei);
      const found = (await peer.doctor.check()).checks.find(({ id }) => id === 'settlement');
      await peer.stop();
      return `${found?.state}: ${found?.cause}`;
    };
    expect(await check({})).toMatch(/^ok: Chain 31337 at 127\.0\.0\.1:\d+ answers; 0x\S+ can pay for gas\.$/u);
    expect(await check({}, 0n)).toMatch(/^look: .*has nothing to pay gas with/u);
    expect(await check({ chainId: 1 })).toMatch(/^broken: .* is chain 31337, not 1$/u);
    expect(await check({ contract: `0x${'11'.repeat(20)}` })).toMatch(/^broken: .*not this program’s escrow contract/u);
    expect(await check({ rpcUrl: 'http://127.0.0.1:1' })).toMatch(/^broken: the chain at 127\.0\.0\.1:1 does not/u);
  });
});
