import { concatBytes } from '@peerai/core-protocol';
import { MemoryShelf, seededRandom } from '@peerai/core-protocol/testing';
// What is loaded when it is used is loaded here before: a test's clock runs on while the disk reads a module.
import '../ledger/log-room.ts';
import '../market/room.ts';
import '../own/own-room.ts';
import '../reputation/reputation-room.ts';
import '../storage/storage-room.ts';
import { storageLimits as limits } from '../storage/limits.ts';
import {
  type StorageLeaseRequest,
  storageLeaseRequestSchema,
  type StorageOfferRequest,
  storageOfferRequestSchema,
} from '../storage/storage.schema.ts';
import { type TestPeer, testWorld } from './peers.ts';
import { whileTimeGoes } from './real-time.ts';
import { live, until } from './steps.ts';

export const mib = 1_048_576;
/** A file of two chunks. */
export const content = seededRandom(5).bytes(limits.chunkBytes + 1_000);
/** Whoever runs now; ended after each test. */
export const started: TestPeer[] = [];
export async function closeFair(): Promise<void> {
  for (const { peer } of started.splice(0)) await peer.stop();
}
export async function* pieces(whole: Uint8Array, size = 100_000) {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

/** A lender with 8 MiB at a credit for a MiB and an hour, and a borrower that may lease and nothing else. */
export async function fair(offer: Partial<StorageOfferRequest> = {}) {
  const world = testWorld();
  const shelf = new MemoryShelf();
  const lender = await world.peer('lender', { seed: 1, shelf });
  const borrower = await world.peer('borrower', { seed: 2, engine: false, shelf: new MemoryShelf() });
  started.push(lender, borrower);
  const { link } = await lender.peer.pairing.invite(['borrow']);
  const pending = await whileTimeGoes(world.clock, borrower.peer.pairing.join(link, live()));
  await whileTimeGoes(world.clock, lender.peer.pairing.accept(pending.id));
  await until(world.clock, () => borrower.peer.peers.list().some(({ state }) => state === 'online'));
  await lender.peer.market.storage.offer(storageOfferRequestSchema.parse({ bytes: 8 * mib, credits: '1', ...offer }));
  const lease = async (wish: Partial<StorageLeaseRequest> = {}) => {
    const asked = storageLeaseRequestSchema.parse({ peer: 'lender', bytes: 2 * mib, minutes: 120, ...wish });
    return (await whileTimeGoes(world.clock, borrower.peer.market.storage.lease(asked, live()))).lease;
  };
  const put = (id: string, name = 'notes.bin', whole = content, by = borrower) =>
    whileTimeGoes(world.clock, by.peer.market.storage.put(id, name, pieces(whole), live()));
  const prove = (id: string, by = borrower) => whileTimeGoes(world.clock, by.peer.market.storage.prove(id, live()));
  return { world, shelf, lender, borrower, lease, put, prove };
}
export const fetched = async (world: Awaited<ReturnType<typeof fair>>['world'], { peer }: TestPeer, name: string) => {
  const reading = async () => {
    const parts: Uint8Array[] = [];
    for await (const part of (await peer.market.storage.read(name, live())).bytes) parts.push(part);
    return concatBytes(...parts);
  };
  return whileTimeGoes(world.clock, reading());
};
export const only = async ({ peer }: TestPeer) => {
  const [lease] = (await peer.market.view()).leases;
  if (lease === undefined) throw new Error('there is no lease');
  return lease;
};
