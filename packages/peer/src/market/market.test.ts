import { fromHex } from '@peerai/core-protocol';
import { checkEvidence } from '@peerai/ledger/market';
import { nobleCrypto } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { borrowRequestSchema, lendRequestSchema } from '../lending/lending.schema.ts';
import type { Permission } from '../pairing/permissions.ts';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, startAsking, until } from '../testing/steps.ts';
import { leaseRequestSchema, type LeaseRequest, offerRequestSchema, type OfferRequest } from './market.schema.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const minuteMs = 60_000;

/** A lender with a model, and a borrower that may lease and nothing else. */
async function fair(allow: readonly Permission[] = ['borrow'], offer: Partial<OfferRequest> = {}) {
  const world = testWorld();
  const lender = await world.peer('lender', { seed: 1 });
  const borrower = await world.peer('borrower', { seed: 2, engine: false });
  started.push(lender, borrower);
  const { link } = await lender.peer.pairing.invite(allow);
  const pending = await world.clock.until(borrower.peer.pairing.join(link, live()));
  await world.clock.until(lender.peer.pairing.accept(pending.id));
  await until(world.clock, () => borrower.peer.peers.list().some(({ state }) => state === 'online'));
  const model = await modelOf(lender);
  const { credits = '2', ...rest } = offer;
  await lender.peer.market.offer(offerRequestSchema.parse({ model, credits, ...rest }));
  const lease = (wish: Partial<LeaseRequest> = {}, by = borrower) =>
    world.clock.until(
      by.peer.market.lease(leaseRequestSchema.parse({ peer: 'lender', model, tokens: 1_000, ...wish }), live()),
    );
  const chat = async (text: string, by = borrower) => {
    await until(world.clock, () => by.peer.peers.list().some(({ models }) => models.includes(model)));
    const running = startAsking(by, model, text);
    await until(world.clock, () => running.ended());
    return running.events;
  };
  /** Both signatures are in both books. */
  const settled = async () => {
    await until(world.clock, async () => {
      const [ours, theirs] = [await only(borrower), await only(lender)];
      return ours.answers > 0 && ours.dueMicro === theirs.dueMicro;
    });
  };
  return { world, lender, borrower, model, lease, chat, settled };
}
async function modelOf({ peer }: TestPeer): Promise<string> {
  const [model] = (await peer.models.list()).models;
  return model?.name.split('@')[0] ?? '';
}
const only = async ({ peer }: TestPeer) => {
  const [lease] = (await peer.market.view()).leases;
  if (lease === undefined) throw new Error('there is no lease');
  return lease;
};
const owed = async ({ peer }: TestPeer) => (await peer.market.view()).balances.map(({ owesMicro }) => owesMicro);
const kinds = async ({ peer }: TestPeer) => (await peer.books.entries({})).entries.map(({ kind }) => kind);

describe('a leased model', () => {
  test('may be asked by who may not chat, is metered by the receipts of its answers, and settled by one more signature', async () => {
    const { world, lender, borrower, lease, chat, settled } = await fair();
    const { lease: begun } = await lease();
    expect(begun).toMatchObject({ state: 'active', priceMicro: '2000000', dueMicro: '0', lockedMicro: '2000000' });
    expect((await chat('hello')).at(-1)).toMatchObject({ type: 'finish' });
    await chat('and again');
    await settled();
    const [ours, theirs] = [await only(borrower), await only(lender)];
    expect(ours.answers).toBe(2);
    expect(BigInt(ours.dueMicro)).toBe(BigInt(ours.tokensUsed) * 2_000n);
    expect([await owed(borrower), await owed(lender)]).toEqual([[ours.dueMicro], [`-${theirs.dueMicro}`]]);
    const { lease: over } = await world.clock.until(borrower.peer.market.settle(ours.id, live()));
    expect(over).toMatchObject({ state: 'settled', agreed: true, lockedMicro: '0', dueMicro: ours.dueMicro });
    expect(await only(lender)).toMatchObject({ state: 'settled', agreed: true, dueMicro: ours.dueMicro });
    const written = ['metered-lease', 'usage-receipt', 'usage-receipt', 'lease-end'];
    for (const side of [lender, borrower])
      expect((await kinds(side)).toReversed().toSorted()).toEqual(written.toSorted());
    const said = (await borrower.peer.books.entries({})).entries.flatMap((entry) => entry.lease ?? []);
    expect(said.toSorted((a, b) => a.what.localeCompare(b.what))).toMatchObject([
      { what: 'end', outcome: 'settled', n: 2, micro: ours.dueMicro, signed: true },
      { what: 'terms', resource: 'model', lease: ours.id, micro: '2000000', signed: true },
    ]);
    await expect(world.clock.until(borrower.peer.market.settle(ours.id, live()))).rejects.toThrow(code('LEASE_STATE'));
    // Without a lease the right is gone.
    expect((await chat('once more')).at(-1)).toMatchObject({ type: 'error' });
  });

  test('is found with its price, and costs no more than the borrower is ready to pay', async () => {
    const { world, borrower, lender, model, lease } = await fair(['borrow'], { tokensMax: 5_000, minutesMax: 90 });
    const found = await world.clock.until(borrower.peer.market.offers(live()));
    expect(found.models).toMatchObject([{ peerName: 'lender', model, unitPriceMicro: '2000000' }]);
    await lender.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: 8 }));
    const all = await world.clock.until(borrower.peer.market.offers(live()));
    expect([all.models.length, all.nodes.length, all.storage]).toEqual([1, 1, []]);
    for (const kind of ['model', 'node'] as const) {
      const { models, nodes } = await world.clock.until(borrower.peer.market.offers(live(), { kind }));
      expect([models.length, nodes.length]).toEqual(kind === 'model' ? [1, 0] : [0, 1]);
    }
    await expect(lease({ creditsMax: '1.999999' })).rejects.toThrow(code('PRICE_TOO_HIGH'));
    await expect(lease({ model: 'other' })).rejects.toThrow(code('NOT_OFFERED'));
    for (const past of [{ tokens: 5_001 }, { minutes: 91 }])
      await expect(lease(past)).rejects.toThrow(code('LIMIT_EXCEEDED'));
    await lender.peer.market.withdraw(model);
    await expect(lease()).rejects.toThrow(code('NOT_OFFERED'));
    await expect(lender.peer.market.withdraw(model)).rejects.toThrow(code('NOT_OFFERED'));
    expect((await borrower.peer.market.view()).leases).toEqual([]);
  });

  test('is refused to who may not lease, and to who would owe too much', async () => {
    const { lease } = await fair(['chat']);
    await expect(lease()).rejects.toThrow(code('NOT_GRANTED'));
    const dear = await fair(['borrow'], { credits: '100' });
    // A hundred credits are the limit: 1,000 tokens cost them, and the next token is one too many.
    await dear.lease({ tokens: 1_000 });
    await expect(dear.lease({ tokens: 1 })).rejects.toThrow(code('CREDIT_EXCEEDED'));
    expect((await dear.lender.peer.market.view()).leases).toHaveLength(1);
  });

  test('answers no longer than its tokens last', async () => {
    const { lender, lease, chat, settled } = await fair();
    await lease({ tokens: 60 });
    await chat('one two three');
    await settled();
    const seen: string[] = [];
    for (let times = 0; times < 20; times += 1) {
      const last = (await chat('a')).at(-1);
      seen.push(last?.type === 'error' ? last.code : (last?.type ?? ''));
    }
    expect([seen[0], seen.at(-1)]).toEqual(['finish', 'BUDGET_SPENT']);
    await settled();
    const { tokensUsed, dueMicro } = await only(lender);
    expect([tokensUsed > 7, tokensUsed <= 60]).toEqual([true, true]);
    expect(dueMicro).toBe(`${tokensUsed * 2_000}`);
  });

  test('shares one limit with leases of nodes: who owes for one thing gets less of the other', async () => {
    const { world, lender, borrower, lease } = await fair(['borrow'], { credits: '100' });
    await lender.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: 8, credits: '60' }));
    await lease({ tokens: 990 });
    const wish = { peer: 'lender', cluster: { nodes: 1, seed: 1 }, vectors: [[1, 0]] };
    const borrow = (minutes: number) =>
      world.clock.until(borrower.peer.nodeLending.borrow(borrowRequestSchema.parse({ ...wish, minutes }), live()));
    // 99 credits are locked, and a minute of the node costs one.
    await expect(borrow(2)).rejects.toThrow(code('CREDIT_EXCEEDED'));
    expect((await borrow(1)).lease.state).toBe('settled');
    expect(await owed(borrower)).toEqual((await owed(lender)).map((micro) => micro.replace('-', '')));
  });

  test('answers on when the rights of its borrower are edited, and no more when it is blocked', async () => {
    const { world, lender, borrower, lease } = await fair();
    const model = 'echo-slow';
    await lender.peer.market.offer(offerRequestSchema.parse({ model, credits: '1' }));
    await lease({ model });
    const asked = async () => {
      await until(world.clock, () => borrower.peer.peers.list().some(({ models }) => models.includes(model)));
      const running = startAsking(borrower, model, 'one two three four five six seven eight nine ten');
      await until(world.clock, () => running.events.some(({ type }) => type === 'delta'));
      return running;
    };
    const edited = await asked();
    await world.clock.until(lender.peer.peers.change('borrower', { allow: ['route'] }));
    expect(edited.ended()).toBe(false);
    await until(world.clock, () => edited.ended());
    expect(edited.events.at(-1)).toMatchObject({ type: 'finish' });
    const blocked = await asked();
    await world.clock.until(lender.peer.peers.change('borrower', { blocked: true }));
    await until(world.clock, () => blocked.ended());
    expect(blocked.events.at(-1)).toMatchObject({ type: 'error' });
  });

  test('gives back what was not used when its time is over', async () => {
    const { world, lender, borrower, lease } = await fair();
    await lease({ minutes: 1 });
    await world.clock.advance(minuteMs - 5_000);
    expect((await only(lender)).state).toBe('active');
    await until(world.clock, async () => {
      await world.clock.advance(1_000);
      return (await only(lender)).state === 'refunded' && (await only(borrower)).state === 'refunded';
    });
    expect(await only(borrower)).toMatchObject({ lockedMicro: '0', dueMicro: '0' });
    expect([await owed(borrower), await owed(lender)]).toEqual([['0'], ['0']]);
  });

  test('is there after both were killed, with what was signed', async () => {
    const { world, lender, borrower, lease, chat, settled } = await fair();
    await lease();
    await chat('hello');
    await settled();
    const before = await only(borrower);
    const stores = [world.kill(lender), world.kill(borrower)] as const;
    started.length = 0;
    const again = await world.peer('lender', { seed: 1, store: stores[0] });
    const back = await world.peer('borrower', { seed: 2, store: stores[1], engine: false });
    started.push(again, back);
    expect([await only(back), await only(again)]).toMatchObject([
      { state: 'active', dueMicro: before.dueMicro, answers: 1 },
      { state: 'active', dueMicro: before.dueMicro, answers: 1 },
    ]);
  });

  test('ends in a dispute with evidence that anybody can check', async () => {
    const { world, lender, borrower, lease, chat, settled } = await fair();
    await lease();
    await chat('hello');
    await settled();
    const { id, dueMicro } = await only(borrower);
    const { lease: disputed, evidence } = await borrower.peer.market.dispute(id, 'the answer was empty', live());
    expect(disputed).toMatchObject({ state: 'disputed', lockedMicro: '0', dueMicro });
    const { standing, hash } = checkEvidence(nobleCrypto, evidence, 0);
    expect([`${standing.paid}`, standing.n]).toEqual([dueMicro, 1]);
    expect(fromHex(hash)).toHaveLength(32);
    await until(world.clock, async () => (await only(lender)).state === 'disputed');
    await expect(borrower.peer.market.dispute(id, 'again', live())).rejects.toThrow(code('LEASE_STATE'));
    await expect(world.clock.until(lender.peer.market.settle(id, live()))).rejects.toThrow(code('LEASE_STATE'));
    await expect(borrower.peer.market.dispute('00000000', 'x', live())).rejects.toThrow(code('LEASE_UNKNOWN'));
  });
});

test('a device that may chat is metered too while it has a lease, and asks freely after it', async () => {
  const { world, borrower, lender, lease, chat, settled } = await fair(['chat', 'borrow']);
  await chat('free');
  await lease();
  await chat('hello');
  await settled();
  const { id, answers } = await only(borrower);
  expect(answers).toBe(1);
  await world.clock.until(lender.peer.market.settle(id, live()));
  expect((await chat('free again')).at(-1)).toMatchObject({ type: 'finish' });
  expect(await only(borrower)).toMatchObject({ answers: 1, state: 'settled' });
});

test('only models that are here are offered', async () => {
  const { lender, model } = await fair();
  await expect(lender.peer.market.offer(offerRequestSchema.parse({ model: 'none', credits: '1' }))).rejects.toThrow(
    code('MODEL_UNKNOWN'),
  );
  await lender.peer.market.offer(offerRequestSchema.parse({ model, credits: '0.000001' }));
  expect((await lender.peer.market.view()).offers).toMatchObject([{ model, unitPriceMicro: '1' }]);
});
