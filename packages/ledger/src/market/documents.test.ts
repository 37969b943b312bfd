import { threadMs } from '@peerai/config/thread-time';
import { concatBytes, equalBytes, PeerAiError } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { endOf, leaseOf, rememberingCrypto, termsBetween, trader } from '../../test/market.ts';
import { readTwice } from '../lease/signed-twice.ts';
import { agreeToEnd, openEnd } from './end.ts';
import { marketLimits as limits } from './limits.ts';
import { openPoints, type PointsMove, signPoints } from './points.ts';
import {
  challengedPlaces,
  countersignStorage,
  type ExpectedStorage,
  issueStorageReceipt,
  openStorageReceipt,
  storageProof,
  type StorageReceipt,
} from './storage.ts';
import { meteredDue, meteredPrice, type MeteredTerms, offerMetered, openMetered } from './terms.ts';

const crypto = rememberingCrypto();
const [lender, borrower, stranger] = [trader(21), trader(22), trader(23)];
const terms = (change: Partial<MeteredTerms> = {}) => termsBetween(lender, borrower, change);
const stored = { resource: 'storage', subject: '', unitsMax: 2_097_152 } as const;
const code = (expected: string) => expect.objectContaining({ code: expected });
const lease = leaseOf(lender, borrower, terms()).body;
const { id } = openMetered(crypto, lease);

describe('the terms of a metered lease', () => {
  test('are signed by both under the same bytes, and nobody else', () => {
    expect(openMetered(crypto, lease)).toEqual({ terms: terms(), id, signedBy: 'both' });
    expect(openMetered(crypto, offerMetered(borrower, terms())).signedBy).toBe('borrower');
    expect(() => openMetered(crypto, offerMetered(stranger, terms()))).toThrow(code('INVALID_SIGNATURE'));
    expect(() => leaseOf(stranger, borrower, terms())).toThrow(code('INVALID_FORMAT'));
  });

  test('say what use costs: rounded up, and never more than what was locked', () => {
    expect([0n, 1n, 500n, 10_000n, 99_999n].map((used) => meteredDue(terms(), used))).toEqual([
      0n,
      2n,
      1_000n,
      20_000n,
      20_000n,
    ]);
    // Two MiB for an hour at 2,000 micro-credits for a MiB and an hour.
    expect(meteredPrice(terms(stored))).toBe(4_000n);
    expect(meteredDue(terms(stored), 1_048_576n * 3_600_000n)).toBe(2_000n);
    expect(meteredDue(terms(stored), 1n)).toBe(1n);
  });

  test.each<[string, Partial<MeteredTerms>, string?]>([
    ['a model without a name', { subject: '' }],
    ['storage with one', { ...stored, subject: 'x' }],
    ['nothing', { unitsMax: 0 }],
    ['no time', { minutes: 0 }],
    ['a short nonce', { nonce: new Uint8Array(15) }],
    ['one peer on both sides', { lender: borrower.identity.peer }],
    ['too many tokens', { unitsMax: limits.tokensMax + 1 }, 'LIMIT_EXCEEDED'],
    ['too many bytes', { ...stored, unitsMax: limits.storedBytesMax + 1 }, 'LIMIT_EXCEEDED'],
    ['too long a time', { minutes: limits.minutesMax + 1 }, 'LIMIT_EXCEEDED'],
    ['too high a price', { unitPrice: limits.unitMicroMax + 1n }, 'LIMIT_EXCEEDED'],
    ['too long a name', { subject: 'x'.repeat(limits.subjectBytesMax + 1) }, 'LIMIT_EXCEEDED'],
  ])('are refused with %s', (_, change, expected = 'INVALID_FORMAT') => {
    expect(() => offerMetered(borrower, terms(change))).toThrow(code(expected));
  });

  test('are taken at each limit, and fit what a document may have', () => {
    const { unitMicroMax: unitPrice, minutesMax: minutes, tokensMax, storedBytesMax, subjectBytesMax } = limits;
    const most = { unitPrice, minutes, startMs: Number.MAX_SAFE_INTEGER };
    for (const change of [
      { ...most, unitsMax: tokensMax, subject: 'x'.repeat(subjectBytesMax) },
      { ...most, ...stored, unitsMax: storedBytesMax },
    ])
      expect(openMetered(crypto, leaseOf(lender, borrower, terms(change)).body).terms).toEqual(terms(change));
    const long = concatBytes(lease, new Uint8Array(limits.documentBytesMax + 1 - lease.length));
    expect(() => openMetered(crypto, long)).toThrow(code('LIMIT_EXCEEDED'));
  });
});

describe('the receipt of storage', () => {
  const own = terms(stored);
  const proof = new Uint8Array(32).fill(1);
  const receiptWith = (change: Partial<StorageReceipt> = {}): StorageReceipt => {
    const { byteMs = 1_000_000n } = change;
    const [from, to] = [lender.identity.peer, borrower.identity.peer];
    const facts = {
      version: 1,
      lease: id,
      lender: from,
      borrower: to,
      n: 1,
      heldBytes: 1_000,
      proof,
      timeMs: 9,
    } as const;
    return { ...facts, byteMs, due: meteredDue(own, byteMs), ...change };
  };
  const expected: ExpectedStorage = {
    lease: id,
    terms: own,
    previous: undefined,
    heldBytes: 1_000,
    proof,
    elapsedMs: 1_000,
  };
  const sign = (change: Partial<StorageReceipt>, known: Partial<ExpectedStorage> = {}, by = lender) =>
    countersignStorage(borrower, issueStorageReceipt(by, receiptWith(change)), { ...expected, ...known });

  test('is signed for what the borrower can compute itself', () => {
    expect(openStorageReceipt(crypto, sign({}))).toEqual({ receipt: receiptWith(), signedBy: 'both' });
    const next = sign({ n: 2, byteMs: 2_000_000n }, { previous: receiptWith() });
    expect(openStorageReceipt(crypto, next).receipt.n).toBe(2);
  });

  test.each<[string, Partial<StorageReceipt>, Partial<ExpectedStorage>?]>([
    ['lease', { lease: new Uint8Array(32) }],
    ['borrower', {}, { terms: { ...own, borrower: stranger.identity.peer } }],
    ['lender', {}, { terms: { ...own, lender: stranger.identity.peer } }],
    ['n', { n: 2 }],
    ['heldBytes', { heldBytes: 1_001 }],
    ['heldBytes', { heldBytes: own.unitsMax + 1 }, { heldBytes: own.unitsMax + 1 }],
    ['byteMs', { byteMs: 6_000_001n }],
    ['byteMs', { n: 2, byteMs: 999_999n }, { previous: receiptWith() }],
    ['proof', { proof: new Uint8Array(32) }],
    ['due', { due: 2n }],
  ])('is not signed with a wrong %s', (field, change, known) => {
    expect(() => sign(change, known)).toThrow(expect.objectContaining({ code: 'RECEIPT_WRONG', details: { field } }));
  });

  test('of another’s hand or an impossible size is none', () => {
    expect(() => sign({}, {}, stranger)).toThrow(code('INVALID_SIGNATURE'));
    for (const change of [{ n: 0 }, { proof: new Uint8Array(31) }])
      expect(() => sign(change)).toThrow(code('INVALID_FORMAT'));
    expect(() => sign({ heldBytes: limits.storedBytesMax + 1 })).toThrow(code('LIMIT_EXCEEDED'));
  });
});

describe('a challenge of stored bytes', () => {
  const bytes = seededRandom(9).bytes(100_000);
  const nonce = new Uint8Array(32).fill(4);
  const proofOf = (held: Uint8Array, by = nonce) =>
    storageProof(crypto, by, bytes.length, (place, length) => held.slice(place, place + length));

  test('is answered alike by who has the bytes, and otherwise for another nonce', async () => {
    expect(await proofOf(bytes)).toEqual(await proofOf(bytes.slice()));
    expect(equalBytes(await proofOf(bytes), await proofOf(bytes, new Uint8Array(32)))).toBe(false);
  });

  test('finds a changed byte in a range it asked for, and not one elsewhere', async () => {
    const [place = 0] = challengedPlaces(crypto, nonce, bytes.length);
    const asked = bytes.with(place, (bytes[place] ?? 0) ^ 1);
    expect(equalBytes(await proofOf(asked), await proofOf(bytes))).toBe(false);
    const places = challengedPlaces(crypto, nonce, bytes.length);
    const free = bytes.findIndex((_, at) => places.every((one) => at < one || at >= one + limits.challengeRangeBytes));
    expect(equalBytes(await proofOf(bytes.with(free, (bytes[free] ?? 0) ^ 1)), await proofOf(bytes))).toBe(true);
  });

  test('goes over small sizes too', async () => {
    const read = (place: number, length: number) => bytes.slice(place, place + length);
    await expect(storageProof(crypto, nonce, 1, read)).resolves.toHaveLength(32);
    expect(challengedPlaces(crypto, nonce, 1)).toEqual(Array.from({ length: limits.challengeRanges }, () => 0));
  });
});

describe('the end of a lease', () => {
  test('is agreed on under the same bytes; a dispute and somebody else’s end are not', () => {
    const half = endOf(borrower, lender, id).body;
    const full = agreeToEnd(lender, half);
    expect([openEnd(crypto, half).signedBy, openEnd(crypto, full).signedBy]).toEqual(['one', 'both']);
    expect(() => agreeToEnd(stranger, half)).toThrow(code('INVALID_FORMAT'));
    const evidence = new Uint8Array(32);
    const disputed = endOf(borrower, lender, id, { outcome: 'disputed', evidence }).body;
    expect(() => agreeToEnd(lender, disputed)).toThrow(code('INVALID_FORMAT'));
  });
  test.each([
    { outcome: 'disputed' as const },
    { evidence: new Uint8Array(32) },
    { outcome: 'settled' as const },
    { n: 1, due: 5n },
    { due: 5n },
    { lease: new Uint8Array(31) },
    { other: borrower.identity.peer },
  ])('cannot say %o', (change) => {
    expect(() => endOf(borrower, lender, id, change)).toThrow(code('INVALID_FORMAT'));
  });
});

const points = (change: Partial<PointsMove> = {}) =>
  signPoints(lender.identity, {
    kind: 'transfer',
    group: 'g',
    to: borrower.identity.peer,
    n: 1,
    amount: 5n,
    timeMs: 3,
    ...change,
  });
describe('a move of points', () => {
  test('is signed by who gives them', () => {
    expect(openPoints(crypto, points())).toMatchObject({ from: lender.identity.peer, amount: 5n, group: 'g' });
  });
  test('is taken at each limit and refused one past it', () => {
    const most = { amount: limits.pointsMicroMax, group: 'g'.repeat(limits.groupBytesMax) };
    const decision = new Uint8Array(32);
    const big = { kind: 'issue', decision, n: Number.MAX_SAFE_INTEGER, timeMs: Number.MAX_SAFE_INTEGER } as const;
    expect(points({ ...most, ...big }).length).toBeLessThanOrEqual(limits.pointsBytesMax);
    for (const past of [{ amount: limits.pointsMicroMax + 1n }, { group: `${most.group}g` }])
      expect(() => points(past)).toThrow(code('LIMIT_EXCEEDED'));
    expect(() => openPoints(crypto, new Uint8Array(limits.pointsBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
  });
  test.each([
    { amount: 0n },
    { n: 0 },
    { group: '' },
    { kind: 'issue' as const },
    { decision: new Uint8Array(32) },
    { to: lender.identity.peer },
  ])('cannot say %o', (change) => {
    expect(() => points(change)).toThrow(code('INVALID_FORMAT'));
  });
});

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;
const receipt = issueStorageReceipt(lender, {
  version: 1,
  lease: id,
  lender: lender.identity.peer,
  borrower: borrower.identity.peer,
  n: 1,
  heldBytes: 5,
  byteMs: 5n,
  due: 1n,
  proof: new Uint8Array(32),
  timeMs: 1,
});
test.each([
  ['terms', lease, openMetered],
  ['storage receipt', receipt, openStorageReceipt],
  ['end', agreeToEnd(lender, endOf(borrower, lender, id).body), openEnd],
  ['points', points(), openPoints],
] as const)('%s: 10,000 mutations, nothing but our errors, nothing slow, nothing forged', (name, valid, open) => {
  const random = seededRandom(71);
  // The shape of every one, the signatures of every fiftieth: those cost much more.
  const trusting = { ...crypto, ed25519: { ...crypto.ed25519, verify: () => true } };
  let slowestMs = 0;
  for (let round = 0; round < mutationsEach; round += 1) {
    const input = mutated(valid, random);
    const startMs = threadMs();
    try {
      open(round % 50 === 0 ? crypto : trusting, input);
      const isForged = round % 50 === 0 && !equalBytes(bodyOf(input), bodyOf(valid));
      if (isForged) throw new Error(`${name} forged in round ${round}`);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
    slowestMs = Math.max(slowestMs, threadMs() - startMs);
  }
  expect(slowestMs).toBeLessThan(slowestMsMax);
});
/** What is signed, in both envelopes the first field. */
const bodyOf = (bytes: Uint8Array): Uint8Array => readTwice(bytes, limits.documentBytesMax).body;
