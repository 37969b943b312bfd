import { afterEach, describe, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair } from '../testing/steps.ts';
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
});
