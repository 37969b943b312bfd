import { createIdentity, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { MemoryStore } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { type NamedContact, openContacts } from './contacts.ts';
import { contact, secret } from './testing/life.ts';

const open = (store: MemoryStore, named: readonly NamedContact[]) =>
  openContacts({ store, crypto: nodeCrypto }, { named, isOpen: false, secret });

test('An older peer may do nothing but what the settings say, until its owner says something else, also after a restart', async () => {
  const store = new MemoryStore();
  const may = async (configured: readonly 'tasks'[] | undefined) => {
    const named = { ...contact(), ...(configured === undefined ? {} : { allow: configured }) };
    return (await open(store, [named])).byName('entity-a')?.allow;
  };
  expect(await may(undefined)).toEqual([]);
  expect(await may(['tasks'])).toEqual(['tasks']);
  const contacts = await open(store, [{ ...contact(), allow: ['tasks'] }]);
  const allowed = await contacts.allow('entity-a', []);
  expect(contacts.byPeer(allowed.peer)?.allow).toEqual([]);
  expect(await may(['tasks'])).toEqual([]);
  await contacts.allow('entity-a', ['tasks']);
  expect(await may(undefined)).toEqual(['tasks']);
});

test('What was allowed holds for the key, not for another that takes the name', async () => {
  const store = new MemoryStore();
  await (await open(store, [contact()])).allow('entity-a', ['tasks']);
  const other = createIdentity(nodeCrypto, new Uint8Array(32).fill(8)).publicKey;
  expect(toHex(other)).not.toBe(toHex(contact().publicKey ?? new Uint8Array()));
  expect((await open(store, [contact('pcp/1.0-six', other)])).byName('entity-a')?.allow).toEqual([]);
});

test('Nobody who is not known, and no name that only the shared secret stands for, is allowed anything', async () => {
  const contacts = await open(new MemoryStore(), [{ name: 'assistant', profile: 'inbox', allow: ['tasks'] }]);
  expect(contacts.byName('assistant')?.allow).toEqual([]);
  await expect(contacts.allow('assistant', ['tasks'])).rejects.toMatchObject({ code: 'REFUSED' });
  await expect(contacts.allow('nobody', ['tasks'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
