import {
  callMethod,
  createIdentity,
  equalBytes,
  fromBase64Url,
  nobleCrypto,
  PeerAiError,
  type PeerId,
  toHex,
} from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { type Cluster, createCluster, restoreCluster } from '@peerai/nn-engine/cluster';
import { afterEach, describe, expect, test } from 'vitest';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import type { MachineReading } from './gauge.ts';
import { borrowRequestSchema, type BorrowRequest, lendRequestSchema, type LendRequest } from './lending.schema.ts';
import { nodesMethod, plainQuestion, leaseMethod } from './lending-protocol.ts';
import { lendingLimits as limits } from './limits.ts';
import { encodeNumbers } from './work.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
/** A machine of which each look sees so much more busy and all time. */
function machine(busy: number, memory = 0.5): () => MachineReading {
  let looks = 0;
  return () => {
    looks += 1;
    return { busyMs: looks * busy * 1_000, totalMs: looks * 1_000, memory };
  };
}
async function town(count: number, lend: LendRequest | 'nothing' = { nodes: 64 }, latencyMs = 0) {
  const world = testWorld({ latencyMs });
  const lender = await world.peer('lender', { seed: 1, machine: machine(0.2) });
  const others: TestPeer[] = [];
  started.push(lender);
  for (let index = 1; index < count; index += 1) {
    const one = await world.peer(`b${index}`, { seed: index + 1 });
    others.push(one);
    started.push(one);
    await pair(world, lender, one, ['chat', 'borrow']);
  }
  if (lend !== 'nothing') await lender.peer.nodeLending.lend(lendRequestSchema.parse(lend));
  const at = (index: number): TestPeer => others[index] ?? lender;
  return { world, lender, at };
}
const vectorsOf = (count: number, inputs = 2): number[][] => {
  const bytes = seededRandom(5).bytes(count * inputs);
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: inputs }, (_unused, column) => (bytes[row * inputs + column] ?? 0) / 32 - 4),
  );
};
const wishOf = (wish: Partial<BorrowRequest> = {}) =>
  borrowRequestSchema.parse({
    peer: 'lender',
    minutes: 10,
    cluster: { nodes: 16, outputs: 2, seed: 3 },
    vectors: vectorsOf(40),
    ...wish,
  });
const borrow = (world: TestWorld, { peer }: TestPeer, wish?: Partial<BorrowRequest>, signal = live()) =>
  world.clock.until(peer.nodeLending.borrow(wishOf(wish), signal));
const code = (expected: string) => expect.objectContaining({ code: expected });
const accountOf = async ({ peer }: TestPeer, of: PeerId) =>
  (await peer.nodeLending.list()).accounts.find(({ peerId }) => peerId === of);
const only = async ({ peer }: TestPeer) => {
  const [lease] = (await peer.nodeLending.list()).leases;
  if (lease === undefined) throw new Error('there is no lease');
  return lease;
};
/** One way, so that a job takes its time on a clock that a test moves. */
const lineMs = 100;
/** What came back is what comes of it here, to the bit. */
const isSame = (outputs: readonly (readonly number[])[] = [], vectors: readonly number[][], home: Cluster): boolean =>
  outputs.length === vectors.length &&
  equalBytes(encodeNumbers(outputs.flat()), encodeNumbers(vectors.flatMap((vector) => [...home.process(vector)])));
/** It has an answer, and more to come. */
const atWork = async ({ peer }: TestPeer) => {
  const [lease] = (await peer.nodeLending.list()).leases;
  return lease?.state === 'active' && lease.runs > 0 && lease.steps < 4_096;
};
/** What the borrower lost to the lender, and the lender gained from it. */
const moved = async (lender: TestPeer, one: TestPeer) => [
  (await accountOf(one, lender.identity.peer))?.paidMicro,
  (await accountOf(lender, one.identity.peer))?.earnedMicro,
];

describe('a borrowed node', () => {
  test('does the work that would be done at home, to the bit, and its cluster comes back', async () => {
    const { world, lender, at } = await town(2);
    const vectors = vectorsOf(40);
    const home = createCluster({ nodes: 16, inputs: 2, outputs: 2, seed: 3 });
    const outputs = vectors.map((vector) => [...home.process(vector)]);
    const { lease, result } = await borrow(world, at(0));
    expect(lease).toMatchObject({
      role: 'borrower',
      state: 'settled',
      nodes: 16,
      runs: 1,
      steps: 40,
      peerName: 'lender',
    });
    expect(result?.outputs).toEqual(outputs);
    expect(outputs.flat().some((value) => value !== 0)).toBe(true);
    expect(fromBase64Url(result?.state ?? '')).toEqual(home.encode());
    expect(result?.stateSha256).toBe(toHex(nobleCrypto.sha256(home.encode())));
    expect(await only(lender)).toMatchObject({ role: 'lender', state: 'settled', steps: 40, peerName: 'b1' });
    // The cluster that came back goes on where it stood.
    const more = await borrow(world, at(0), { cluster: { state: result?.state ?? '' }, vectors: [[1, -1]] });
    expect(more.result?.outputs).toEqual([[...restoreCluster(home.encode()).process([1, -1])]]);
  });

  test('is leased run by run where one run cannot hold the vectors', async () => {
    const { world, at, lender } = await town(2, { nodes: 1_024, each: 1_024 });
    const vectors = vectorsOf(100);
    const wish = { cluster: { nodes: 512, seed: 2 }, vectors };
    const { lease, result } = await borrow(world, at(0), wish);
    const home = createCluster({ nodes: 512, inputs: 2, outputs: 1, seed: 2 });
    expect(isSame(result?.outputs, vectors, home)).toBe(true);
    expect([lease.runs > 1, lease.steps, (await only(lender)).runs]).toEqual([true, 100, lease.runs]);
  });

  test('costs what its time is worth, in both books alike, and both logs have the lease and its receipt', async () => {
    const { world, lender, at } = await town(2, { nodes: 64, credits: '3.6' }, lineMs);
    const { lease } = await borrow(world, at(0));
    // 16 nodes × 10 minutes at 3.6 credits for a node and an hour.
    expect(lease.priceMicro).toBe('9600000');
    expect(lease.heldMs).toBeGreaterThanOrEqual(2 * lineMs);
    const due = (9_600_000n * BigInt(lease.heldMs) + 599_999n) / 600_000n;
    expect(lease.paidMicro).toBe(`${due}`);
    expect(await moved(lender, at(0))).toEqual([`${due}`, `${due}`]);
    for (const { peer } of [lender, at(0)]) {
      const { entries } = await peer.books.entries({});
      expect(entries.map(({ kind }) => kind)).toEqual(['lease', 'lease-receipt']);
    }
  });
});

describe('who may borrow what', () => {
  test('nothing is lent before the owner says so, and what he says outlives a restart', async () => {
    const { world, lender, at } = await town(2, 'nothing');
    await expect(borrow(world, at(0))).rejects.toThrow(code('LENDING_OFF'));
    expect((await world.clock.until(at(0).peer.nodeLending.free(live()))).peers).toEqual([]);
    await lender.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: 20, credits: '0.25', minutesMax: 5 }));
    const store = world.kill(lender);
    const again = await world.peer('lender', { seed: 1, store, machine: machine(0.2) });
    started[0] = again;
    expect(await again.peer.nodeLending.own()).toMatchObject({
      lending: true,
      nodes: 20,
      each: 10,
      nodeHourMicro: '250000',
    });
    await again.peer.nodeLending.stopLending();
    expect(await again.peer.nodeLending.own()).toMatchObject({ lending: false, nodes: 0, free: 0 });
  });

  test('who has not the right is refused, a stranger is not heard', async () => {
    const { world, lender, at } = await town(2);
    await lender.peer.peers.change('b1', { allow: ['chat', 'tasks', 'train', 'memory', 'route'] });
    await expect(borrow(world, at(0))).rejects.toThrow(code('NOT_GRANTED'));
    const ask = { ...plainQuestion, kind: 'offer' as const };
    const call = callMethod(
      { network: world.networks.join(createIdentity(nobleCrypto, seededRandom(9).bytes(32)).peer), clock: world.clock },
      lender.identity.peer,
      leaseMethod,
      ask,
      { signal: live() },
    );
    await expect(world.clock.until(call)).rejects.toThrow(code('REFUSED'));
  });

  test('a price above what the borrower is ready to pay, and a time above what is lent, are refused', async () => {
    const { world, at } = await town(2, { nodes: 64, credits: '0.5', minutesMax: 10 });
    await expect(borrow(world, at(0), { creditsMax: '0.499999' })).rejects.toThrow(code('PRICE_TOO_HIGH'));
    await expect(borrow(world, at(0), { minutes: 11 })).rejects.toThrow(code('LIMIT_EXCEEDED'));
    expect((await borrow(world, at(0), { creditsMax: '0.5', minutes: 10 })).lease.state).toBe('settled');
    // What was refused is back.
    expect((await at(0).peer.nodeLending.list()).accounts[0]).toMatchObject({ lockedByUsMicro: '0' });
  });
});

describe('when a side is gone', () => {
  test('the time gives the nodes back, and the unused part of the price', async () => {
    const { world, lender, at } = await town(2, { nodes: 32, credits: '1' }, lineMs);
    const one = at(0);
    const answered = until(world.clock, () => atWork(one));
    const vectors = vectorsOf(4_100);
    const running = one.peer.nodeLending.borrow(wishOf({ vectors }), live()).catch((error: unknown) => error);
    await answered;
    world.kill(one);
    started.splice(started.indexOf(one), 1);
    expect((await lender.peer.nodeLending.own()).free).toBe(16);
    for (let minute = 0; minute < 3; minute += 1)
      for (let second = 0; second < 60; second += 1) await world.clock.advance(1_000);
    expect((await lender.peer.nodeLending.own()).free).toBe(32);
    const lease = await only(lender);
    expect(BigInt(lease.paidMicro) + BigInt(lease.lockedMicro) + BigInt(lease.refundedMicro)).toBe(
      BigInt(lease.priceMicro),
    );
    expect(BigInt(lease.refundedMicro) > 0n).toBe(true);
    void running;
  });

  test('a lender that is killed and comes back goes on from its last answer, and nothing is done or paid twice', async () => {
    const { world, lender, at } = await town(2, { nodes: 32, credits: '1' }, lineMs);
    const one = at(0);
    const vectors = vectorsOf(4_100);
    const running = one.peer.nodeLending.borrow(wishOf({ vectors }), live());
    await until(world.clock, () => atWork(one));
    const store = world.kill(lender);
    const again = await world.peer('lender', { seed: 1, store, machine: machine(0.2) });
    started[0] = again;
    const { lease, result } = await world.clock.until(running);
    const home = createCluster({ nodes: 16, inputs: 2, outputs: 2, seed: 3 });
    expect(isSame(result?.outputs, vectors, home)).toBe(true);
    expect(lease).toMatchObject({ state: 'settled', steps: 4_100 });
    expect(await only(again)).toMatchObject({ state: 'settled', steps: 4_100, paidMicro: lease.paidMicro });
    const [lost, gained] = await moved(again, one);
    expect(lost).toBe(gained);
  });

  test('a borrower that is killed and comes back ends its job, and has all results', async () => {
    const { world, lender, at } = await town(2, { nodes: 32, credits: '1' }, lineMs);
    const one = at(0);
    const vectors = vectorsOf(4_100);
    void one.peer.nodeLending.borrow(wishOf({ vectors }), live()).catch(() => undefined);
    await until(world.clock, () => atWork(one));
    const store = world.kill(one);
    const back = await world.peer('b1', { seed: 2, store });
    started[1] = back;
    const lease = await until(world.clock, async () => {
      const found = await only(back);
      return found.state === 'settled' && found;
    });
    const { result } = await back.peer.nodeLending.get(lease.id);
    const home = createCluster({ nodes: 16, inputs: 2, outputs: 2, seed: 3 });
    expect(isSame(result?.outputs, vectors, home)).toBe(true);
    const [lost, gained] = await moved(lender, back);
    expect([lost, (await only(lender)).state]).toEqual([gained, 'settled']);
  });

  test('a borrower that stops asking pays for what it got', async () => {
    const { world, lender, at } = await town(2, { nodes: 32, credits: '1' }, lineMs);
    const stop = new AbortController();
    const running = at(0).peer.nodeLending.borrow(wishOf({ vectors: vectorsOf(4_100) }), stop.signal);
    const failed = running.catch((error: unknown) => error);
    await until(world.clock, () => atWork(at(0)));
    stop.abort();
    await until(world.clock, async () => !['active', 'closing'].includes((await only(lender)).state));
    expect(PeerAiError.is(await world.clock.until(failed), 'ABORTED')).toBe(true);
    const [lost, gained] = await moved(lender, at(0));
    expect(lost).toBe(gained);
    expect((await lender.peer.nodeLending.own()).free).toBe(32);
  });

  test('who may not borrow any more gives back what it has', async () => {
    const { world, lender, at } = await town(2, { nodes: 32 }, lineMs);
    const running = borrow(world, at(0), { vectors: vectorsOf(4_100) }).catch((error: unknown) => error);
    await until(world.clock, () => atWork(at(0)));
    await lender.peer.peers.change('b1', { allow: ['chat'] });
    expect(await running).toMatchObject({ code: 'NOT_GRANTED' });
    await until(world.clock, async () => (await lender.peer.nodeLending.own()).free === 32);
    const [lost, gained] = await moved(lender, at(0));
    expect(lost).toBe(gained);
  });
});

describe('free nodes', () => {
  const search = async (world: TestWorld, one: TestPeer) =>
    (await world.clock.until(one.peer.nodeLending.free(live()))).peers;

  test('are those of machines that were measured and found below the limits', async () => {
    const { world, at } = await town(2, { nodes: 8, credits: '0.5' });
    expect((await search(world, at(0)))[0]).toMatchObject({ isFree: false, why: ['nothing was measured'] });
    await world.clock.advance(limits.measureEveryMs);
    const [found] = await search(world, at(0));
    expect(found).toMatchObject({ name: 'lender', nodes: 8, free: 4, nodeHourMicro: '500000', isFree: true, why: [] });
    expect([found?.load, found?.processor, found?.memory, found?.windowMs]).toEqual([
      0,
      0.2,
      0.5,
      limits.measureEveryMs,
    ]);
    await world.clock.advance(2_000);
    expect((await search(world, at(0)))[0]?.agoMs).toBe(2_000);
  });

  test('are asked of devices that are here; one that refuses is named', async () => {
    const { world, lender, at } = await town(2);
    await lender.peer.peers.change('b1', { allow: ['chat'] });
    const { unanswered, peers } = await world.clock.until(at(0).peer.nodeLending.free(live()));
    expect([peers, unanswered]).toMatchObject([[], [{ name: 'lender', code: 'NOT_GRANTED' }]]);
    expect(nodesMethod.protocol.access).toBe('granted');
  });
});
