import { callMethod, fromHex, nobleCrypto, toHex, utf8 } from '@peerai/core-protocol';
import { checkEvidence, judgeLease, type LeaseEnd, signEnd } from '@peerai/ledger/market';
import { afterEach, describe, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
// Loaded before: a test's clock runs on while the disk reads a module.
import '../ledger/log-room.ts';
import '../market/room.ts';
import '../own/own-room.ts';
import '../reputation/reputation-room.ts';
import './room.ts';
import { borrowRequestSchema, lendRequestSchema } from './lending.schema.ts';
import { leaseMethod, plainQuestion } from './lending-protocol.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const leaseOf = async ({ peer }: TestPeer) => {
  const [lease] = (await peer.nodeLending.list()).leases;
  if (lease === undefined) throw new Error('there is no lease');
  return lease;
};
const kinds = async ({ peer }: TestPeer) => (await peer.books.entries({})).entries.map(({ kind }) => kind);
const reasons = async (by: TestPeer, name: string) =>
  (await by.peer.reputation.get(name)).reputation.lines.map(({ reason }) => reason);
const lockedOf = async ({ peer }: TestPeer) => {
  const [account] = (await peer.nodeLending.list()).accounts;
  return [account?.lockedByUsMicro, account?.lockedByThemMicro];
};

/** A job of many runs at work: both have signed for some of it. */
async function atWork() {
  const world = testWorld({ latencyMs: 100 });
  const [lender, borrower] = [await world.peer('lender', { seed: 1 }), await world.peer('borrower', { seed: 2 })];
  started.push(lender, borrower);
  await pair(world, lender, borrower, ['chat', 'borrow']);
  await lender.peer.nodeLending.lend(lendRequestSchema.parse({ nodes: 64 }));
  const vectors = Array.from({ length: 4_096 }, () => [1, -1]);
  const wish = { peer: 'lender', minutes: 10, cluster: { nodes: 32, outputs: 1, seed: 3 }, vectors };
  const failed = borrower.peer.nodeLending.borrow(borrowRequestSchema.parse(wish), live()).then(
    () => undefined,
    (error: unknown) => error,
  );
  await until(world.clock, async () => {
    const [lease] = (await borrower.peer.nodeLending.list()).leases;
    return lease?.state === 'active' && lease.runs > 1;
  });
  const { id, priceMicro } = await leaseOf(borrower);
  return { world, lender, borrower, failed, id, priceMicro };
}

test.each(['borrower', 'lender'] as const)(
  'nodes come back at once when the %s says so, and what both signed is paid',
  async (who) => {
    const { world, lender, borrower, failed, id, priceMicro } = await atWork();
    const by = who === 'lender' ? lender : borrower;
    const { lease } = await world.clock.until(by.peer.nodeLending.giveBack(id));
    expect(lease.steps).toBeLessThan(4_096);
    // Its borrower has what was done so far; whom the nodes were taken from is told so.
    const error = await world.clock.until(failed);
    expect(error).toEqual(who === 'lender' ? code('LEASE_OVER') : undefined);
    await until(world.clock, async () => (await leaseOf(lender)).state === 'settled');
    const [ours, theirs] = [await leaseOf(borrower), await leaseOf(lender)];
    expect([ours.state, ours.paidMicro, ours.lockedMicro]).toEqual(['settled', theirs.paidMicro, '0']);
    expect(BigInt(ours.paidMicro)).toBeLessThan(BigInt(priceMicro));
    expect((await lender.peer.nodeLending.own()).free).toBe(64);
    await expect(by.peer.nodeLending.giveBack(id)).rejects.toThrow(code('LEASE_STATE'));
  },
);

describe('a dispute of a lease of nodes', () => {
  test.each(['borrower', 'lender'] as const)(
    'by its %s ends it on both sides with what both signed, gives the rest back, and leaves a file that proves it',
    async (who) => {
      const { world, lender, borrower, failed, id, priceMicro } = await atWork();
      const [by, other] = who === 'lender' ? [lender, borrower] : [borrower, lender];
      const { lease, evidence } = await by.peer.nodeLending.dispute(id.slice(0, 8), 'the outputs are wrong');
      expect(lease.state).toBe('disputed');
      await until(world.clock, async () => (await leaseOf(other)).state === 'disputed');
      await world.clock.until(failed);
      await until(world.clock, async () => {
        const [ours, theirs] = [await leaseOf(borrower), await leaseOf(lender)];
        return ours.paidMicro === theirs.paidMicro && ours.lockedMicro === '0';
      });
      const [ours, theirs] = [await leaseOf(borrower), await leaseOf(lender)];
      expect([ours.state, theirs.state, theirs.lockedMicro]).toEqual(['disputed', 'disputed', '0']);
      expect(BigInt(ours.paidMicro)).toBeGreaterThan(0n);
      expect(BigInt(ours.paidMicro) + BigInt(ours.refundedMicro)).toBe(BigInt(priceMicro));
      expect([await lockedOf(borrower), await lockedOf(lender)]).toEqual([
        ['0', '0'],
        ['0', '0'],
      ]);
      for (const side of [lender, borrower])
        expect(await kinds(side)).toEqual(expect.arrayContaining(['lease', 'lease-receipt', 'lease-end']));
      const { standing, hash } = checkEvidence(nobleCrypto, evidence, world.clock.nowMs());
      expect([standing.resource, standing.state, standing.n > 0]).toEqual(['node', 'active', true]);
      expect(hash).toBe(toHex(nobleCrypto.sha256(utf8(evidence))));
      const after = (await other.peer.nodeLending.evidence(id, 'as it ended')).evidence;
      const checked = checkEvidence(nobleCrypto, after, world.clock.nowMs());
      expect([checked.standing.state, checked.standing.locked]).toEqual(['disputed', 0n]);
      // About the work itself nobody is at fault, and both think less of each other.
      expect(judgeLease(nobleCrypto, id, checked.evidence.documents)).toMatchObject({
        disputed: true,
        winner: undefined,
      });
      await until(world.clock, async () => (await reasons(lender, 'borrower')).includes('disputed'));
      expect(await reasons(borrower, 'lender')).toContain('disputed');
      await expect(by.peer.nodeLending.dispute(id, 'again')).rejects.toThrow(code('LEASE_STATE'));
      await expect(other.peer.nodeLending.dispute(id, 'again')).rejects.toThrow(code('LEASE_STATE'));
      await expect(by.peer.nodeLending.dispute('00000000', 'none')).rejects.toThrow(code('LEASE_UNKNOWN'));
    },
  );

  test('is told when the other side is here again', async () => {
    const { world, lender, borrower, failed, id } = await atWork();
    world.networks.cut(borrower.identity.peer, lender.identity.peer);
    await borrower.peer.nodeLending.dispute(id, 'it is too slow');
    await world.clock.until(failed);
    expect((await leaseOf(lender)).state).toBe('active');
    world.networks.heal(borrower.identity.peer, lender.identity.peer);
    const isTold = async (): Promise<boolean> => (await leaseOf(lender)).state === 'disputed';
    // A device looks for one that was away within 90 seconds.
    for (let turn = 0; turn < 45 && !(await isTold()); turn += 1) await world.clock.advance(2_000);
    expect(await isTold()).toBe(true);
  });

  test('that leaves out what its own signature is under is lost at once, with the evidence decided by nobody’s word', async () => {
    const { world, lender, borrower, id } = await atWork();
    const lie: LeaseEnd = {
      version: 1,
      lease: fromHex(id),
      by: borrower.identity.peer,
      other: lender.identity.peer,
      outcome: 'disputed',
      n: 0,
      due: 0n,
      evidence: new Uint8Array(32),
      timeMs: 1,
    };
    const ask = (end: LeaseEnd, of = id) => {
      const question = { ...plainQuestion, kind: 'dispute', id: fromHex(of), end: signEnd(borrower, end) } as const;
      const network = world.networks.join(borrower.identity.peer);
      const asking = callMethod({ network, clock: world.clock }, lender.identity.peer, leaseMethod, question, {
        signal: live(),
        addresses: [],
      });
      return world.clock.until(asking);
    };
    await expect(ask(lie, '00'.repeat(32))).rejects.toThrow(code('LEASE_UNKNOWN'));
    await expect(ask({ ...lie, lease: new Uint8Array(32) })).rejects.toThrow(code('INVALID_FORMAT'));
    await expect(ask({ ...lie, outcome: 'refunded', evidence: undefined })).rejects.toThrow(code('INVALID_FORMAT'));
    expect((await leaseOf(lender)).state).toBe('active');
    // It is refused for it, its link with that: the answer may not come any more.
    await ask(lie).catch(() => undefined);
    await until(world.clock, async () => (await reasons(lender, 'borrower')).includes('dispute-lost'));
    const { paidMicro, state } = await leaseOf(lender);
    expect([state, BigInt(paidMicro) > 0n]).toEqual(['disputed', true]);
    // Anybody who is shown the file comes to the same.
    const { evidence } = await lender.peer.nodeLending.evidence(id, 'it signed for more');
    expect(await lender.peer.market.judge(evidence)).toMatchObject({
      disputed: true,
      faults: [{ name: 'borrower', fault: 'receipt-denied' }],
      winner: { peerId: lender.identity.peer },
    });
  });
});
