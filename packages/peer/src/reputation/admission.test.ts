import { MemoryShelf } from '@peerai/core-protocol/testing';
import { reputationLimits } from '@peerai/ledger/reputation';
import { afterEach, expect, test } from 'vitest';
import { borrowRequestSchema, lendRequestSchema } from '../lending/lending.schema.ts';
import { leaseRequestSchema, offerRequestSchema } from '../market/market.schema.ts';
import { storageLeaseRequestSchema, storageOfferRequestSchema } from '../storage/storage.schema.ts';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
// Loaded before: a test's clock runs on while the disk reads a module.
import '../ledger/log-room.ts';
import '../lending/room.ts';
import '../market/room.ts';
import '../own/own-room.ts';
import '../storage/storage-room.ts';
import './reputation-room.ts';
import { standingLimits as limits } from './limits.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });

/** A peer that lends all there is, and one that may have it. */
async function fair(admissionMin?: number) {
  const world = testWorld();
  const settings = admissionMin === undefined ? {} : { admissionMin };
  const lender = await world.peer('lender', { seed: 1, shelf: new MemoryShelf(), settings });
  const borrower = await world.peer('borrower', { seed: 2, shelf: new MemoryShelf() });
  started.push(lender, borrower);
  await pair(world, lender, borrower, ['chat', 'borrow']);
  await lender.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: 64 }));
  await lender.peer.market.offer(offerRequestSchema.parse({ model: 'echo', credits: '1' }));
  await lender.peer.market.storage.offer(storageOfferRequestSchema.parse({ bytes: 1_000_000, credits: '0.001' }));
  const { market, nodeLending } = borrower.peer;
  const leases = {
    nodes: () =>
      nodeLending.borrow(
        borrowRequestSchema.parse({ peer: 'lender', cluster: { nodes: 2 }, vectors: [[1, -1]] }),
        live(),
      ),
    model: () => market.lease(leaseRequestSchema.parse({ peer: 'lender', model: 'echo', tokens: 1_000 }), live()),
    storage: () =>
      market.storage.lease(storageLeaseRequestSchema.parse({ peer: 'lender', bytes: 1_000, minutes: 60 }), live()),
  };
  const lease = (kind: keyof typeof leases) => world.clock.until(leases[kind]().then(({ lease: { state } }) => state));
  const score = async () => (await lender.peer.reputation.get('borrower')).reputation.score;
  const disputes = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) lender.peer.reputation.note(borrower.identity.peer, 'disputed', `told/${n}`);
    await until(world.clock, async () => {
      const { lines } = (await lender.peer.reputation.get('borrower')).reputation;
      return lines.some(({ reason, times: seen }) => reason === 'disputed' && seen === times);
    });
  };
  return { lender, lease, score, disputes };
}

test('who is new gets leases of all kinds, and who fell below the floor no new one, while what it has goes on', async () => {
  const { lender, lease, score, disputes } = await fair();
  expect(await lease('model')).toBe('active');
  expect(await lease('nodes')).toBe('settled');
  await disputes(6);
  expect(await score()).toBeLessThan(limits.admissionMin);
  for (const kind of ['nodes', 'model', 'storage'] as const)
    await expect(lease(kind)).rejects.toMatchObject({
      code: 'REPUTATION_LOW',
      message: expect.stringContaining('peerai peers reputation') as string,
    });
  const { leases } = await lender.peer.market.view();
  expect(leases.map(({ state }) => state)).toEqual(['active']);
  expect(await lender.peer.reputation.list()).toMatchObject({ admissionMin: limits.admissionMin });
  // It is not refused: only a worse name is.
  expect((await lender.peer.reputation.get('borrower')).reputation.refused).toBeNull();
});

test.each([
  [0, 4, 'storage', 'active'],
  [limits.unknownScore, 0, 'storage', 'active'],
  [limits.unknownScore + 0.001, 0, 'storage', 'REPUTATION_LOW'],
] as const)('with a floor of %f and %i disputes a lease of %s is %s', async (floor, times, kind, outcome) => {
  const { lease, disputes } = await fair(floor);
  if (times > 0) await disputes(times);
  const answered = await lease(kind).catch((error: unknown) => error);
  expect(answered).toEqual(outcome === 'active' ? outcome : code(outcome));
});

test('who nothing is known of stands as a stranger does in the books', () => {
  expect(limits.unknownScore).toBe(reputationLimits.strangerScore);
});
