import { afterEach, describe, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { borrowRequestSchema, lendRequestSchema } from './lending.schema.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});

describe('competing jobs', () => {
  test('of several borrowers hold together what is lent at the most, each its share, and all are done in the end', async () => {
    const world = testWorld({ latencyMs: 50 });
    const lender = await world.peer('lender', { seed: 1 });
    started.push(lender);
    const borrowers: TestPeer[] = [];
    for (const seed of [2, 3, 4]) {
      const one = await world.peer(`b${seed}`, { seed });
      borrowers.push(one);
      started.push(one);
      await pair(world, lender, one, ['chat', 'borrow']);
    }
    const [quota, each] = [48, 32];
    await lender.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: quota, each, credits: '0' }));
    const vectors = Array.from({ length: 300 }, (_, row) => [row % 7, row % 5]);
    const wish = borrowRequestSchema.parse({ peer: 'lender', minutes: 10, cluster: { nodes: 16 }, vectors });
    let [heldMost, heldByOneMost, refused] = [0, 0, 0];
    const look = async (): Promise<void> => {
      const { leases } = await lender.peer.nodeLending.list();
      const held = leases.filter(({ state }) => state === 'active');
      const nodesOf = (some: typeof held): number => some.reduce((sum, { nodes }) => sum + nodes, 0);
      heldMost = Math.max(heldMost, nodesOf(held));
      for (const { identity } of borrowers)
        heldByOneMost = Math.max(heldByOneMost, nodesOf(held.filter(({ peerId }) => peerId === identity.peer)));
    };
    /** Two jobs of each, tried again while there are no nodes for them. */
    const job = async ({ peer }: TestPeer): Promise<number> => {
      for (;;) {
        try {
          return (await peer.nodeLending.borrow(wish, live())).result?.vectors ?? 0;
        } catch (error) {
          if ((error as { code?: string }).code !== 'NODES_TAKEN') throw error;
          refused += 1;
          await world.clock.sleep(200);
        }
      }
    };
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const all = Promise.all(borrowers.flatMap((one) => [job(one), job(one)])).finally(end);
    const looking = async (): Promise<void> => {
      for (;;) {
        await look();
        const isOver = await Promise.race([over.then(() => true), world.clock.sleep(50).then(() => false)]);
        if (isOver) return;
      }
    };
    const watched = looking();
    expect(await world.clock.until(all)).toEqual(Array.from({ length: 6 }, () => 300));
    await world.clock.until(watched);
    expect([heldMost, heldByOneMost, refused > 0]).toEqual([quota, each, true]);
  });

  test('at lenders that count together a borrower holds no more than they allow, whoever it asks', async () => {
    const world = testWorld({ latencyMs: 50 });
    const [one, two, alone, borrower] = [
      await world.peer('one'),
      await world.peer('two'),
      await world.peer('alone'),
      await world.peer('borrower'),
    ];
    started.push(one, two, alone, borrower);
    for (const lender of [one, two, alone]) await pair(world, lender, borrower, ['chat', 'borrow']);
    await pair(world, one, two);
    await pair(world, two, alone);
    const lend = ({ peer }: TestPeer, everywhere?: number) =>
      peer.nodeLending.lend(
        lendRequestSchema.parse({
          nodes: 64,
          each: 64,
          credits: '0',
          ...(everywhere === undefined ? {} : { everywhere }),
        }),
      );
    expect(await lend(one, 24)).toMatchObject({ everywhere: 24 });
    await lend(two, 24);
    expect(await lend(alone)).toMatchObject({ everywhere: null });
    const vectors = Array.from({ length: 20_000 }, () => [1]);
    const ask = (peer: string, nodes: number, rows = vectors.slice(0, 2)) =>
      borrower.peer.nodeLending.borrow(
        borrowRequestSchema.parse({ peer, minutes: 10, cluster: { nodes }, vectors: rows }),
        live(),
      );
    const codeOf = (work: Promise<unknown>) =>
      world.clock.until(
        work.then(
          () => 'done',
          (error: unknown) => error as { code?: string; message?: string },
        ),
      );
    // A job that is under way holds 12 nodes at "one".
    const stop = new AbortController();
    const long = borrower.peer.nodeLending
      .borrow(borrowRequestSchema.parse({ peer: 'one', minutes: 10, cluster: { nodes: 12 }, vectors }), stop.signal)
      .catch(() => 'stopped');
    const heldAt = async ({ peer }: TestPeer) =>
      (await peer.nodeLending.list()).leases.filter(({ state, role }) => state === 'active' && role === 'lender')
        .length;
    await until(world.clock, async () => (await heldAt(one)) === 1);
    // Its borrower is gone: the nodes are held until the lender finds it idle.
    world.networks.cut(one.identity.peer, borrower.identity.peer);
    expect(await codeOf(ask('two', 13))).toMatchObject({
      code: 'NODES_TAKEN',
      message: expect.stringContaining('12 elsewhere'),
    });
    expect(await codeOf(ask('two', 12))).toBe('done');
    // Who counts alone knows nothing of it, and is not told.
    expect(await codeOf(ask('alone', 40))).toBe('done');
    // A lender that is away is not counted.
    world.networks.cut(one.identity.peer, two.identity.peer);
    await world.clock.advance(100);
    expect(await codeOf(ask('two', 20))).toBe('done');
    world.networks.heal(one.identity.peer, two.identity.peer);
    stop.abort();
    await world.clock.until(long);
  });
});
