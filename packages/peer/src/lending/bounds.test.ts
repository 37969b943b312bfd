import { createIdentity, type PeerId, serveMethod } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryStore,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair } from '../testing/steps.ts';
import { createDesk } from './desk.ts';
import { heldElsewhere, heldMethod } from './elsewhere.ts';
import { borrowRequestSchema, type BorrowRequest, lendRequestSchema } from './lending.schema.ts';
import { lendingLimits as limits } from './limits.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const identityOf = (seed: number) => createIdentity(nodeCrypto, seededRandom(seed).bytes(32));

const [one, other] = [identityOf(1), identityOf(2)];

test('the question for what somebody holds goes to `lendersAskedMax` others', async () => {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(6) });
  const mine = networks.join(one.peer, { isGranted: () => true });
  const asked: PeerId[] = [];
  const lenders = Array.from({ length: limits.lendersAskedMax + 1 }, (_, index) => identityOf(10 + index).peer);
  for (const peer of lenders)
    serveMethod(networks.join(peer, { isGranted: () => true }), heldMethod, async () => {
      asked.push(peer);
      return { leases: [] };
    });
  const askFor = (count: number) =>
    clock.until(
      heldElsewhere(
        {
          self: one.peer,
          network: mine,
          clock,
          crypto: nodeCrypto,
          logger: silentLogger,
          devices: {
            list: () => lenders.slice(0, count).map((peer) => ({ peer, blocked: false, addresses: [] })),
          } as never,
          isOnline: () => true,
          stopping: live(),
        },
        other.peer,
      ),
    );
  await askFor(limits.lendersAskedMax);
  expect(new Set(asked).size).toBe(limits.lendersAskedMax);
  asked.length = 0;
  await askFor(limits.lendersAskedMax + 1);
  expect(new Set(asked).size).toBe(limits.lendersAskedMax);
});

describe('a lender looks', () => {
  /** At one lease, as somebody may have left it; what becomes of it is told. */
  function desk(lease: { readonly state: string; readonly heardMs?: number; readonly endedMs?: number }) {
    const clock = new ManualClock(0);
    const [store, told] = [new MemoryStore(), [] as string[]];
    const { state, heardMs = 0, endedMs } = lease;
    const terms = { minutes: 1_440, nodes: 1 };
    const record = { id: 'ab', peer: other.peer, terms, sinceMs: 0, heardMs, endedMs } as const;
    const progress = { role: 'lender', state, signed: { n: 0 } };
    const note = (what: string) => async () => {
      told.push(`${what} ${clock.nowMs()}`);
      return { ...record, progress: { ...progress, state: 'over' } };
    };
    const book = { list: () => [{ ...record, progress }], end: note('end'), dispute: note('dispute') };
    const made = createDesk({ clock, store, book, changed: () => undefined } as never);
    return { clock, store, told, look: () => made.look() };
  }
  test('for a borrower that is silent: after `idleMs` its nodes come back, not before', async () => {
    const { clock, told, look } = desk({ state: 'active' });
    await clock.advance(limits.idleMs - 1);
    await look();
    expect(told).toEqual([]);
    await clock.advance(1);
    await look();
    expect(told).toEqual([`end ${limits.idleMs}`]);
  });

  test('after what is over: for `keptMs` its state stays, and no longer', async () => {
    const { clock, store, look } = desk({ state: 'settled', endedMs: 0 });
    await store.commit([store.put('state/ab', Uint8Array.of(1)), store.put('answer/ab', Uint8Array.of(1))]);
    for (const [ms, isKept] of [
      [limits.keptMs - 1, true],
      [1, false],
    ] as const) {
      await clock.advance(ms);
      await look();
      for (const key of ['state/ab', 'answer/ab']) expect((await store.get(key)) !== undefined).toBe(isKept);
    }
  });
});

describe('a borrowed job', () => {
  const started: TestPeer[] = [];
  afterEach(async () => {
    for (const { peer } of started.splice(0)) await peer.stop();
  });
  async function two(latencyMs = 0) {
    const world = testWorld({ latencyMs });
    const lender = await world.peer('lender', { seed: 1, machine: () => ({ busyMs: 0, totalMs: 1_000, memory: 0.5 }) });
    const borrower = await world.peer('borrower', { seed: 2 });
    started.push(lender, borrower);
    await pair(world, lender, borrower, ['chat', 'borrow']);
    await lender.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: 64 }));
    const borrow = (wish: Partial<BorrowRequest> = {}) =>
      borrower.peer.nodeLending.borrow(
        borrowRequestSchema.parse({
          peer: 'lender',
          minutes: 10,
          cluster: { nodes: 2, outputs: 1, seed: 3 },
          vectors: [[1, -1]],
          ...wish,
        }),
        live(),
      );
    return { world, lender, borrower, borrow };
  }

  test('has `jobValuesMax` numbers at most', async () => {
    const { world, borrow } = await two();
    const inputs = 256;
    const vectors = (count: number) => Array.from({ length: count }, () => Array.from({ length: inputs }, () => 0.5));
    const most = limits.jobValuesMax / inputs;
    const { result } = await world.clock.until(borrow({ vectors: vectors(most) }));
    expect(result?.outputs).toHaveLength(most);
    await expect(world.clock.until(borrow({ vectors: vectors(most + 1) }))).rejects.toThrow(code('LIMIT_EXCEEDED'));
  });

  test('keeps the results of the newest `resultsKept`', async () => {
    const { world, borrower, borrow } = await two();
    for (let count = 0; count < limits.resultsKept; count += 1) await world.clock.until(borrow());
    const kept = async () => {
      const { leases } = await borrower.peer.nodeLending.list();
      const details = await Promise.all(leases.map(({ id }) => borrower.peer.nodeLending.get(id)));
      return details.filter(({ result }) => result !== undefined).length;
    };
    expect(await kept()).toBe(limits.resultsKept);
    await world.clock.until(borrow());
    expect(await kept()).toBe(limits.resultsKept);
    expect((await borrower.peer.nodeLending.list()).leases).toHaveLength(limits.resultsKept + 1);
  });

  test.each([
    ['offerMs', 'before its yes', limits.offerMs, { state: 'offered', runs: 0 }],
    ['lostMs', 'at work', limits.lostMs, { state: 'active', runs: 1 }],
  ] as const)('is given up `%s` after the lender was lost %s', async (_, __, ms, when) => {
    const { world, lender, borrower, borrow } = await two(100);
    const vectors = Array.from({ length: 4_096 }, () => [1, -1]);
    let ended: unknown;
    borrow({ cluster: { nodes: 32, outputs: 1, seed: 3 }, vectors }).catch((error: unknown) => (ended = error));
    const isThere = async (): Promise<boolean> => {
      const [lease] = (await borrower.peer.nodeLending.list()).leases;
      return lease?.state === when.state && lease.runs >= when.runs;
    };
    for (let tries = 0; tries < 1_000 && !(await isThere()); tries += 1) await world.clock.advance(20);
    expect(await isThere()).toBe(true);
    world.networks.cut(borrower.identity.peer, lender.identity.peer);
    // It is tried every `againMs`, as long as a next try comes in time; then the lender is told, if it is there.
    await world.clock.advance(ms - limits.againMs - 100);
    expect(ended).toBeUndefined();
    await world.clock.advance(2 * limits.againMs + 100);
    expect(ended).toEqual(code('PEER_UNREACHABLE'));
  });
});
