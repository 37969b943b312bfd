import { toHex } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { endOf, leaseOf, nodeLease, rememberingCrypto, termsBetween, trader, usageChain } from '../../test/market.ts';
import { issueLeaseReceipt, leaseReceiptEntry, type LeaseReceipt } from '../lease/receipt.ts';
import { signSecond } from '../lease/signed-twice.ts';
import { leaseEntry } from '../lease/terms.ts';
import { issueReceipt } from '../receipt/issue.ts';
import { checkEvidence, encodeEvidence } from './evidence.ts';
import { judgeLease } from './judge.ts';
import { refusedReceiptEntry } from './refused-receipt.ts';
import { issueStorageReceipt, type StorageReceipt, storageReceiptEntry } from './storage.ts';
import { meteredDue, openMetered } from './terms.ts';

const crypto = rememberingCrypto();
const [lender, borrower, stranger] = [trader(51), trader(52), trader(53)];
const sides = { lender: lender.identity.peer, borrower: borrower.identity.peer };
const zeros = new Uint8Array(32);
type Documents = Parameters<typeof judgeLease>[2];

/** What a file of evidence decides, on a machine that has nothing else. */
function judged(id: Uint8Array, documents: Documents) {
  const text = encodeEvidence({ lease: toHex(id), reason: 'a wrong receipt', documents: [...documents] });
  const { evidence, refused } = checkEvidence(crypto, text, 0);
  const { faults, winner } = judgeLease(crypto, evidence.lease, evidence.documents);
  return [refused, [...faults], winner];
}
const guilty = (fault: string) => [0, [[sides.lender, fault]], sides.borrower];
const undecided = [0, [], undefined];

describe('a receipt of nodes that its borrower refuses', () => {
  const { full, id } = nodeLease(lender, borrower);
  const totals = { steps: 9, busyMs: 9, bytesIn: 9, bytesOut: 9, stateHash: zeros, workHash: zeros };
  const first = { version: 1, lease: id, ...sides, n: 1, heldMs: 6_000, due: 60n, timeMs: 1, ...totals } as const;
  const before = signSecond(borrower.identity, 'peerai/lease-receipt/1', issueLeaseReceipt(lender, first));
  const signed = [leaseEntry(full), leaseReceiptEntry(before)];
  const next: LeaseReceipt = { ...first, n: 2, heldMs: 12_000, due: 120n };
  const judge = (change: Partial<LeaseReceipt>, by = lender) =>
    judged(id, [...signed, refusedReceiptEntry('node', issueLeaseReceipt(by, { ...next, ...change }))]);

  test.each<[string, Partial<LeaseReceipt>]>([
    ['receipt-amount', { due: 121n }],
    ['receipt-amount', { heldMs: 60_001, due: 600n }],
    ['receipt-foreign', { borrower: stranger.identity.peer }],
    ...(['steps', 'busyMs', 'bytesIn', 'bytesOut'] as const).map((name): [string, Partial<LeaseReceipt>] => [
      'receipt-back',
      { [name]: 8 },
    ]),
    ['receipt-back', { heldMs: 5_000, due: 50n }],
  ])('is its lender’s fault by signatures alone: %s, %o', (fault, change) => {
    expect(judge(change)).toEqual(guilty(fault));
  });

  test('is nobody’s by what only the two know, in another lease, or by another hand', () => {
    expect(judge({})).toEqual(undecided);
    expect(judge({ steps: 10_000, workHash: new Uint8Array(32).fill(7) })).toEqual(undecided);
    expect(judge({ lease: new Uint8Array(32).fill(1), due: 599n })).toEqual(undecided);
    const forged = { ...next, lender: stranger.identity.peer, due: 599n };
    expect(judge(forged, stranger)).toEqual(undecided);
    // A smaller total in the same place, or an earlier one, may be of a receipt that was lost.
    expect(judge({ n: 1, steps: 8 })).toEqual(undecided);
    // Signed by somebody else than it names.
    const [refused, faults] = judge({ due: 121n }, stranger);
    expect([refused, faults]).toEqual([1, []]);
  });

  test('is its lender’s in a dispute that its borrower began, and the borrower wins it', () => {
    const half = refusedReceiptEntry('node', issueLeaseReceipt(lender, { ...next, due: 121n }));
    const end = endOf(borrower, lender, id, { outcome: 'disputed', n: 1, due: 60n, evidence: zeros });
    const verdict = judgeLease(crypto, toHex(id), [...signed, half, end]);
    expect(verdict).toMatchObject({ disputed: true, winner: sides.borrower });
  });
});

describe('a receipt of stored bytes that its borrower refuses', () => {
  const terms = termsBetween(lender, borrower, { resource: 'storage', subject: '', unitsMax: 1_000_000 });
  const lease = leaseOf(lender, borrower, terms);
  const { id } = openMetered(crypto, lease.body);
  const at = (n: number, byteMs: bigint): StorageReceipt => {
    const facts = { version: 1, lease: id, ...sides, heldBytes: 1_000_000, proof: zeros, timeMs: 1 } as const;
    return { ...facts, n, byteMs, due: meteredDue(terms, byteMs) };
  };
  const [once, twice] = [10n ** 11n, 2n * 10n ** 11n];
  const before = signSecond(borrower.identity, 'peerai/storage-receipt/1', issueStorageReceipt(lender, at(1, once)));
  const judge = (receipt: StorageReceipt) =>
    judged(id, [
      lease,
      storageReceiptEntry(before),
      refusedReceiptEntry('storage', issueStorageReceipt(lender, receipt)),
    ]);

  test.each<[string, StorageReceipt]>([
    ['receipt-amount', { ...at(2, twice), due: at(2, twice).due + 1n }],
    ['receipt-over', { ...at(2, twice), heldBytes: 1_000_001 }],
    ['receipt-back', at(2, once - 1n)],
    ['receipt-foreign', { ...at(2, twice), borrower: stranger.identity.peer }],
  ])('is its lender’s fault by signatures alone: %s', (fault, receipt) => {
    expect(judge(receipt)).toEqual(guilty(fault));
  });

  test('is nobody’s where only the borrower knows what was held, and how long', () => {
    expect(judge(at(2, twice))).toEqual(undecided);
    expect(judge({ ...at(2, twice), heldBytes: 1, proof: new Uint8Array(32).fill(1) })).toEqual(undecided);
  });
});

describe('a receipt of an answer that its borrower refuses', () => {
  const terms = termsBetween(lender, borrower, { unitsMax: 100 });
  const lease = leaseOf(lender, borrower, terms);
  const { id } = openMetered(crypto, lease.body);
  const [first = lease] = usageChain(lender, borrower, id, [10]);
  const half = (
    answerTokens: number,
    change: { readonly model?: string; readonly consumer?: typeof sides.lender } = {},
  ) => {
    const facts = { lease: id, requestId: 'r9', model: 'nano', consumer: sides.borrower, workHash: zeros, ...change };
    return issueReceipt(lender, undefined, { ...facts, usage: { promptTokens: 1, answerTokens } });
  };
  const judge = (bytes: Uint8Array, signed = [lease]) => judged(id, [...signed, refusedReceiptEntry('model', bytes)]);

  test('is its lender’s fault above the tokens of the lease, at the next of them and not before', () => {
    expect(judge(half(99))).toEqual(undecided);
    expect(judge(half(100))).toEqual(guilty('receipt-over'));
  });

  test('is its lender’s fault for another model or borrower, or where a total goes back', () => {
    expect(judge(half(1, { model: 'other' }))).toEqual(guilty('receipt-foreign'));
    expect(judge(half(1, { consumer: stranger.identity.peer }))).toEqual(guilty('receipt-foreign'));
    const [, second] = usageChain(lender, borrower, id, [1, 2]);
    if (second === undefined) throw new Error('no second receipt');
    // Eleven tokens were signed for in the first place, five in the second: of another history.
    expect(judge(second.body, [lease, first])).toEqual(guilty('receipt-back'));
  });
});
