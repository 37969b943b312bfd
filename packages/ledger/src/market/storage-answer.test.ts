import { toHex } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { leaseOf, rememberingCrypto, termsBetween, trader } from '../../test/market.ts';
import { checkEvidence, encodeEvidence } from './evidence.ts';
import { judgeLease } from './judge.ts';
import { marketLimits as limits } from './limits.ts';
import {
  encodeShown,
  falseAnswerEntry,
  falseAnswerKind,
  openFalseAnswer,
  openStorageAnswer,
  signStorageAnswer,
} from './storage-answer.ts';
import { challengedLeaves, chunkIdOf, showLeaf, type ShownLeaf } from './storage-tree.ts';
import { openMetered } from './terms.ts';

const crypto = rememberingCrypto();
const random = seededRandom(3);
const [lender, borrower] = [trader(41), trader(42)];
const storage = { resource: 'storage', subject: '', unitsMax: 2_097_152 } as const;
const lease = leaseOf(lender, borrower, termsBetween(lender, borrower, storage));
const { id } = openMetered(crypto, lease.body);
const wholes = [random.bytes(70_000), random.bytes(5_000)];
const chunks = wholes.map((whole) => ({ id: chunkIdOf(crypto, whole), bytes: whole.length }));
const nonce = random.bytes(32);
const right: readonly ShownLeaf[] = await Promise.all(
  challengedLeaves(crypto, nonce, chunks).map(({ chunk, index }) =>
    showLeaf(crypto, chunk, wholes[chunks.findIndex((one) => one.id === chunk)] ?? new Uint8Array(), index),
  ),
);
const wrong = right.map((one, index) => (index === 3 ? { ...one, leaf: one.leaf.map((byte) => byte ^ 1) } : one));
const sides = { lender: lender.identity.peer, borrower: borrower.identity.peer };
/** What a lender signs for these leaves. */
const answer = (leaves: readonly ShownLeaf[], by = lender) => {
  const shown = encodeShown(leaves, chunks);
  const facts = { version: 1 as const, lease: id, ...sides, lender: by.identity.peer, n: 2, nonce };
  return { shown, signed: signStorageAnswer(by, { ...facts, shown: crypto.sha256(shown) }) };
};
const entryOf = ({ signed, shown }: ReturnType<typeof answer>) => falseAnswerEntry(signed, shown);
const code = (expected: string) => expect.objectContaining({ code: expected });

test('a lender that signed for a leaf that is not of its chunk loses before anybody who has the file', () => {
  const documents = [lease, entryOf(answer(wrong))];
  const text = encodeEvidence({ lease: toHex(id), reason: 'it lost my file', documents });
  const { evidence, refused } = checkEvidence(crypto, text, 0);
  const { faults, winner } = judgeLease(crypto, evidence.lease, evidence.documents);
  expect([refused, [...faults], winner]).toEqual([0, [[sides.lender, 'false-answer']], sides.borrower]);
});

test('an honest answer is no evidence, nor is one of another lease, of another lender, or with other leaves', () => {
  const judged = (body: Uint8Array) =>
    judgeLease(crypto, toHex(id), [lease, { kind: falseAnswerKind, body }]).faults.size;
  expect(() => openFalseAnswer(crypto, entryOf(answer(right)).body)).toThrow(code('RECEIPT_WRONG'));
  expect(judged(entryOf(answer(right)).body)).toBe(0);
  expect(judged(entryOf(answer(wrong, trader(43))).body)).toBe(0);
  const other = leaseOf(lender, borrower, termsBetween(lender, borrower, { ...storage, minutes: 61 }));
  const otherId = toHex(openMetered(crypto, other.body).id);
  expect(judgeLease(crypto, otherId, [other, entryOf(answer(wrong))]).faults.size).toBe(0);
  // The borrower puts leaves of its own beside an honest signature.
  const { signed } = answer(right);
  expect(() => openFalseAnswer(crypto, entryOf({ signed, shown: answer(wrong).shown }).body)).toThrow(
    code('INVALID_FORMAT'),
  );
  // Another size of a chunk would make a right leaf wrong: it is signed for too.
  const sized = encodeShown(
    right,
    chunks.map((one) => ({ ...one, bytes: one.bytes + 1 })),
  );
  expect(() => openFalseAnswer(crypto, entryOf({ signed, shown: sized }).body)).toThrow(code('INVALID_FORMAT'));
});

test('a mutated one is refused', () => {
  const { body } = entryOf(answer(wrong));
  expect(openFalseAnswer(crypto, body)).toMatchObject({ n: 2, ...sides });
  const chance = seededRandom(11);
  for (let count = 0; count < 300; count += 1) {
    const other = mutated(body, chance);
    if (toHex(other) === toHex(body)) continue;
    expect(() => openFalseAnswer(crypto, other)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(INVALID_\w+|LIMIT_EXCEEDED)$/u) }),
    );
  }
});

test('it is as large as an evidence file takes, and no larger', () => {
  const leaves = Array.from({ length: 32 }, (_, index) => ({
    chunk: chunks[0]?.id ?? '',
    index,
    leaf: random.bytes(limits.storageLeafBytes),
    path: Array.from({ length: 9 }, () => random.bytes(32)),
  }));
  const entry = entryOf(answer(leaves));
  expect(entry.body.length).toBeLessThanOrEqual(limits.falseAnswerBytesMax);
  const most = { kind: falseAnswerKind, body: new Uint8Array(limits.falseAnswerBytesMax) };
  const small = { kind: 'lease-end', body: new Uint8Array(limits.documentBytesMax) };
  encodeEvidence({ lease: toHex(id), reason: 'x'.repeat(500), documents: [lease, small, small, most] });
  const decode = (bytes: number) => () => openFalseAnswer(crypto, new Uint8Array(bytes).fill(0xff));
  expect(decode(limits.falseAnswerBytesMax)).toThrow(code('INVALID_FORMAT'));
  expect(decode(limits.falseAnswerBytesMax + 1)).toThrow(code('LIMIT_EXCEEDED'));
  const { signed } = answer(right);
  expect(openStorageAnswer(crypto, signed).n).toBe(2);
});

test('it shows `shownLeavesMax` leaves, each with `shownPathMax` hashes, and not one more', () => {
  const leaf = { chunk: chunks[0]?.id ?? '', index: 0, leaf: random.bytes(1), path: [] as Uint8Array[] };
  const open = (leaves: number, hashes: number) => {
    const path = Array.from({ length: hashes }, () => random.bytes(1));
    return openFalseAnswer(crypto, entryOf(answer(Array.from({ length: leaves }, () => ({ ...leaf, path })))).body).n;
  };
  const { shownLeavesMax: leaves, shownPathMax: hashes } = limits;
  expect(open(leaves, hashes)).toBe(2);
  expect(() => open(leaves + 1, hashes)).toThrow(code('INVALID_FORMAT'));
  expect(() => open(leaves, hashes + 1)).toThrow(code('INVALID_FORMAT'));
});
