import { expect, it } from 'vitest';
import { utf8 } from '../bytes.ts';
import { storeContract } from './contracts/store.ts';
import { MemoryStore } from './store.ts';

storeContract('MemoryStore', () => {
  const store = new MemoryStore();
  return { store, reopen: async () => store.reopen() };
});

it('is full at its limit, keeps what it has, and takes more once something is deleted', async () => {
  const store = new MemoryStore({ bytesMax: 10 });
  await store.commit([store.put('a', new Uint8Array(9))]);
  await expect(store.commit([store.put('b', new Uint8Array())])).rejects.toMatchObject({ code: 'STORE_FULL' });
  await store.commit([store.put('a'), store.put('b', new Uint8Array(9))]);
  expect(await store.get('b')).toHaveLength(9);
});

it('refuses every commit after it broke, until it is reopened', async () => {
  const store = new MemoryStore();
  store.failNextCommit('STORE_BROKEN');
  for (let turn = 0; turn < 2; turn += 1) {
    await expect(store.commit([store.put('a', utf8('1'))])).rejects.toMatchObject({ code: 'STORE_BROKEN' });
  }
  const again = store.reopen();
  await again.commit([again.put('a', utf8('1'))]);
  expect(await again.get('a')).toEqual(utf8('1'));
});

it('keeps out what a dead process still tries to commit, in rooms too, and leaves the one it is a copy of alone', async () => {
  const dead = new MemoryStore();
  const room = dead.room('r');
  const store = dead.reopen();
  await expect(room.commit([room.put('a', utf8('old'))])).rejects.toMatchObject({ code: 'STORE_BROKEN' });
  expect(await store.room('r').get('a')).toBeUndefined();
  const copy = store.copy();
  await copy.commit([copy.put('b', utf8('2'))]);
  await store.commit([store.put('c', utf8('3'))]);
  expect([await store.get('b'), await copy.get('c')]).toEqual([undefined, undefined]);
});
