import { createIdentity, type Identity, type PeerId, serveMethod } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryStore,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { leaseMs, openLeaseBook } from '@peerai/ledger/lease';
import { expect, test } from 'vitest';
import { live } from '../testing/steps.ts';
import { heldElsewhere, heldMethod } from './elsewhere.ts';
import { lendingLimits as limits } from './limits.ts';

const clock = new ManualClock();
const [lender, liar, borrower, somebody] = [1, 2, 3, 4].map((seed) =>
  createIdentity(nodeCrypto, seededRandom(seed).bytes(32)),
) as [Identity, Identity, Identity, Identity];
const bookOf = (identity: Identity) =>
  openLeaseBook({
    identity,
    crypto: nodeCrypto,
    clock,
    random: seededRandom(5),
    store: new MemoryStore(),
    ledger: { append: async () => ({}) } as never,
  });
const books = new Map(
  await Promise.all([lender, liar, borrower, somebody].map(async (one) => [one, await bookOf(one)] as const)),
);

/** As the borrower offers it, and as both sign it. */
async function lease(from: Identity, to: Identity, nodes: number) {
  const offered = await books.get(from)!.offer({ lender: to.peer, nodes, minutes: 10, price: 0n }, () => []);
  const accepted = await books.get(to)!.accept(offered.lease);
  return { half: offered.lease, full: accepted.lease, terms: accepted.terms };
}

test('what another lender shows counts as far as the borrower signed it there, once, and within its time', async () => {
  const networks = createMemoryNetworks({ clock, random: seededRandom(6) });
  const mine = networks.join(lender.peer, { isGranted: () => true });
  const theirs = networks.join(liar.peer, { isGranted: () => true });
  let shown: Uint8Array[] = [];
  serveMethod(theirs, heldMethod, async () => ({ leases: shown }));
  const device = (peer: PeerId, blocked = false) => ({ peer, blocked, addresses: [] });
  let devices = [device(liar.peer), device(borrower.peer)];
  const deps = {
    self: lender.peer,
    network: mine,
    clock,
    crypto: nodeCrypto,
    logger: silentLogger,
    devices: { list: () => devices } as never,
    isOnline: () => true,
    stopping: live(),
  };
  const held = () => clock.until(heldElsewhere(deps, borrower.peer));
  const real = await lease(borrower, liar, 12);
  const other = await lease(borrower, liar, 3);
  shown = [real.full, real.full, other.full];
  expect(await held()).toBe(15);
  // Not signed by both, with another lender, of another borrower: none of it is a debt.
  shown = [real.half, (await lease(borrower, lender, 5)).full, (await lease(somebody, liar, 7)).full];
  expect(await held()).toBe(0);
  shown = [Uint8Array.from(real.full).fill(1, 40, 44), other.full];
  expect(await held()).toBe(0);
  shown = Array.from({ length: limits.toldLeasesMax }, () => real.full);
  expect(await held()).toBe(12);
  devices = [device(liar.peer, true)];
  expect(await held()).toBe(0);
  devices = [device(liar.peer)];
  await clock.advance(leaseMs(real.terms) - 1);
  expect(await held()).toBe(12);
  await clock.advance(1);
  expect(await held()).toBe(0);
});
