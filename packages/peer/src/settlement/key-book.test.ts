import { createIdentity, type EntryBody, nobleCrypto as crypto, PeerAiError } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import * as evm from '@peerai/ledger/evm';
import { expect, it } from 'vitest';
import { openKeyBook } from './key-book.ts';

const random = seededRandom(31);
const someone = () => ({ identity: createIdentity(crypto, random.bytes(32)), key: evm.createSettlementKey(random) });
const [self, other, third] = [someone(), someone(), someone()];

function world() {
  const [clock, store, log] = [new ManualClock(), new MemoryStore(), [] as string[]];
  const append = async (entries: readonly EntryBody[], changes: Parameters<MemoryStore['commit']>[0] = []) => {
    log.push(...entries.map(({ kind }) => kind));
    await store.commit(changes);
    return 0n;
  };
  const deps = { crypto, clock, store, identity: self.identity, accounts: { ledger: { append } } };
  return { clock, log, open: (key = self.key) => openKeyBook(deps, evm, key) };
}

it('says once whose this peer’s key is, in the log too, and anew when the key is another', async () => {
  const { clock, log, open } = world();
  const { own } = await open();
  expect(evm.openSettlementKey(crypto, own)).toMatchObject({ peer: self.identity.peer, address: self.key.address });
  await clock.advance(1_000);
  expect((await open()).own).toEqual(own);
  expect(log).toEqual(['settlement-key']);
  const anew = await open(third.key);
  expect((await anew.of(self.identity.peer))?.address).toBe(third.key.address);
  expect(log).toHaveLength(2);
});

it('takes of others what both of their keys signed, the newest, and nobody’s for another', async () => {
  const keys = await world().open();
  const { peer } = other.identity;
  const said = (key: evm.SettlementKey, ms: number) => evm.stateSettlementKey({ crypto, ...other }, key, ms);
  expect(await keys.of(peer)).toBeUndefined();
  await keys.take(peer, said(other.key, 20));
  await keys.take(peer, said(third.key, 19));
  expect((await keys.of(peer))?.address).toBe(other.key.address);
  await keys.take(peer, said(third.key, 21));
  expect((await keys.of(peer))?.address).toBe(third.key.address);
  const changed = said(other.key, 30);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  for (const [who, statement] of [
    [third.identity.peer, said(other.key, 30)],
    [peer, changed],
  ] as const)
    await expect(keys.take(who, statement)).rejects.toSatisfy((error) => PeerAiError.is(error, 'INVALID_SIGNATURE'));
  expect((await keys.of(peer))?.address).toBe(third.key.address);
});
