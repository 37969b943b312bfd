import { createIdentity, nobleCrypto, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { initialState, type PointsSaid } from '@peerai/ledger/governance';
import { afterEach, expect, test } from 'vitest';
import { borrowRequestSchema, lendRequestSchema, type LeaseView } from '../lending/lending.schema.ts';
import type { KeptCapsuleView } from '../memory/memory.schema.ts';
import { testWorld } from '../testing/peers.ts';
import { live, until } from '../testing/steps.ts';
import { propose, show, type Village, village, voteAll } from '../testing/village.ts';
import { type AutoRewardsDeps, openAutoRewards } from './auto-rewards.ts';
import { governanceRoomLimits as limits } from './limits.ts';

const peerOf = (seed: number): PeerId => createIdentity(nobleCrypto, seededRandom(seed).bytes(32)).peer;
const [self, ann, stranger] = [peerOf(1), peerOf(2), peerOf(3)];
const idOf = (number: number): string => number.toString(16).padStart(64, '0');
const point = 1_000_000n;
/** A node for two hours costs one point by the seed's policy. */
const lease = (number: number, change: Partial<LeaseView> = {}): LeaseView => ({
  id: idOf(number),
  role: 'borrower',
  peerId: ann,
  peerName: 'ann',
  state: 'settled',
  nodes: 1,
  minutes: 120,
  priceMicro: '1',
  paidMicro: '1',
  lockedMicro: '0',
  refundedMicro: '0',
  sinceMs: 0,
  endsMs: 0,
  endedMs: 2_000_000_000_000,
  runs: 1,
  steps: 1,
  busyMs: 1,
  bytesIn: 1,
  bytesOut: 1,
  heldMs: 7_200_000,
  ...change,
});
const capsule = (number: number, change: Partial<KeptCapsuleView> = {}): KeptCapsuleView => ({
  id: idOf(number),
  author: ann,
  authorName: 'ann',
  mine: false,
  level: 'public',
  tags: [],
  summary: '',
  mediaType: 'text/plain',
  bytes: 1,
  createdMs: 0,
  quality: 1,
  novelty: 0.5,
  importance: 0,
  relations: [],
  embedder: 'words',
  kind: 'lexical',
  keptSinceMs: 2_000_000_000_000,
  uses: 1,
  ...change,
});

/** A group of self and ann in memory: `points` are those of self. */
async function scene(
  options: {
    readonly points?: bigint;
    readonly leases?: LeaseView[];
    readonly capsules?: KeptCapsuleView[];
    readonly pay?: AutoRewardsDeps['pay'];
    readonly isOn?: boolean;
    readonly store?: MemoryStore;
    readonly clock?: ManualClock;
  } = {},
) {
  const { points = 1_000n * point, leases = [], capsules = [], isOn = true } = options;
  const { store = new MemoryStore(), clock = new ManualClock() } = options;
  const genesis = { version: 1 as const, name: 'guild', members: [self, ann], nonce: new Uint8Array(16) };
  const state = { ...initialState('aa'.repeat(32), genesis), points: new Map([[self, points]]) };
  const said: string[] = [];
  const pay = async (group: string, one: PointsSaid, signal: AbortSignal): Promise<void> => {
    if (one.type === 'reward') said.push(Buffer.from(one.reward.subject).toString('hex'));
    await options.pay?.(group, one, signal);
  };
  const rewards = await openAutoRewards({
    self,
    store,
    clock,
    logger: silentLogger,
    nameOf: (peer) => (peer === ann ? 'ann' : 'other'),
    isOn,
    sources: { leases: async () => leases, capsules: async () => capsules },
    groups: () => [{ id: state.group, genesis, state: () => state }],
    pay,
  });
  return { rewards, said, store, clock, look: () => rewards.look(live()) };
}
const refusedWith = (why: string) => async (): Promise<never> => {
  throw new PeerAiError('VOTE_REFUSED', why, { why });
};

test('a lease that ended and a capsule that was found are paid for once, by the policy; nothing else is', async () => {
  const others = [
    lease(2, { role: 'lender' }),
    lease(3, { endedMs: null, state: 'active' }),
    lease(4, { heldMs: 0 }),
    lease(5, { peerId: stranger }),
    lease(6, { endedMs: 1 }),
  ];
  const unused = [capsule(12, { uses: 0 }), capsule(13, { mine: true, author: self }), capsule(14, { keptSinceMs: 1 })];
  const found = await scene({ leases: [lease(1), ...others], capsules: [capsule(11), ...unused] });
  await found.look();
  await found.look();
  expect(found.said).toEqual([idOf(1), idOf(11)]);
  const view = await found.rewards.view();
  expect(view).toMatchObject({ mode: 'auto', today: 2, todayMicro: '1500000', waiting: [] });
  expect(view.given).toMatchObject([
    { reason: 'borrowing', to: { name: 'ann' }, groupName: 'guild', amountMicro: '1000000', state: 'paid' },
    { reason: 'capsule', subject: idOf(11), amountMicro: '500000', state: 'paid' },
  ]);
  const again = await scene({ leases: [lease(1)], capsules: [capsule(11)], store: found.store });
  await again.look();
  expect(again.said).toEqual([]);
});

test('who dies between saying and hearing says it again, and the chain’s “rewarded” counts as paid', async () => {
  const store = new MemoryStore();
  let onDisk: Uint8Array | undefined;
  const pay = async (): Promise<never> => {
    onDisk = await store.get(`reward/borrowing-${idOf(1)}`);
    throw new PeerAiError('NO_DECISION', 'too late');
  };
  const first = await scene({ leases: [lease(1)], pay, store });
  await first.look();
  // It was there before anything was said: it counts for the day also after a crash.
  expect(onDisk).toBeDefined();
  expect((await first.rewards.view()).given).toMatchObject([{ state: 'sent' }]);
  const again = await scene({ leases: [lease(1)], store: first.store, pay: refusedWith('REWARDED') });
  await again.look();
  await again.look();
  expect(again.said).toEqual([idOf(1)]);
  expect(await again.rewards.view()).toMatchObject({ today: 1, given: [{ state: 'paid' }] });
});

test(`${limits.rewardsPerDayMax} a day, and no more points than the day’s; the rest comes the next day`, async () => {
  const many = Array.from({ length: limits.rewardsPerDayMax + 1 }, (_, index) => lease(index + 1));
  const counted = await scene({ leases: many });
  await counted.look();
  expect(counted.said).toHaveLength(limits.rewardsPerDayMax);
  expect((await counted.rewards.view()).waiting).toMatchObject([{ why: 'DAY_LIMIT' }]);
  await counted.clock.advance(86_400_000);
  await counted.look();
  expect(counted.said).toHaveLength(limits.rewardsPerDayMax + 1);
  // A point for each node: a hundred points are the most.
  const nodes = Number(limits.rewardsDayMicroMax / point);
  const at = await scene({ leases: [lease(1, { nodes })] });
  await at.look();
  expect(at.said).toHaveLength(1);
  const past = await scene({ leases: [lease(1, { nodes, heldMs: 7_200_001 })] });
  await past.look();
  expect(past.said).toEqual([]);
  expect((await past.rewards.view()).waiting).toMatchObject([{ why: 'DAY_LIMIT' }]);
});

test('without points it waits and asks nobody; what the group refuses for good is shown and not said again', async () => {
  const poor = await scene({ leases: [lease(1)], points: point - 1n });
  await poor.look();
  expect(poor.said).toEqual([]);
  expect((await poor.rewards.view()).waiting).toMatchObject([{ why: 'NO_POINTS', amountMicro: '1000000' }]);
  const raced = await scene({ leases: [lease(1)], pay: refusedWith('NO_POINTS') });
  await raced.look();
  expect(await raced.rewards.view()).toMatchObject({ today: 0, given: [], waiting: [{ why: 'NEXT_LOOK' }] });
  const refused = await scene({ leases: [lease(1)], pay: refusedWith('LIMIT_REACHED') });
  await refused.look();
  await refused.look();
  expect(refused.said).toHaveLength(1);
  expect((await refused.rewards.view()).given).toMatchObject([{ state: 'refused', why: 'LIMIT_REACHED' }]);
});

test('off is the default: nothing is given, and what was had meanwhile is not paid for later', async () => {
  const clock = new ManualClock();
  const leases = [lease(1, { endedMs: clock.nowMs() })];
  const off = await scene({ leases, isOn: false, clock });
  await off.look();
  expect([off.said, await off.rewards.view()]).toMatchObject([[], { mode: 'off', sinceMs: null, waiting: [] }]);
  await clock.advance(1);
  leases.push(lease(2, { endedMs: clock.nowMs() }));
  const on = await scene({ leases, clock, store: off.store });
  await on.look();
  expect(on.said).toEqual([idOf(2)]);
});

test(`of what is gone, ${limits.rewardRowsKept} rewards are remembered at least`, async () => {
  const leases = Array.from({ length: 3 }, (_, index) => lease(index + 1));
  const store = new MemoryStore();
  const row = { group: 'aa'.repeat(32), to: ann, amountMicro: '1', atMs: 5, state: 'paid', wish: {} };
  const old = Array.from({ length: limits.rewardRowsKept - 2 }, (_, index) =>
    store.put(`reward/capsule-${idOf(index + 100)}`, new TextEncoder().encode(JSON.stringify({ ...row, atMs: index }))),
  );
  await store.commit(old);
  const count = async () => (await Array.fromAsync(store.range('reward/', 'reward0'))).length;
  const { look } = await scene({ leases, store });
  await look();
  expect(await count()).toBe(limits.rewardRowsKept);
  expect(await store.get(`reward/capsule-${idOf(100)}`)).toBeUndefined();
  expect(await store.get(`reward/capsule-${idOf(101)}`)).toBeDefined();
  expect(await store.get(`reward/borrowing-${idOf(3)}`)).toBeDefined();
});

let made: Village | undefined;
afterEach(async () => {
  await made?.stop();
  made = undefined;
});

test('a borrowed cluster is rewarded in the group’s points by itself, and not again after a restart', async () => {
  // Nodes that are held for no time earn nothing.
  const latency = testWorld({ latencyMs: 5 });
  made = await village(2, (index) => (index === 0 ? { settings: { rewards: 'auto' } } : {}), latency);
  const { world, at } = made;
  const [anna, ben] = [at(0), at(1)];
  const id = await propose(world, anna, {
    action: { type: 'points', peer: 'self', amountMicro: '5000000', reason: 'a start' },
  });
  await voteAll(world, [anna, ben], id);
  await until(world.clock, async () => (await show(ben)).pointsIssuedMicro === '5000000');
  await ben.peer.peers.change('p0', { allow: ['chat', 'borrow'] });
  await ben.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: 16 }));
  const wish = borrowRequestSchema.parse({ peer: 'p1', minutes: 10, cluster: { nodes: 4 }, vectors: [[1, 2]] });
  const { lease: borrowed } = await world.clock.until(anna.peer.nodeLending.borrow(wish, live()));
  // Its room is loaded: that takes real time, of which the test's clock knows nothing.
  await anna.peer.memory.list({});
  await world.clock.advance(limits.rewardsLookMs);
  const paid = async ({ peer }: typeof anna) => (await peer.governance.rewards()).given;
  await until(world.clock, async () => (await paid(anna))[0]?.state === 'paid');
  expect(await paid(anna)).toMatchObject([{ reason: 'borrowing', subject: borrowed.id, to: { name: 'p1' } }]);
  const amounts = async () => (await show(ben)).points.map(({ amountMicro }) => amountMicro);
  const once = await amounts();
  expect(once).toHaveLength(2);
  const settings = { rewards: 'auto' } as const;
  const again = await made.peer('p0', { seed: 1, store: world.kill(anna), engine: false, settings });
  await again.peer.memory.list({});
  await world.clock.advance(limits.rewardsLookMs);
  expect([await amounts(), (await paid(again)).length]).toEqual([once, 1]);
  expect(await ben.peer.governance.rewards()).toMatchObject({ mode: 'off', given: [] });
}, 120_000);

test('of what waits and of what was given `rewardsShown` are told', async () => {
  const most = limits.rewardsShown;
  const leases = (count: number) => Array.from({ length: count }, (_, at) => lease(at + 1));
  const waiting = async (count: number) =>
    (await (await scene({ leases: leases(count), points: 0n })).rewards.view()).waiting.length;
  expect([await waiting(most - 1), await waiting(most), await waiting(most + 1)]).toEqual([most - 1, most, most]);
  // As given on days before: one day has fewer than are shown.
  const given = async (count: number) => {
    const store = new MemoryStore();
    const rows = leases(count).map(({ id }, atMs) => {
      const wish = { reason: 'borrowing', peer: ann, subject: id, nodes: 1, heldMs: 1 };
      const row = { group: 'aa'.repeat(32), to: ann, amountMicro: '1', atMs, state: 'paid', wish };
      return store.put(`reward/borrowing-${id}`, new TextEncoder().encode(JSON.stringify(row)));
    });
    await store.commit(rows);
    const { given: told } = await (await scene({ store })).rewards.view();
    return [told.length, told.at(-1)?.atMs];
  };
  expect(await given(most)).toEqual([most, 0]);
  expect(await given(most + 1)).toEqual([most, 1]);
});
