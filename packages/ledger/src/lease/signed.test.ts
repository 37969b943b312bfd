import { concatBytes, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { memoryWorld, mutated, seededRandom } from '@peerai/core-protocol/testing';
import { threadMs } from '@peerai/config/thread-time';
import { describe, expect, test } from 'vitest';
import { crypto } from '../../test/world.ts';
import { leaseLimits as limits } from './limits.ts';
import { readTwice } from './signed-twice.ts';
import {
  countersignLeaseReceipt,
  type ExpectedUsage,
  issueLeaseReceipt,
  type LeaseReceipt,
  openLeaseReceipt,
  readLeaseReceipt,
} from './receipt.ts';
import {
  acceptLease,
  leaseDue,
  leaseIdOf,
  leasePrice,
  type LeaseTerms,
  offerLease,
  openLease,
  readLease,
} from './terms.ts';

const [lender, borrower, stranger] = [1, 2, 3].map((seed) => memoryWorld({ seed, crypto })) as [
  ReturnType<typeof memoryWorld>,
  ReturnType<typeof memoryWorld>,
  ReturnType<typeof memoryWorld>,
];
const termsWith = (change: Partial<LeaseTerms> = {}): LeaseTerms => ({
  version: 1,
  lender: lender.identity.peer,
  borrower: borrower.identity.peer,
  nodes: 8,
  minutes: 2,
  price: 1_000n,
  startMs: 5,
  nonce: new Uint8Array(limits.nonceBytes).fill(7),
  ...change,
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const half = offerLease(borrower, termsWith());
const full = acceptLease(lender, half);
const lease = leaseIdOf(crypto, half);

const receiptWith = (change: Partial<LeaseReceipt> = {}): LeaseReceipt => ({
  version: 1,
  lease,
  lender: lender.identity.peer,
  borrower: borrower.identity.peer,
  n: 1,
  steps: 4,
  busyMs: 3,
  bytesIn: 64,
  bytesOut: 256,
  heldMs: 60_000,
  due: 500n,
  stateHash: new Uint8Array(32).fill(1),
  workHash: new Uint8Array(32).fill(2),
  timeMs: 9,
  ...change,
});
const expectedWith = (change: Partial<ExpectedUsage> = {}): ExpectedUsage => ({
  lease,
  terms: termsWith(),
  previous: undefined,
  steps: 4,
  bytesIn: 64,
  bytesOut: 256,
  workHash: new Uint8Array(32).fill(2),
  elapsedMs: 60_000,
  ...change,
});

describe('the terms of a lease', () => {
  test('are signed by the borrower, then by both under the same bytes', () => {
    expect(openLease(crypto, half)).toEqual({ terms: termsWith(), id: lease, signedBy: 'borrower' });
    expect(openLease(crypto, full)).toEqual({ terms: termsWith(), id: lease, signedBy: 'both' });
    expect(() => acceptLease(stranger, half)).toThrow('somebody else');
    const forged = offerLease(stranger, termsWith());
    expect(() => openLease(crypto, forged)).toThrow(code('INVALID_SIGNATURE'));
  });

  test('are another lease with any field changed', () => {
    const other = offerLease(borrower, termsWith({ nonce: new Uint8Array(16).fill(8) }));
    expect(equalBytes(leaseIdOf(crypto, other), lease)).toBe(false);
  });

  test('are taken at each limit and refused one past it', () => {
    const dearest = leasePrice(limits.nodeHourMicroMax, limits.nodesMax, limits.minutesMax);
    const most = { nodes: limits.nodesMax, minutes: limits.minutesMax, price: dearest };
    const biggest = acceptLease(lender, offerLease(borrower, termsWith({ ...most, startMs: Number.MAX_SAFE_INTEGER })));
    expect(openLease(crypto, biggest).terms).toMatchObject(most);
    expect(biggest.length).toBeLessThanOrEqual(limits.leaseBytesMax);
    for (const past of [{ nodes: limits.nodesMax + 1 }, { minutes: limits.minutesMax + 1 }, { price: dearest + 1n }])
      expect(() => offerLease(borrower, termsWith({ ...most, ...past }))).toThrow(code('LIMIT_EXCEEDED'));
    for (const wrong of [
      { nodes: 0 },
      { minutes: 0 },
      { nonce: new Uint8Array(limits.nonceBytes - 1) },
      { nonce: new Uint8Array(limits.nonceBytes + 1) },
      { lender: borrower.identity.peer },
    ])
      expect(() => offerLease(borrower, termsWith(wrong))).toThrow(code('INVALID_FORMAT'));
    const long = concatBytes(full, new Uint8Array(limits.leaseBytesMax + 1 - full.length));
    expect(() => readLease(long)).toThrow(code('LIMIT_EXCEEDED'));
  });

  test('say what a part of the time costs, rounded up, and never more than all of it', () => {
    expect(leasePrice(500_000n, 1, 1)).toBe(8_334n);
    expect(leasePrice(0n, 8, 60)).toBe(0n);
    expect(leaseDue({ price: 1_000n, minutes: 1 }, 0)).toBe(0n);
    expect(leaseDue({ price: 1_000n, minutes: 1 }, 1)).toBe(1n);
    expect(leaseDue({ price: 1_000n, minutes: 1 }, 30_000)).toBe(500n);
    expect(leaseDue({ price: 1_000n, minutes: 1 }, 90_000)).toBe(1_000n);
  });
});

describe('the receipt of a lease', () => {
  test('is signed by the lender, then by both', () => {
    const given = issueLeaseReceipt(lender, receiptWith());
    expect(openLeaseReceipt(crypto, given)).toEqual({ receipt: receiptWith(), signedBy: 'lender' });
    const signed = countersignLeaseReceipt(borrower, given, expectedWith());
    expect(openLeaseReceipt(crypto, signed)).toEqual({ receipt: receiptWith(), signedBy: 'both' });
    const forged = issueLeaseReceipt(stranger, receiptWith());
    expect(() => countersignLeaseReceipt(borrower, forged, expectedWith())).toThrow(code('INVALID_SIGNATURE'));
  });

  const wrong: [string, Partial<LeaseReceipt>, Partial<ExpectedUsage>?][] = [
    ['lease', { lease: new Uint8Array(32) }],
    ['n', { n: 2 }],
    ['n', {}, { previous: receiptWith() }],
    ['steps', { steps: 5 }],
    ['bytesIn', { bytesIn: 65 }],
    ['bytesOut', { bytesOut: 257 }],
    ['workHash', { workHash: new Uint8Array(32) }],
    ['heldMs', { heldMs: 120_001, due: 1_000n }, { elapsedMs: 200_000 }],
    ['heldMs', {}, { elapsedMs: 60_000 - limits.heldSlackMs - 1 }],
    ['heldMs', { n: 2 }, { previous: receiptWith({ heldMs: 60_001 }) }],
    ['busyMs', { busyMs: 60_001 }],
    ['busyMs', { n: 2 }, { previous: receiptWith({ busyMs: 4 }) }],
    ['due', { due: 501n }],
  ];
  test.each(wrong)('is not signed with a wrong %s', (field, change, known) => {
    const given = issueLeaseReceipt(lender, receiptWith(change));
    expect(() => countersignLeaseReceipt(borrower, given, expectedWith(known))).toThrow(
      expect.objectContaining({ code: 'RECEIPT_WRONG', details: { field } }),
    );
  });

  test('may name a little more time than the borrower’s clock saw, and no more', () => {
    const given = issueLeaseReceipt(lender, receiptWith());
    const elapsedMs = 60_000 - limits.heldSlackMs;
    expect(countersignLeaseReceipt(borrower, given, expectedWith({ elapsedMs }))).toBeInstanceOf(Uint8Array);
  });

  test('is of this lease’s two peers', () => {
    for (const [field, change] of [
      ['lender', { lender: stranger.identity.peer }],
      ['borrower', { borrower: stranger.identity.peer }],
    ] as [string, { lender?: PeerId; borrower?: PeerId }][]) {
      const by = change.lender === undefined ? lender : stranger;
      const given = issueLeaseReceipt(by, receiptWith(change));
      expect(() => countersignLeaseReceipt(borrower, given, expectedWith())).toThrow(
        expect.objectContaining({ code: 'RECEIPT_WRONG', details: { field } }),
      );
    }
  });

  test('is taken at each limit and refused one past it', () => {
    const most = limits.totalMax;
    const biggest = { steps: most, busyMs: most, bytesIn: most, bytesOut: most, heldMs: most, n: 0xff_ff_ff_ff };
    const given = issueLeaseReceipt(
      lender,
      receiptWith({ ...biggest, due: 2n ** 64n - 1n, timeMs: Number.MAX_SAFE_INTEGER }),
    );
    expect(readLeaseReceipt(given)).toMatchObject(biggest);
    expect(given.length + 66).toBeLessThanOrEqual(limits.receiptBytesMax);
    for (const field of ['steps', 'busyMs', 'bytesIn', 'bytesOut', 'heldMs'] as const)
      expect(() => issueLeaseReceipt(lender, receiptWith({ [field]: most + 1 }))).toThrow(code('LIMIT_EXCEEDED'));
    for (const change of [{ n: 0 }, { lease: new Uint8Array(31) }, { stateHash: new Uint8Array(33) }])
      expect(() => issueLeaseReceipt(lender, receiptWith(change))).toThrow(code('INVALID_FORMAT'));
    expect(() => readLeaseReceipt(new Uint8Array(limits.receiptBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
  });
});

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;
const signedReceipt = countersignLeaseReceipt(borrower, issueLeaseReceipt(lender, receiptWith()), expectedWith());
test.each([
  ['terms', full, readLease, openLease],
  ['receipt', signedReceipt, readLeaseReceipt, openLeaseReceipt],
] as const)('%s: 10,000 mutations, nothing but our errors, nothing slow, nothing forged', (_, valid, read, open) => {
  const random = seededRandom(71);
  let slowestMs = 0;
  for (let round = 0; round < mutationsEach; round += 1) {
    const input = mutated(valid, random);
    const startMs = threadMs();
    let signedBy = 'nobody';
    try {
      read(input);
      // A signature costs much more than reading: of every tenth.
      if (round % 10 === 0) signedBy = open(crypto, input).signedBy;
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
    slowestMs = Math.max(slowestMs, threadMs() - startMs);
    // A cut may take the second signature away, and an unknown field may come behind; what both signed stays as it was.
    if (signedBy === 'both' && !equalBytes(bodyOf(input), bodyOf(valid))) throw new Error(`forged in round ${round}`);
  }
  expect(slowestMs).toBeLessThan(slowestMsMax);
});
const bodyOf = (bytes: Uint8Array): Uint8Array => readTwice(bytes, limits.receiptBytesMax).body;
