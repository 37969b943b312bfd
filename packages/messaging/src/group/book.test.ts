import { createIdentity } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createBook } from './book.ts';
import { limits } from './limits.ts';
import { createMls } from './mls.ts';

const random = seededRandom(5);
const [own, sender, other] = [1, 2, 3].map((seed) => createIdentity(nodeCrypto, new Uint8Array(32).fill(seed)));
const group = '0'.repeat(32);
const data = new Uint8Array(10);

function open() {
  if (own === undefined || sender === undefined || other === undefined) throw new Error('three identities');
  const book = createBook(new MemoryStore(), createMls({ crypto: nodeCrypto, random, identity: own }));
  return { book, a: sender.peer, b: other.peer };
}

test('as many letters of one sender wait as the limit says, not one more; another sender has room', async () => {
  const { book, a, b } = open();
  const last = limits.parkedPerSenderMax;
  for (let place = 0; place < last; place += 1) await book.park(group, 1n, { sender: a, place, data }, 0);
  await expect(book.park(group, 1n, { sender: a, place: last, data }, 0)).rejects.toMatchObject({ code: 'REFUSED' });
  await book.park(group, 1n, { sender: b, place: 0, data }, 0);
  expect(await book.parked(group)).toHaveLength(last + 1);
});

test('letters wait in the order of their epochs and places, and are forgotten after their time', async () => {
  const { book, a } = open();
  await book.park(group, 2n, { sender: a, place: 0, data }, 1);
  await book.park(group, 1n, { sender: a, place: 9, data }, 0);
  await book.park(group, 1n, { sender: a, place: 3, data }, 0);
  expect((await book.parked(group)).map(({ place }) => place)).toEqual([3, 9, 0]);
  await book.sweep(limits.parkedMsMax);
  expect(await book.parked(group)).toHaveLength(3);
  await book.sweep(limits.parkedMsMax + 1);
  expect((await book.parked(group)).map(({ place }) => place)).toEqual([0]);
});
