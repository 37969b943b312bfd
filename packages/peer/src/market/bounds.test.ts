import { ManualClock, MemoryStore, silentLogger } from '@peerai/core-protocol/testing';
import { PeerAiError } from '@peerai/core-protocol';
import { marketLimits, type Settlement } from '@peerai/ledger/market';
import { afterEach, describe, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { ask, live, pair, until } from '../testing/steps.ts';
// Loaded before: a test's clock runs on while the disk reads a module.
import '../ledger/log-room.ts';
import '../own/own-room.ts';
import '../reputation/reputation-room.ts';
import './room.ts';
import type { EscrowedLease } from './escrowed-lease.ts';
import { createEscrows } from './escrows.ts';
import { peerMarketLimits as limits } from './limits.ts';
import { disputeRequestSchema, judgeRequestSchema, leaseRequestSchema, offerRequestSchema } from './market.schema.ts';
import { openOffers } from './offers.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});

test('so many models are offered; one more is refused until one is withdrawn, also after a restart', async () => {
  const store = new MemoryStore();
  const facts = { unitPrice: 1n, tokensMax: 1, minutesMax: 1 };
  const before = await openOffers(store);
  for (let count = 0; count < limits.offersMax; count += 1) await before.put({ ...facts, model: `${count}` });
  const offers = await openOffers(store);
  expect(offers.list()).toHaveLength(limits.offersMax);
  await expect(offers.put({ ...facts, model: 'one more' })).rejects.toThrow(code('LIMIT_REACHED'));
  await offers.put({ ...facts, model: '0', unitPrice: 2n });
  await offers.remove('1');
  await offers.put({ ...facts, model: 'one more' });
  expect(offers.list()).toHaveLength(limits.offersMax);
});

describe('what is asked for', () => {
  const lease = (more: object) => leaseRequestSchema.safeParse({ peer: 'p', model: 'm', ...more }).success;
  const offer = (more: object) => offerRequestSchema.safeParse({ model: 'm', credits: '1', ...more }).success;
  const text = (length: number) => 'x'.repeat(length);
  test.each<[string, number, (count: number) => boolean]>([
    ['tokens of a lease', marketLimits.tokensMax, (tokens) => lease({ tokens })],
    ['minutes of a lease', marketLimits.minutesMax, (minutes) => lease({ minutes })],
    ['characters of a model', marketLimits.subjectBytesMax, (count) => lease({ model: text(count) })],
    ['tokens of an offer', marketLimits.tokensMax, (tokensMax) => offer({ tokensMax })],
    ['minutes of an offer', marketLimits.minutesMax, (minutesMax) => offer({ minutesMax })],
    [
      'characters of a reason',
      limits.reasonCharsMax,
      (count) => disputeRequestSchema.safeParse({ reason: text(count) }).success,
    ],
    [
      'bytes of evidence',
      marketLimits.evidenceBytesMax,
      (count) => judgeRequestSchema.safeParse({ evidence: text(count) }).success,
    ],
  ])('has %s up to %i', (_, most, isTaken) => {
    expect([0, 1, most, most + 1].map(isTaken)).toEqual([false, true, true, false]);
  });
});

test('an escrow of which nothing was used goes back so long after the end of its lease, not before', async () => {
  const clock = new ManualClock(0);
  const refunded: number[] = [];
  const settlement = { refund: async () => void refunded.push(clock.nowMs()) } as unknown as Settlement;
  const escrows = createEscrows({ settlement, clock, logger: silentLogger });
  const over = { id: 'ab'.repeat(32), n: 0, due: 0n, isOpen: false, endsMs: 60_005 } as EscrowedLease;
  const backMs = over.endsMs + limits.graceMs;
  for (const atMs of [backMs - 1, backMs, backMs + 1]) {
    await clock.advance(atMs - clock.nowMs());
    await escrows.look([over], live());
  }
  expect(refunded).toEqual([backMs]);
});

/** A lender, and a borrower that asks its model by leases; opening a channel from the borrower is told. */
async function fair() {
  const world = testWorld();
  let opened = 0;
  let isAway = false;
  const unreachable = () => {
    opened += 1;
    return isAway ? new PeerAiError('PEER_UNREACHABLE', 'away') : undefined;
  };
  const lender = await world.peer('lender', { seed: 1 });
  const borrower = await world.peer('borrower', { seed: 2, engine: false, unreachable });
  started.push(lender, borrower);
  await pair(world, lender, borrower, ['chat', 'borrow']);
  await lender.peer.market.offer(offerRequestSchema.parse({ model: 'echo', credits: '2' }));
  const view = async () => (await borrower.peer.market.view()).leases;
  const lease = async (minutes = 600) => {
    const wish = leaseRequestSchema.parse({ peer: 'lender', model: 'echo', tokens: 1_000, minutes });
    return (await world.clock.until(borrower.peer.market.lease(wish, live()))).lease;
  };
  const answered = async (count: number) => {
    for (let times = 0; times < count; times += 1) {
      const before = (await view())[0]?.answers ?? 0;
      await ask(world, borrower, 'echo@lender', 'hello', 4);
      await until(world.clock, async () => ((await view())[0]?.answers ?? 0) > before);
    }
  };
  const go = (away: boolean) => (isAway = away);
  return { world, lender, borrower, view, lease, answered, go, opened: () => opened };
}

test('a lease is over within one look after its time', async () => {
  const { world, view, lease } = await fair();
  const { endsMs } = await lease(1);
  world.clock.jump(endsMs - world.clock.nowMs());
  expect((await view())[0]?.state).toBe('active');
  await world.clock.advance(limits.lookMs);
  expect((await view())[0]?.state).toBe('refunded');
});

test('evidence has so many receipts of its lease, the newest, and never none because another lease came after it', async () => {
  const { world, borrower, lease, answered } = await fair();
  const documentsOf = async (id: string) => {
    const { evidence } = await borrower.peer.market.evidence(id, 'why');
    const { documents } = JSON.parse(evidence) as { readonly documents: readonly { readonly kind: string }[] };
    return documents.filter(({ kind }) => kind === 'usage-receipt').length;
  };
  const first = await lease();
  await answered(1);
  expect(await documentsOf(first.id)).toBe(1);
  await world.clock.until(borrower.peer.market.settle(first.id, live()));
  const second = await lease();
  await answered(limits.evidenceReceiptsMax);
  expect(await documentsOf(second.id)).toBe(limits.evidenceReceiptsMax);
  await answered(1);
  expect(await documentsOf(second.id)).toBe(limits.evidenceReceiptsMax);
  expect(await documentsOf(first.id)).toBe(1);
});

test('the other side is asked for its last word for so long, and no more from then on', async () => {
  const { world, lender, borrower, lease, go, opened } = await fair();
  const { id } = await lease();
  go(true);
  await borrower.peer.market.dispute(id, 'nothing came', live());
  const endedMs = world.clock.nowMs();
  const asks = async () => {
    const before = opened();
    borrower.peer.market.met(lender.identity.peer);
    await world.clock.advance(0);
    return opened() - before;
  };
  for (const [afterMs, isAsked] of [
    [limits.lastWordsMs - 1, true],
    [limits.lastWordsMs, false],
  ] as const) {
    world.clock.jump(endedMs + afterMs - world.clock.nowMs());
    expect((await asks()) > 0).toBe(isAsked);
  }
});
