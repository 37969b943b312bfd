import { threadMs } from '@peerai/config/thread-time';
import {
  createIdentity,
  nobleCrypto,
  openRecord,
  PeerAiError,
  type PeerRecord,
  signRecord,
  utf8,
} from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { Record as KadRecord } from '@libp2p/kad-dht';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
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

describe('ten thousand mutated inputs', () => {
  /** 50 on a quiet machine. */
  const slowestMsMax = 250;
  const fast = kadRules(nodeCrypto, () => nowMs);
  const valid = record();
  const held = new KadRecord(recordKey(identity.peer), record({ sequence: 5 }), new Date(nowMs)).serialize().subarray();
  const key = new Key('/dht/record/x');
  const slot = new KadStore(nodeCrypto, () => nowMs);
  test.each<readonly [string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['a value', valid, (bytes) => fast.validators?.['peerai']?.(recordKey(identity.peer), bytes)],
    ['a key', recordKey(identity.peer), (bytes) => fast.validators?.['peerai']?.(bytes, valid)],
    ['a choice', valid, (bytes) => fast.selectors?.['peerai']?.(recordKey(identity.peer), [valid, bytes])],
  ])(
    '%s is as it was or refused by name',
    async (_name, whole, judge) => {
      const mutations = seededRandom(19);
      let [refused, slowestMs] = [0, 0];
      for (let turn = 0; turn < 10_000; turn += 1) {
        const bytes = mutated(whole, mutations);
        const startMs = threadMs();
        try {
          await judge(bytes);
          expect(bytes).toEqual(whole);
        } catch (error) {
          refused += 1;
          if (!PeerAiError.is(error)) throw error;
        }
        slowestMs = Math.max(slowestMs, threadMs() - startMs);
      }
      expect(refused).toBeGreaterThan(9_000);
      expect(slowestMs).toBeLessThan(slowestMsMax);
    },
    60_000,
  );

  test('an entry never takes the place of a newer one, and nothing is thrown', async () => {
    const mutations = seededRandom(23);
    const older = new KadRecord(recordKey(identity.peer), record({ sequence: 4 }), new Date(nowMs))
      .serialize()
      .subarray();
    slot.put(key, held);
    let [last, slowestMs] = [held, 0];
    for (let turn = 0; turn < 10_000; turn += 1) {
      const bytes = mutated(turn % 2 === 0 ? older : held, mutations);
      const startMs = threadMs();
      slot.put(key, bytes);
      slowestMs = Math.max(slowestMs, threadMs() - startMs);
      const now = await slot.get(key);
      if (now === last) continue;
      last = now;
      // Only what is around the record may differ.
      expect(openRecord(nodeCrypto, KadRecord.deserialize(now).value, nowMs).sequence).toBe(5);
    }
    expect(slowestMs).toBeLessThan(slowestMsMax);
  }, 60_000);
});
