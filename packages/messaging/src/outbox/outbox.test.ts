import { createIdentity, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { doneKey, idKey, type OutRow } from '../rows.ts';
import { createOutbox, type Outbox } from './outbox.ts';

const random = seededRandom(1);
const peers = Array.from(
  { length: limits.outboxPeersMax + 1 },
  () => createIdentity(nodeCrypto, random.bytes(32)).peer,
) as [PeerId, ...PeerId[]];
const letter = (id: string, content = '1'): OutRow => ({ id, kind: 'text', content, sentMs: 1, expiresMs: 2 });
const open = (store = new MemoryStore()): Outbox => createOutbox({ store, clock: new ManualClock() });
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (PeerAiError.is(error) ? error.code : String(error)),
  );

test('letters wait for so many peers and no more, until one is through', async () => {
  const outbox = open();
  for (const peer of peers.slice(0, -1)) await outbox.add(peer, letter(`for ${peer}`));
  const [last = peers[0]] = peers.slice(-1);
  expect(await codeOf(outbox.add(last, letter('one more')))).toBe('LIMIT_REACHED');
  expect(await codeOf(outbox.add(peers[0], letter('known peer')))).toBe('no error');
  const first = await outbox.next(peers[1] ?? last);
  if (first !== undefined) await outbox.finish(peers[1] ?? last, first, { state: 'delivered' });
  expect(await codeOf(outbox.add(last, letter('one more')))).toBe('no error');
});

test('so many bytes wait for one peer and no more, also after a restart', async () => {
  const store = new MemoryStore();
  const part = limits.outboxBytesPerPeerMax / 8;
  for (let count = 0; count < 8; count += 1) await open(store).add(peers[0], letter(`${count}`, 'x'.repeat(part)));
  expect(await codeOf(open(store).add(peers[0], letter('one more', 'x')))).toBe('LIMIT_REACHED');
  expect(await codeOf(open(store).add(peers[1] ?? peers[0], letter('other', 'x')))).toBe('no error');
});

test('a letter that could not be written takes no room', async () => {
  const store = new MemoryStore();
  const outbox = open(store);
  store.failNextCommit('STORE_FULL');
  expect(await codeOf(outbox.add(peers[0], letter('a')))).toBe('STORE_FULL');
  expect(await outbox.peers()).toEqual([]);
});

test('outcomes are remembered up to their limit, the oldest is forgotten', async () => {
  const store = new MemoryStore();
  const pass = async (box: Outbox, id: string): Promise<void> => {
    await box.add(peers[0], letter(id));
    const next = await box.next(peers[0]);
    if (next !== undefined) await box.finish(peers[0], next, { state: 'refused', code: 'UNKNOWN_KIND' });
  };
  await pass(open(store), 'm0');
  const status = (await store.get(idKey('m0'))) ?? new Uint8Array();
  const more = Array.from({ length: limits.outcomesMax - 1 }, (_, index) => index + 1);
  await store.commit(more.flatMap((n) => [store.put(doneKey(n), utf8(`m${n}`)), store.put(idKey(`m${n}`), status)]));
  const outbox = open(store);
  expect(await outbox.status('m0')).toMatchObject({ state: 'refused', code: 'UNKNOWN_KIND' });
  await pass(outbox, 'last');
  expect(await outbox.status('m0')).toBeUndefined();
  expect(await outbox.status('m1')).toMatchObject({ state: 'refused' });
  expect((await outbox.outcomes(2)).map(({ id }) => id)).toEqual(['last', `m${limits.outcomesMax - 1}`]);
  expect(await outbox.outcomes(limits.outcomesMax + 5)).toHaveLength(limits.outcomesMax);
});
