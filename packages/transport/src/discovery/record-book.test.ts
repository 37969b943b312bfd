import {
  createIdentity,
  limits as coreLimits,
  nobleCrypto,
  type PeerId,
  peerIdFromPublicKey,
  signRecord,
} from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createRecordBook, type RecordBook, type RecordBookDeps } from './record-book.ts';

const [self, attacker, friend] = ['self' as PeerId, 'attacker' as PeerId, 'friend' as PeerId];
const nothing = (): string[] => [];

/** Signatures are not checked here, so that thousands of peers cost no second. */
const quick = { ...nobleCrypto, ed25519: { ...nobleCrypto.ed25519, verify: () => true } };

function bookOf(deps: Partial<RecordBookDeps> = {}): RecordBook {
  return createRecordBook({ crypto: quick, self, nowMs: () => 0, ...deps });
}

function keyOf(index: number): Uint8Array {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(0, index + 1);
  return key;
}
const peerOf = (index: number): PeerId => peerIdFromPublicKey(keyOf(index));

function recordOf(index: number, { sequence = 1, expiresMs = 50_000 } = {}): Uint8Array {
  const identity = { peer: peerOf(index), publicKey: keyOf(index), sign: () => new Uint8Array(64) };
  const addresses = [`/ip4/10.0.0.1/tcp/${sequence}`];
  return signRecord(identity, { addresses, name: '', sequence, expiresMs, models: [], agent: '' });
}

test('only a record under a valid signature and of a bounded size is taken', () => {
  const identity = createIdentity(nobleCrypto, keyOf(1));
  const sealed = signRecord(identity, { addresses: [], name: '', sequence: 1, expiresMs: 9, models: [], agent: '' });
  const forged = sealed.slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const book = bookOf({ crypto: nobleCrypto });
  expect(book.put(forged, friend)).toBeUndefined();
  expect(book.put(new Uint8Array(coreLimits.recordBytesMax + 1), friend)).toBeUndefined();
  expect(book.put(sealed, friend)?.record.peer).toBe(identity.peer);
});

test('only the newest record of a peer counts, and an expired one is forgotten', () => {
  let nowMs = 0;
  const book = bookOf({ nowMs: () => nowMs });
  const newest = recordOf(1, { sequence: 2 });
  expect(book.put(newest, friend)).toBeDefined();
  expect(book.put(recordOf(1, { sequence: 1 }), friend)).toBeUndefined();
  expect(book.put(newest, friend)).toBeUndefined();
  expect(book.match('topic:t', () => [peerOf(1)])).toHaveLength(1);
  expect(book.match(peerOf(1), nothing)[0]?.record.sequence).toBe(2);
  expect(book.addresses(peerOf(1))).toEqual(['/ip4/10.0.0.1/tcp/2']);
  nowMs = 50_000;
  expect(book.addresses(peerOf(1))).toEqual([]);
  expect(book.match(peerOf(1), nothing)).toEqual([]);
  expect(book.holds(newest)).toBe(false);
});

test('a record that must be of one author is not taken from another', () => {
  const book = bookOf();
  expect(book.put(recordOf(1), friend, peerOf(2))).toBeUndefined();
  expect(book.put(recordOf(1), friend, peerOf(1))).toBeDefined();
});

test('the book holds what it took, byte for byte, and no longer what a newer record replaced', () => {
  const book = bookOf();
  const [first, second] = [recordOf(1), recordOf(1, { sequence: 2 })];
  book.put(first, friend);
  expect([book.holds(first), book.holds(second)]).toEqual([true, false]);
  book.put(second, friend);
  expect([book.holds(first), book.holds(second), book.size]).toEqual([false, true, 1]);
});

test('at its limit the book is full, and one more pushes out the one heard of longest ago', () => {
  const book = bookOf({ recordsPerSourceMax: limits.recordsMax + 1 });
  for (let index = 0; index < limits.recordsMax; index += 1) book.put(recordOf(index), attacker);
  expect([book.size, book.addresses(peerOf(0)).length]).toEqual([limits.recordsMax, 1]);
  book.put(recordOf(limits.recordsMax), attacker);
  expect([book.size, book.addresses(peerOf(0)).length]).toEqual([limits.recordsMax, 0]);
  expect(book.holds(recordOf(0))).toBe(false);
}, 20_000);

test('one neighbour fills its share and then pushes out its own records, not those of others', () => {
  const book = bookOf();
  const friends = limits.recordsPerSourceMax * 3;
  book.put(recordOf(friends), friend);
  for (let index = 0; index < limits.recordsPerSourceMax; index += 1) book.put(recordOf(index), attacker);
  expect([book.size, book.addresses(peerOf(0)).length]).toEqual([limits.recordsPerSourceMax + 1, 1]);
  book.put(recordOf(limits.recordsPerSourceMax), attacker);
  expect([book.size, book.addresses(peerOf(0)).length]).toEqual([limits.recordsPerSourceMax + 1, 0]);
  expect(book.addresses(peerOf(friends))).toHaveLength(1);
}, 20_000);

test('expired records make room before any other, and our own never does', () => {
  let nowMs = 0;
  const book = bookOf({ nowMs: () => nowMs, recordsMax: 3 });
  book.put(recordOf(0), self);
  book.put(recordOf(1), friend);
  book.put(recordOf(2, { expiresMs: 10 }), friend);
  nowMs = 10;
  book.put(recordOf(3), friend);
  expect([0, 1, 2, 3].map((index) => book.addresses(peerOf(index)).length)).toEqual([1, 1, 0, 1]);
  book.put(recordOf(4), friend);
  expect([0, 1, 3, 4].map((index) => book.addresses(peerOf(index)).length)).toEqual([1, 0, 1, 1]);
});
