import { fromBase64Url, fromHex, nobleCrypto } from '@peerai/core-protocol';
import { issueReceipt } from '@peerai/ledger';
import { encodeEvidence, leaseEndEntry, type LeaseEnd, readMetered, signEnd } from '@peerai/ledger/market';
import { afterEach, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { ask, live, pair, until } from '../testing/steps.ts';
// Loaded before: a test's clock runs on while the disk reads a module.
import '../ledger/log-room.ts';
import '../own/own-room.ts';
import '../reputation/reputation-room.ts';
import './room.ts';
import { leaseRequestSchema, offerRequestSchema } from './market.schema.ts';
import { createVerdicts } from './verdicts.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});

/** A lease with one answer that both signed for, and a third peer that both are paired with. */
async function fair() {
  const world = testWorld();
  const [lender, borrower] = [await world.peer('lender', { seed: 1 }), await world.peer('borrower', { seed: 2 })];
  const witness = await world.peer('witness', { seed: 3 });
  started.push(lender, borrower, witness);
  await pair(world, lender, borrower, ['chat', 'borrow']);
  for (const one of [lender, borrower]) await pair(world, one, witness);
  await lender.peer.market.offer(offerRequestSchema.parse({ model: 'echo', credits: '2' }));
  const wish = leaseRequestSchema.parse({ peer: 'lender', model: 'echo', tokens: 1_000 });
  const { lease } = await world.clock.until(borrower.peer.market.lease(wish, live()));
  await ask(world, borrower, 'echo@lender', 'hello');
  await until(world.clock, async () => (await lender.peer.market.view()).leases[0]?.answers === 1);
  const { evidence } = await lender.peer.market.evidence(lease.id, 'the receipts');
  const documents = (JSON.parse(evidence) as { documents: { kind: string; body: string }[] }).documents.map((one) => ({
    kind: one.kind,
    body: fromBase64Url(one.body),
  }));
  /** What the borrower might have signed. */
  const endBy = (change: Partial<LeaseEnd>) =>
    leaseEndEntry(
      signEnd(borrower, {
        version: 1,
        lease: fromHex(lease.id),
        by: borrower.identity.peer,
        other: lender.identity.peer,
        outcome: 'disputed',
        n: 1,
        due: 1n,
        evidence: new Uint8Array(32),
        timeMs: 1,
        ...change,
      }),
    );
  const judge = (by: TestPeer, change: Partial<LeaseEnd>) =>
    by.peer.market.judge(encodeEvidence({ lease: lease.id, reason: '', documents: [...documents, endBy(change)] }));
  const reasons = async (by: TestPeer, name: string) =>
    (await by.peer.reputation.get(name)).reputation.lines.map(({ reason }) => reason);
  return { world, lender, borrower, witness, lease, documents, endBy, judge, reasons };
}

test('a signed end that denies a receipt loses the dispute with everybody who judges it, and the other wins', async () => {
  const { world, lender, witness, judge, reasons } = await fair();
  const verdict = await judge(witness, { n: 0, due: 0n });
  expect(verdict).toMatchObject({
    disputed: true,
    faults: [{ name: 'borrower', fault: 'receipt-denied', counted: true }],
    winner: { name: 'lender', counted: true },
  });
  await until(world.clock, async () => (await reasons(witness, 'lender')).includes('dispute-won'));
  expect(await reasons(witness, 'borrower')).toContain('dispute-lost');
  // Judged again it counts once.
  await judge(witness, { n: 0, due: 0n });
  const { lines } = (await witness.peer.reputation.get('borrower')).reputation;
  expect(lines.find(({ reason }) => reason === 'dispute-lost')?.times).toBe(1);
  await judge(lender, { n: 0, due: 0n });
  await until(world.clock, async () => (await reasons(lender, 'borrower')).includes('dispute-lost'));
});

test('an amount against one’s own signature is a proven lie: its peer is refused at once', async () => {
  const { world, witness, judge } = await fair();
  expect((await judge(witness, { due: 1n })).faults).toMatchObject([{ name: 'borrower', fault: 'false-amount' }]);
  await until(
    world.clock,
    async () => (await witness.peer.reputation.get('borrower')).reputation.refused?.deed === 'lie',
  );
  expect((await witness.peer.reputation.get('lender')).reputation.refused).toBeNull();
});

test('a dispute about the work itself is a doubt on both sides, and nobody wins it', async () => {
  const { world, lender, borrower, witness, lease, judge, reasons } = await fair();
  const { dueMicro } = (await borrower.peer.market.view()).leases[0] ?? lease;
  expect(await judge(witness, { due: BigInt(dueMicro) })).toMatchObject({ faults: [], winner: null });
  await borrower.peer.market.dispute(lease.id, 'the answer was empty', live());
  await until(world.clock, async () => (await reasons(lender, 'borrower')).includes('disputed'));
  expect(await reasons(borrower, 'lender')).toContain('disputed');
  expect(await reasons(lender, 'borrower')).not.toContain('dispute-lost');
});

test('the other side’s word is held against what both signed as it comes, and a stranger wins nothing', async () => {
  const { lender, borrower, lease, documents, endBy } = await fair();
  const noted: string[] = [];
  const verdicts = createVerdicts({
    self: lender.identity.peer,
    crypto: nobleCrypto,
    nowMs: () => 0,
    nameOf: String,
    isDevice: () => false,
    note: (peer, deed) => noted.push(`${peer === borrower.identity.peer ? 'borrower' : peer} ${deed}`),
  });
  const [{ body } = { body: new Uint8Array() }] = documents;
  const record = { id: lease.id, peer: borrower.identity.peer, terms: readMetered(body) } as never;
  verdicts.heard(record, endBy({ n: 0, due: 0n }).body, documents);
  verdicts.heard(record, new Uint8Array([1, 2, 3]), documents);
  expect(noted).toEqual(['borrower dispute-lost']);
  verdicts.heard(record, endBy({ outcome: 'settled', evidence: undefined }).body, documents);
  expect(noted.slice(1)).toEqual(['borrower lie']);
});

test('a receipt for more than the lease covers is kept by who refused it, and convicts its lender elsewhere', async () => {
  const { lender, borrower, witness, lease } = await fair();
  const facts = { lease: fromHex(lease.id), requestId: 'r9', model: 'echo', consumer: borrower.identity.peer };
  const half = (answerTokens: number) => {
    const usage = { promptTokens: 1, answerTokens };
    return issueReceipt({ ...lender, crypto: nobleCrypto, clock: { nowMs: () => 1 } }, undefined, {
      ...facts,
      usage,
      workHash: new Uint8Array(32),
    });
  };
  const file = async () => (await borrower.peer.market.evidence(lease.id, 'too much')).evidence;
  // A thousand tokens are leased.
  await borrower.peer.market.leased.refused(half(999));
  expect(await witness.peer.market.judge(await file())).toMatchObject({ faults: [], winner: null });
  await borrower.peer.market.leased.refused(half(1_000));
  const faults = [{ fault: 'receipt-over', name: 'lender', counted: true }];
  expect(await witness.peer.market.judge(await file())).toMatchObject({ faults, winner: { name: 'borrower' } });
});
