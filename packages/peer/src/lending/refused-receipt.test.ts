import { nobleCrypto, serveMethod, toHex } from '@peerai/core-protocol';
import { memoryWorld, MemoryStore } from '@peerai/core-protocol/testing';
import {
  acceptLease,
  issueLeaseReceipt,
  leaseDue,
  type LeaseReceipt,
  nextWorkHash,
  openLease,
} from '@peerai/ledger/lease';
import { checkEvidence, judgeLease } from '@peerai/ledger/market';
import { afterEach, expect, test } from 'vitest';
import { peerMarketLimits as limits } from '../market/limits.ts';
import { keptProofs } from '../store/kept-proofs.ts';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
// Loaded before: a test's clock runs on while the disk reads a module.
import '../ledger/log-room.ts';
import '../market/room.ts';
import '../own/own-room.ts';
import '../reputation/reputation-room.ts';
import './room.ts';
import { borrowRequestSchema } from './lending.schema.ts';
import { leaseMethod, nodesMethod, plainAnswer } from './lending-protocol.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });

/** A lender with the right key that signs receipts of its own making. */
async function liar(change: (honest: LeaseReceipt) => Partial<LeaseReceipt>) {
  const world = testWorld();
  const [lender, borrower] = [await world.peer('lender', { seed: 1 }), await world.peer('borrower', { seed: 2 })];
  started.push(borrower);
  await pair(world, lender, borrower, ['chat', 'borrow']);
  world.kill(lender);
  const { clock, networks } = world;
  const facts = { seed: 77, identity: lender.identity, clock, networks, isGranted: () => true };
  const { network, identity } = memoryWorld(facts);
  const said = { nodes: 64, free: 64, nodeHour: 1_000_000n, minutesMax: 60, agoMs: 0, windowMs: 0 };
  const measured = { load: 0, processor: 0, memory: 0 };
  serveMethod(network, nodesMethod, async () => ({ ...said, ...measured }), { clock });
  let begun: ReturnType<typeof openLease> | undefined;
  serveMethod(
    network,
    leaseMethod,
    async ({ kind, lease = new Uint8Array(), n = 1, inputs = new Uint8Array(), state = new Uint8Array() }) => {
      if (kind === 'offer') {
        begun = openLease(nobleCrypto, lease);
        return { ...plainAnswer, lease: acceptLease({ crypto: nobleCrypto, identity }, lease), booked: 0 };
      }
      if (kind !== 'run' || begun === undefined) return { ...plainAnswer, booked: 0 };
      const { terms, id } = begun;
      const outputs = new Uint8Array((inputs.length / 2) * terms.nodes);
      const work = {
        workHash: nextWorkHash(nobleCrypto, undefined, { inputs, outputs }),
        stateHash: new Uint8Array(32),
      };
      const bytes = { bytesIn: inputs.length + state.length, bytesOut: outputs.length };
      const times = { heldMs: 1_000, busyMs: 0, timeMs: 1, due: leaseDue(terms, 1_000) };
      const sides = { version: 1, lease: id, lender: terms.lender, borrower: terms.borrower } as const;
      const honest: LeaseReceipt = { ...sides, n, steps: inputs.length / 16, ...bytes, ...times, ...work };
      return {
        ...plainAnswer,
        outputs,
        receipt: issueLeaseReceipt({ identity }, { ...honest, ...change(honest) }),
        booked: 0,
      };
    },
    { clock },
  );
  const wish = { peer: 'lender', minutes: 1, cluster: { nodes: 4, outputs: 1, seed: 3 }, vectors: [[1, -1]] };
  const borrowing = world.clock.until(borrower.peer.nodeLending.borrow(borrowRequestSchema.parse(wish), live()));
  await expect(borrowing).rejects.toThrow(code('RECEIPT_WRONG'));
  const [lease] = (await borrower.peer.nodeLending.list()).leases;
  if (lease === undefined) throw new Error('there is no lease');
  const evidence = async () => (await borrower.peer.nodeLending.evidence(lease.id, 'as it ended')).evidence;
  return { world, lender, borrower, lease, evidence };
}

test('a lender that signs another amount than the terms give is convicted by anybody who gets the file', async () => {
  const { world, lender, borrower, lease, evidence } = await liar(({ due }) => ({ due: due + 1n }));
  expect(lease).toMatchObject({ state: 'disputed', paidMicro: '0', lockedMicro: '0' });
  const text = await evidence();
  const { evidence: file, refused } = checkEvidence(nobleCrypto, text, 0);
  const verdict = judgeLease(nobleCrypto, lease.id, file.documents);
  expect([refused, [...verdict.faults]]).toEqual([0, [[lender.identity.peer, 'receipt-amount']]]);
  const faults = [{ fault: 'receipt-amount', name: 'lender', counted: true }];
  expect(await borrower.peer.market.judge(text)).toMatchObject({ faults, winner: { name: 'borrower' } });
  const reasons = async () =>
    (await borrower.peer.reputation.get('lender')).reputation.lines.map(({ reason }) => reason);
  await until(world.clock, async () => (await reasons()).includes('lie'));
});

test('one that signs what only its borrower knows to be wrong is disputed, and no file convicts it', async () => {
  const { lease, evidence, borrower } = await liar(({ steps }) => ({ steps: steps + 1 }));
  expect(lease.state).toBe('disputed');
  expect(await borrower.peer.market.judge(await evidence())).toMatchObject({ faults: [], winner: null });
});

test(`the first proof of ${limits.refusedKept} leases is kept, the rest goes`, async () => {
  const proofs = keptProofs(new MemoryStore(), 'refused', limits.refusedKept);
  const ids = Array.from({ length: limits.refusedKept + 1 }, (_, place) => toHex(new Uint8Array(32).fill(place)));
  const entry = (place: number) => ({ kind: 'refused-receipt', body: Uint8Array.of(place) });
  for (const [place, id] of ids.slice(1).entries()) await proofs.keep(id, entry(place));
  const [first = ''] = ids.slice(1);
  await proofs.keep(first, entry(200));
  expect(await proofs.of(first)).toEqual([entry(0)]);
  await proofs.keep(ids[0] ?? '', entry(201));
  const kept = await Promise.all(ids.map((id) => proofs.of(id)));
  expect(kept.flat()).toHaveLength(limits.refusedKept);
});
