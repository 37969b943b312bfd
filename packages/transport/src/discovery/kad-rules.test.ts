import { createIdentity, nobleCrypto, type PeerRecord, signRecord, utf8 } from '@peerai/core-protocol';
import { Record as KadRecord } from '@libp2p/kad-dht';
import { seededRandom } from '@peerai/core-protocol/testing';
import { Key } from 'interface-datastore/key';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { kadRules, offerKey, recordKey } from './kad-rules.ts';
import { KadStore } from './kad-store.ts';

const nowMs = 1_800_000_000_000;
const random = seededRandom(7);
const identity = createIdentity(nobleCrypto, random.bytes(32));
const record = (fields: Partial<PeerRecord> = {}): Uint8Array => {
  const body = { addresses: [], name: 'n', sequence: 1, expiresMs: nowMs + 60_000, models: ['m'], agent: '' };
  return signRecord(identity, { ...body, ...fields });
};
const rules = kadRules(nobleCrypto, () => nowMs);
const check = async (key: Uint8Array, value: Uint8Array): Promise<void> => rules.validators?.['peerai']?.(key, value);
const forged = record().map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte));

describe('what may lie in the DHT', () => {
  test('a record under its own peer', async () => {
    await expect(check(recordKey(identity.peer), record())).resolves.toBeUndefined();
  });

  test.each([
    ['a forged one', recordKey(identity.peer), forged, 'INVALID_SIGNATURE'],
    ['an expired one', recordKey(identity.peer), record({ expiresMs: nowMs }), 'EXPIRED'],
    ['another peer’s', recordKey(createIdentity(nobleCrypto, random.bytes(32)).peer), record(), 'REFUSED'],
    ['one under a longer key', utf8(`/peerai/${identity.peer}/x`), record(), 'REFUSED'],
    ['no record', recordKey(identity.peer), new Uint8Array(), 'INVALID_FORMAT'],
  ])('not %s', async (_name, key, value, code) => {
    await expect(check(key, value)).rejects.toMatchObject({ code });
  });

  test('no public keys, which libp2p keeps by default', () => {
    expect(() => rules.validators?.['pk']?.(utf8('/pk/x'), new Uint8Array())).toThrow(/no public keys/u);
  });

  test('of several the one with the highest sequence is chosen', () => {
    const values = [2, 5, 3].map((sequence) => record({ sequence }));
    expect(rules.selectors?.['peerai']?.(recordKey(identity.peer), values)).toBe(1);
  });

  test('an offer is listed under the hash of its text', () => {
    expect(offerKey(nobleCrypto, 'model:mistral').multihash.digest).toEqual(nobleCrypto.sha256(utf8('model:mistral')));
  });
});

describe('what is kept for others', () => {
  const entry = (value: Uint8Array): Uint8Array =>
    new KadRecord(recordKey(identity.peer), value, new Date(nowMs)).serialize().subarray();
  const key = new Key('/dht/record/x');

  test('a valid older record does not replace a newer one, a newer one does, and any replaces one that has expired', async () => {
    let now = nowMs;
    const store = new KadStore(nobleCrypto, () => now);
    store.put(key, entry(record({ sequence: 5 })));
    store.put(key, entry(record({ sequence: 4 })));
    expect(await store.get(key)).toEqual(entry(record({ sequence: 5 })));
    store.put(key, entry(record({ sequence: 6 })));
    expect(await store.get(key)).toEqual(entry(record({ sequence: 6 })));
    now += 60_000;
    store.put(key, entry(record({ sequence: 3, expiresMs: now + 1 })));
    expect(await store.get(key)).toEqual(entry(record({ sequence: 3, expiresMs: now + 1 })));
  });

  test('at its limit everything stays, beyond it the entry written longest ago goes', () => {
    const store = new KadStore(nobleCrypto, () => nowMs);
    const name = (index: number): Key => new Key(`/dht/provider/${index}`);
    for (let index = 0; index < limits.dhtEntriesMax; index += 1) store.put(name(index), Uint8Array.of(1));
    expect([store.size, store.has(name(0))]).toEqual([limits.dhtEntriesMax, true]);
    store.put(name(limits.dhtEntriesMax), Uint8Array.of(1));
    expect([store.size, store.has(name(0)), store.has(name(1))]).toEqual([limits.dhtEntriesMax, false, true]);
  });
});
