import { type EntryBody, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { MemoryWorld } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endOf, leaseOf, rememberingCrypto, termsBetween, trader, usageChain } from '../../test/market.ts';
import { flipped } from '../../test/world.ts';
import { countersignLeaseReceipt, issueLeaseReceipt, leaseReceiptEntry } from '../lease/receipt.ts';
import { acceptLease, leaseDue, leaseEntry, offerLease, openLease } from '../lease/terms.ts';
import { leaseLimits } from '../lease/limits.ts';
import { agreeToEnd, leaseEndEntry } from './end.ts';
import { checkEvidence, encodeEvidence } from './evidence.ts';
import { marketLimits } from './limits.ts';
import { pointsEntry, type PointsMove, type PointsPolicy, signPoints } from './points.ts';
import { type MarketStanding, replayMarket } from './replay.ts';
import { admitLease } from './standing.ts';
import { countersignStorage, issueStorageReceipt, storageReceiptEntry } from './storage.ts';
import { meteredDue, openMetered } from './terms.ts';

const crypto = rememberingCrypto();
const [ann, ben, cat, dan] = [11, 12, 13, 14].map(trader) as [MemoryWorld, MemoryWorld, MemoryWorld, MemoryWorld];
const peers = [ann, ben, cat, dan].map(({ identity }) => identity.peer);
const decision = new Uint8Array(32).fill(5);
const policies: PointsPolicy[] = [{ group: 'g', decision, issuers: new Map([[ann.identity.peer, 1_000n]]) }];
const hour = 3_600_000;

/** Ann answers Ben and Dan, Ben lends nodes to Cat, Cat keeps bytes for Ann, and points go round. */
function history(): readonly EntryBody[] {
  const model = leaseOf(ann, ben, termsBetween(ann, ben));
  const again = leaseOf(ann, dan, termsBetween(ann, dan, { unitPrice: 3n }));
  const unused = leaseOf(ann, ben, termsBetween(ann, ben, { nonce: new Uint8Array(16).fill(2) }));
  const id = (entry: EntryBody): Uint8Array => openMetered(crypto, entry.body).id;
  const answers = usageChain(ann, ben, id(model), [10, 500, 3]);
  const others = usageChain(ann, dan, id(again), [1, 1, 400]);
  const kept = termsBetween(cat, ann, { resource: 'storage', subject: '', unitsMax: 1_048_576 });
  const storage = leaseOf(cat, ann, kept);
  return [
    model,
    unused,
    ...answers,
    again,
    ...others,
    storage,
    ...nodeLease(),
    ...storageChain(id(storage)),
    endOf(ben, ann, id(unused)),
    ...moves(),
  ];
}
function nodeLease(): EntryBody[] {
  const [lender, borrower] = [ben.identity.peer, cat.identity.peer];
  const nonce = new Uint8Array(16).fill(3);
  const terms = { version: 1, lender, borrower, nodes: 8, minutes: 2, price: 1_000n, startMs: 0, nonce } as const;
  const full = acceptLease(ben, offerLease(cat, terms));
  const { id: lease } = openLease(crypto, full);
  const zeros = new Uint8Array(32);
  const usage = { steps: 4, busyMs: 3, bytesIn: 64, bytesOut: 256, heldMs: 60_000, stateHash: zeros, workHash: zeros };
  const due = leaseDue(terms, usage.heldMs);
  const half = issueLeaseReceipt(ben, { version: 1, lease, lender, borrower, n: 1, ...usage, due, timeMs: 9 });
  const expected = { ...usage, lease, terms, previous: undefined, elapsedMs: 60_000 };
  return [leaseEntry(full), leaseReceiptEntry(countersignLeaseReceipt(cat, half, expected))];
}
function storageChain(lease: Uint8Array): EntryBody[] {
  const terms = termsBetween(cat, ann, { resource: 'storage', subject: '', unitsMax: 1_048_576 });
  const facts = { lease, lender: cat.identity.peer, borrower: ann.identity.peer, heldBytes: 1_048_576 };
  const byteMs = 1_048_576n * 1_800_000n;
  const proof = new Uint8Array(32).fill(8);
  const receipt = { ...facts, version: 1, n: 1, byteMs, due: meteredDue(terms, byteMs), proof, timeMs: 4 } as const;
  const half = issueStorageReceipt(cat, receipt);
  const expected = { lease, terms, previous: undefined, heldBytes: 1_048_576, proof, elapsedMs: 1_800_000 };
  return [storageReceiptEntry(countersignStorage(ann, half, expected))];
}
const move = (by: MemoryWorld, to: MemoryWorld, n: number, amount: bigint, change: Partial<PointsMove> = {}) =>
  pointsEntry(
    signPoints(by.identity, {
      kind: 'transfer',
      group: 'g',
      to: to.identity.peer,
      n,
      amount,
      timeMs: n,
      ...change,
    }),
  );
const issue = (n: number, amount: bigint, change: Partial<PointsMove> = {}) =>
  move(ann, ben, n, amount, { kind: 'issue', decision, ...change });
const moves = (): EntryBody[] => [
  issue(1, 600n),
  issue(2, 300n, { to: cat.identity.peer }),
  move(ben, cat, 1, 400n),
  move(cat, dan, 1, 650n),
  move(dan, ben, 1, 50n),
  move(ben, dan, 2, 200n),
];

const all = history();
const replay = (documents: Iterable<EntryBody>, nowMs = 1) => replayMarket(crypto, documents, { nowMs, policies });
/** Everything a replay says, in one order. */
function told(standing: MarketStanding) {
  const { leases, totals, points } = standing;
  const sorted = <T>(entries: Iterable<readonly [string, T]>) =>
    [...entries].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    leases: sorted(leases),
    totals: sorted(totals).filter(([, micro]) => micro !== 0n),
    pairs: peers.flatMap((a) => peers.map((b) => standing.between(a, b))),
    points: sorted(points).map(([name, { balances, doubleSpenders, supply, issues }]) => [
      name,
      supply,
      issues,
      sorted(balances),
      [...doubleSpenders].toSorted((a, b) => (a < b ? -1 : 1)),
    ]),
  };
}
const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((a, b) => a + b, 0n);
function checkConserved(standing: MarketStanding): void {
  expect(sum(standing.totals.values())).toBe(0n);
  for (const a of peers)
    for (const b of peers) {
      const [ours, theirs] = [standing.between(a, b), standing.between(b, a)];
      expect([ours.owes + theirs.owes, ours.lockedByUs - theirs.lockedByThem]).toEqual([0n, 0n]);
    }
  for (const { price, paid, locked, refunded } of standing.leases.values()) {
    expect(paid + locked + refunded).toBe(price);
    expect(paid >= 0n && locked >= 0n && refunded >= 0n).toBe(true);
  }
  for (const { supply, balances } of standing.points.values()) {
    expect(sum(balances.values())).toBe(supply);
    expect([...balances.values()].every((points) => points >= 0n)).toBe(true);
  }
}

describe('a replay of signed documents', () => {
  test('says what each lease came to, and who owes whom', () => {
    const standing = replay(all);
    // 3 prompt tokens and 513 of answers, at 2,000 micro-credits for 1,000; and for Dan 405 at 3, rounded up.
    expect(standing.between(ben.identity.peer, ann.identity.peer)).toEqual({
      owes: 1_032n,
      lockedByUs: 20_000n - 1_032n + 20_000n,
      lockedByThem: 0n,
    });
    expect(standing.between(dan.identity.peer, ann.identity.peer).owes).toBe(2n);
    expect(standing.between(cat.identity.peer, ben.identity.peer).owes).toBe(500n);
    // A MiB for half an hour at 2,000 micro-credits.
    expect(standing.between(ann.identity.peer, cat.identity.peer).owes).toBe(1_000n);
    expect(standing.totals.get(ann.identity.peer)).toBe(1_032n + 2n - 1_000n);
    expect(standing.refused).toEqual([]);
    checkConserved(standing);
  });

  test('conserves credits and points for any part of a history, in any order, with anything twice', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(fc.nat(all.length - 1), { maxLength: 60 }),
        fc.constantFrom(1, hour + 1),
        (picked, nowMs) => {
          const documents = picked.flatMap((place) => all[place] ?? []);
          const standing = replay(documents, nowMs);
          checkConserved(standing);
          const once = all.filter((one) => documents.includes(one));
          expect(told(standing)).toEqual(told(replay(once, nowMs)));
          for (const { state } of standing.leases.values()) seen.add(state);
          for (const { code } of standing.refused) seen.add(code);
        },
      ),
      { numRuns: 150, seed: 8 },
    );
    expect([...seen].toSorted()).toEqual(['CREDIT_EXCEEDED', 'NOT_FOUND', 'active', 'refunded', 'settled']);
  });

  test('is the same out of either side’s own log: a receipt moves one amount on both', () => {
    const standing = replay(all);
    for (const [owner, other] of [
      [ann, ben],
      [ben, ann],
    ] as const) {
      const concerns = (peer: PeerId) => (one: EntryBody) =>
        [...replay([one]).leases.values()].some(({ lender, borrower }) => lender === peer || borrower === peer);
      const leases = all.filter(concerns(owner.identity.peer));
      const own = [...leases, ...all.filter(({ kind }) => kind === 'usage-receipt')];
      const [a, b] = [owner.identity.peer, other.identity.peer];
      expect(replay(own).between(a, b)).toEqual(standing.between(a, b));
    }
  });

  test('locks nothing once a lease’s time is over, or both have signed its end', () => {
    expect(replay(all, hour).between(ben.identity.peer, ann.identity.peer)).toMatchObject({
      owes: 1_032n,
      lockedByUs: 0n,
    });
    const lease = leaseOf(ann, ben, termsBetween(ann, ben));
    const half = endOf(ben, ann, openMetered(crypto, lease.body).id);
    const [standing] = replay([lease, half]).leases.values();
    expect(standing).toMatchObject({ state: 'active', locked: 20_000n });
    const [ended] = replay([lease, leaseEndEntry(agreeToEnd(ann, half.body))]).leases.values();
    expect(ended).toMatchObject({ state: 'refunded', locked: 0n, refunded: 20_000n });
  });
});

describe('what counts for nothing', () => {
  const lease = leaseOf(ann, ben, termsBetween(ann, ben));
  const { id } = openMetered(crypto, lease.body);
  const chain = usageChain(ann, ben, id, [10]);

  test('serving oneself: such a lease and such a gift cannot be signed, and a ring of leases sums to nothing', () => {
    expect(() => leaseOf(ann, ann, termsBetween(ann, ann))).toThrow('nobody leases from himself');
    expect(() => move(ann, ann, 1, 5n)).toThrow('nobody gives points to himself');
    const ring = [
      [ann, ben],
      [ben, cat],
      [cat, ann],
    ] as const;
    const documents = ring.flatMap(([lender, borrower]) => {
      const one = leaseOf(lender, borrower, termsBetween(lender, borrower));
      return [one, ...usageChain(lender, borrower, openMetered(crypto, one.body).id, [99])];
    });
    expect([...replay(documents).totals.values()]).toEqual([0n, 0n, 0n]);
  });

  test.each<[string, EntryBody[], string]>([
    ['with one signature', [{ ...lease, body: half(lease) }], 'INVALID_SIGNATURE'],
    ['with a changed byte', [{ ...lease, body: flipped(lease.body, lease.body.length - 3) }], 'INVALID_SIGNATURE'],
    ['that is no document', [{ ...lease, body: new Uint8Array([9, 9, 9]) }], 'INVALID_FORMAT'],
    ['of points without a decision', [issue(1, 5n, { decision: new Uint8Array(32) })], 'NOT_GRANTED'],
    ['of points above the decision', [issue(1, 1_001n)], 'LIMIT_EXCEEDED'],
    ['of points nobody has', [move(dan, ann, 1, 1n)], 'CREDIT_EXCEEDED'],
    ['after a place that is missing', [issue(2, 5n)], 'NOT_FOUND'],
    ['twice in one place', [issue(1, 9n), move(ben, ann, 1, 4n), move(ben, cat, 1, 5n)], 'DOUBLE_SPENT'],
  ])('a document %s', (_, documents, code) => {
    const standing = replay(documents);
    expect(standing.refused.map((one) => one.code)).toContain(code);
    checkConserved(standing);
    expect([...standing.totals.values()].every((micro) => micro === 0n)).toBe(true);
  });

  test('a receipt of another model, of other peers, or of a lease that is not here', () => {
    const other = leaseOf(ann, ben, termsBetween(ann, ben, { subject: 'other' }));
    const wrongModel = usageChain(ann, ben, openMetered(crypto, other.body).id, [10]);
    const wrongPeers = usageChain(ann, cat, id, [10]);
    const standing = replay([other, lease, ...wrongModel, ...wrongPeers]);
    expect([...standing.leases.values()].map(({ paid }) => paid)).toEqual([0n, 0n]);
    expect([...replay(chain).totals]).toEqual([]);
  });

  test('the same bodies in another wrapping: nothing is counted again, and nothing is held against anybody', () => {
    // A field that no reader knows yet.
    const wrapped = chain.map(({ kind, body }) => ({ kind, body: new Uint8Array([...body, 0x20, 1]) }));
    const [standing] = replay([lease, ...chain, ...wrapped]).leases.values();
    expect(standing).toMatchObject({ state: 'active', n: 1, paid: 22n, twice: false });
  });

  test('two receipts in one place: the place before stands, and the lease is disputed', () => {
    const [first, second] = usageChain(ann, ben, id, [10, 20]);
    const [, fork] = usageChain(ann, ben, id, [10, 900]);
    const [standing] = replay([lease, ...[first, second, fork].flatMap((one) => one ?? [])]).leases.values();
    expect(standing).toMatchObject({ state: 'disputed', n: 1, paid: 22n, twice: true });
  });

  test('of one who spends twice what was signed before still counts', () => {
    const documents = [issue(1, 9n), move(ben, ann, 1, 4n), move(ben, cat, 2, 5n), move(ben, dan, 2, 5n)];
    const standing = replay(documents).points.get('g');
    expect(standing?.balances.get(ann.identity.peer)).toBe(4n);
    expect(standing?.balances.get(ben.identity.peer)).toBe(5n);
    expect([...(standing?.doubleSpenders ?? [])]).toEqual([ben.identity.peer]);
  });
});

describe('how much one peer can lose to another', () => {
  const most = leaseLimits.exposureMicroMax;
  test('is bounded: at the limit a lease is agreed on, a micro-credit past it is not', () => {
    const between = { owes: 40n, lockedByUs: 50n, lockedByThem: 60n };
    expect(() => admitLease(between, 'borrower', most - 90n)).not.toThrow();
    expect(() => admitLease(between, 'lender', most - 20n)).not.toThrow();
    for (const [role, price] of [
      ['borrower', most - 89n],
      ['lender', most - 19n],
    ] as const)
      expect(() => admitLease(between, role, price)).toThrow(expect.objectContaining({ code: 'CREDIT_EXCEEDED' }));
  });

  test('a borrower that takes all it can get and never gives anything back owes no more', () => {
    const price = fc.bigInt({ min: 0n, max: most / 3n });
    fc.assert(
      fc.property(fc.array(fc.tuple(price, fc.nat(1_000)), { maxLength: 40 }), (asked) => {
        let owes = 0n;
        for (const [wish, share] of asked)
          try {
            admitLease({ owes: -owes, lockedByUs: 0n, lockedByThem: 0n }, 'lender', wish);
            owes += (wish * BigInt(share)) / 1_000n;
          } catch (error) {
            if (!PeerAiError.is(error, 'CREDIT_EXCEEDED')) throw error;
          }
        expect(owes <= most).toBe(true);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  test('one replay reads so many documents and no more', () => {
    const [one = issue(1, 1n)] = all;
    const hash = new Uint8Array(32);
    const read = (count: number) =>
      replayMarket(
        { ...crypto, sha256: () => hash },
        Array.from({ length: count }, () => one),
        { nowMs: 0 },
      );
    expect(read(marketLimits.replayDocumentsMax).leases.size).toBe(1);
    expect(() => read(marketLimits.replayDocumentsMax + 1)).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });
});

describe('evidence', () => {
  const lease = leaseOf(ann, ben, termsBetween(ann, ben));
  const { id } = openMetered(crypto, lease.body);
  const documents = [lease, ...usageChain(ann, ben, id, [10, 20])];
  const hex = Buffer.from(id).toString('hex');
  test('says by itself what both signed, and its hash is that of the text', () => {
    const text = encodeEvidence({ lease: hex, reason: 'the last answer was empty', documents });
    const { standing, refused, evidence } = checkEvidence(crypto, text, 1);
    expect(standing).toMatchObject({ paid: 64n, n: 2, state: 'active' });
    expect([refused, evidence.reason]).toEqual([0, 'the last answer was empty']);
  });
  test('is refused without its lease, beyond its size, and when it is none', () => {
    const code = (expected: string) => expect.objectContaining({ code: expected });
    const without = encodeEvidence({ lease: hex, reason: '', documents: documents.slice(1) });
    expect(() => checkEvidence(crypto, without, 1)).toThrow(code('NOT_FOUND'));
    for (const text of ['', '[]', '{"v":2}', '{"v":1,"lease":"","reason":"","documents":[1]}'])
      expect(() => checkEvidence(crypto, text, 1)).toThrow(code('INVALID_FORMAT'));
    const base = encodeEvidence({ lease: hex, reason: '', documents: [] }).length;
    const reason = 'x'.repeat(marketLimits.evidenceBytesMax - base);
    expect(encodeEvidence({ lease: hex, reason, documents: [] })).toHaveLength(marketLimits.evidenceBytesMax);
    expect(() => encodeEvidence({ lease: hex, reason: `${reason}x`, documents: [] })).toThrow(code('LIMIT_EXCEEDED'));
  });
});

/** A document without its second signature: field 3, 64 bytes behind a head of 2. */
function half({ body }: EntryBody): Uint8Array {
  return body.slice(0, -66);
}
