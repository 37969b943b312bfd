import { toHex } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { crypto } from '../../test/world.ts';
import { leaseOf, nodeLease, termsBetween, trader, usageChain } from '../../test/market.ts';
import { issueLeaseReceipt, type LeaseReceipt } from '../lease/receipt.ts';
import { readTwice, signSecond } from '../lease/signed-twice.ts';
import type { LeaseDocument } from './collect.ts';
import { openFinalReceipt } from './final-receipt.ts';
import { issueStorageReceipt, type StorageReceipt } from './storage.ts';
import { meteredDue, meteredPrice, openMetered } from './terms.ts';

const [lender, borrower] = [trader(41), trader(42)];
const sides = { lender: lender.identity.peer, borrower: borrower.identity.peer };
const code = (expected: string) => expect.objectContaining({ code: expected });
const zeros = new Uint8Array(32);

/** One receipt of each kind, due by its terms unless `more` is. */
function ofNodes(more = 0n, wholly = true) {
  const { terms, id } = nodeLease(lender, borrower);
  const totals = { steps: 1, busyMs: 1, bytesIn: 1, bytesOut: 1, stateHash: zeros, workHash: zeros };
  const facts = {
    version: 1,
    lease: id,
    ...sides,
    n: 3,
    heldMs: 6_000,
    due: 60n + more,
    timeMs: 1,
    ...totals,
  } as const;
  const half = issueLeaseReceipt(lender, facts satisfies LeaseReceipt);
  const receipt = wholly ? signSecond(borrower.identity, 'peerai/lease-receipt/1', half) : half;
  return { id, receipt, document: { kind: 'node', terms } satisfies LeaseDocument, due: 60n, n: 3 };
}
function ofStorage(more = 0n, wholly = true) {
  const terms = termsBetween(lender, borrower, { resource: 'storage', subject: '', unitsMax: 1_048_576 });
  const { id } = openMetered(crypto, leaseOf(lender, borrower, terms).body);
  const byteMs = 1_048_576n * 600_000n;
  const due = meteredDue(terms, byteMs);
  expect(due < meteredPrice(terms)).toBe(true);
  const facts = {
    version: 1,
    lease: id,
    ...sides,
    n: 2,
    heldBytes: 9,
    byteMs,
    due: due + more,
    proof: zeros,
    timeMs: 1,
  };
  const half = issueStorageReceipt(lender, facts as StorageReceipt);
  const receipt = wholly ? signSecond(borrower.identity, 'peerai/storage-receipt/1', half) : half;
  return { id, receipt, document: { kind: 'metered', terms } satisfies LeaseDocument, due, n: 2 };
}

test('a receipt of each kind is taken as its terms read it', () => {
  for (const { id, document, receipt, due, n } of [ofNodes(), ofStorage()])
    expect(openFinalReceipt(crypto, toHex(id), document, receipt)).toEqual({ lease: id, n, due, receipt });
  const terms = termsBetween(lender, borrower);
  const { id } = openMetered(crypto, leaseOf(lender, borrower, terms).body);
  const last = usageChain(lender, borrower, id, [10, 20]).at(-1)?.body ?? zeros;
  // 11 and 21 tokens at two micro-credits each.
  expect(openFinalReceipt(crypto, toHex(id), { kind: 'metered', terms }, last)).toMatchObject({ n: 2, due: 64n });
});

test('is refused with one signature, of another lease, and with another amount than the terms give', () => {
  for (const kind of [ofNodes, ofStorage]) {
    const { id, document, receipt } = kind();
    const open =
      (lease: string, bytes = receipt) =>
      () =>
        openFinalReceipt(crypto, lease, document, bytes);
    expect(open(toHex(id), kind(0n, false).receipt)).toThrow(code('INVALID_SIGNATURE'));
    expect(open('00'.repeat(32))).toThrow(code('RECEIPT_WRONG'));
    expect(open(toHex(id), kind(1n).receipt)).toThrow(code('RECEIPT_WRONG'));
    expect(readTwice(receipt, 1_024).second).toBeDefined();
  }
});
