import { createIdentity, type MessagePriority, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { messageWorld, place, relayWorld } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { outCodec } from '../rows.ts';
import { createOutbox, type Outbox } from './outbox.ts';

const { peer: to } = createIdentity(nodeCrypto, seededRandom(1).bytes(32));
const { peer: other } = createIdentity(nodeCrypto, seededRandom(2).bytes(32));
const letter = (id: string) => ({ id, kind: 'text', content: '1', sentMs: 1, expiresMs: 2 });
const open = (store = new MemoryStore()): Outbox => createOutbox({ store, clock: new ManualClock() });
async function takeNext(outbox: Outbox, peer = to): Promise<string | undefined> {
  const next = await outbox.next(peer);
  if (next !== undefined) await outbox.finish(peer, next, { state: 'delivered' });
  return next?.id;
}
async function takeAll(outbox: Outbox, peer: PeerId = to): Promise<string[]> {
  const taken: string[] = [];
  for (let id = await takeNext(outbox, peer); id !== undefined; id = await takeNext(outbox, peer)) taken.push(id);
  return taken;
}

test('what is higher goes first, each priority in its order, and after so many that overtake one that was overtaken', async () => {
  const outbox = open();
  for (const name of ['l', 'n', 'h'] as const) {
    const priority: MessagePriority = name === 'l' ? 'low' : name === 'n' ? 'normal' : 'high';
    for (let count = 1; count <= 7; count += 1) await outbox.add(to, letter(`${name}${count}`), priority);
  }
  const taken = await takeAll(outbox);
  expect(taken.slice(0, 8)).toEqual(['h1', 'h2', 'h3', 'n1', 'h4', 'h5', 'h6', 'l1']);
  for (const name of ['h', 'n', 'l']) {
    expect(taken.filter((id) => id.startsWith(name))).toEqual(Array.from({ length: 7 }, (_, at) => `${name}${at + 1}`));
  }
});

test('under a flood of high letters the others still move', async () => {
  const outbox = open();
  for (let count = 0; count < 4; count += 1) {
    await outbox.add(to, letter(`n${count}`));
    await outbox.add(to, letter(`l${count}`), 'low');
  }
  const taken: (string | undefined)[] = [];
  const round = limits.overtakesMax + 1;
  for (let count = 0; count < 8 * round; count += 1) {
    await outbox.add(to, letter(`h${count}`), 'high');
    taken.push(await takeNext(outbox));
  }
  // Every so often one of the two others, in turn.
  const others = taken.filter((id) => id?.startsWith('h') === false);
  expect(others).toEqual(['n0', 'l0', 'n1', 'l1', 'n2', 'l2', 'n3', 'l3']);
  for (let at = 0; at + round <= taken.length; at += round)
    expect(taken.slice(at, at + round).filter((id) => id?.startsWith('h') === false)).toHaveLength(1);
});

test('an attempt that failed is made again with the same letter; what waits keeps its priority through a restart and a new address', async () => {
  const store = new MemoryStore();
  const outbox = open(store);
  await outbox.add(to, letter('n'));
  await outbox.add(to, letter('l'), 'low');
  expect([(await outbox.next(to))?.id, (await outbox.next(to))?.id]).toEqual(['n', 'n']);
  await outbox.add(to, letter('h'), 'high');
  const again = open(store);
  expect((await again.line(to)).map(({ id }) => id)).toEqual(['h', 'n', 'l']);
  await again.readdress(to, other);
  expect(await takeAll(again, other)).toEqual(['h', 'n', 'l']);
});

test('letters that were written before there were priorities are normal ones', async () => {
  const store = new MemoryStore();
  const key = `out/${to}/${(5).toString(16).padStart(14, '0')}`;
  await store.commit([store.put(key, outCodec.encode(letter('old')))]);
  const outbox = open(store);
  await outbox.add(to, letter('low'), 'low');
  await outbox.add(to, letter('new'));
  await outbox.add(to, letter('high'), 'high');
  expect(await takeAll(outbox)).toEqual(['high', 'old', 'new', 'low']);
});

test('to a peer that comes back after a long backlog, urgent messages come among the first, and nothing is lost or out of order', async () => {
  const here = place({ lossRate: 0.02, seed: 3 });
  const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
  here.networks.cut(a.identity.peer, b.identity.peer);
  const send = (payload: string, priority: MessagePriority) =>
    a.messenger.send({ to: b.identity.peer, kind: 'text', payload, priority });
  for (let count = 0; count < 100; count += 1) await send(`low ${count}`, 'low');
  for (let count = 0; count < 100; count += 1) await send(`normal ${count}`, 'normal');
  for (let count = 0; count < 5; count += 1) await send(`high ${count}`, 'high');
  here.networks.heal(a.identity.peer, b.identity.peer);
  await here.clock.advance(3_600_000);
  const texts = (await b.texts()).map((text) => JSON.parse(text) as string);
  expect(texts).toHaveLength(205);
  expect(texts.slice(0, 7).filter((text) => text.startsWith('high'))).toHaveLength(5);
  for (const name of ['low', 'normal', 'high']) {
    const mine = texts.filter((text) => text.startsWith(name));
    expect(mine).toEqual(mine.map((_, at) => `${name} ${at}`));
  }
  expect(texts.slice(0, 40).filter((text) => text.startsWith('low')).length).toBeGreaterThan(0);
}, 30_000);

test('of each priority a copy lies in a mailbox, and each comes once', async () => {
  const here = place();
  const relays = [(await relayWorld(9, here)).address];
  const [a, b] = [await messageWorld(1, here, { relays }), await messageWorld(2, here, { relays })];
  await here.clock.advance(1_000);
  await a.messenger.send({ to: b.identity.peer, kind: 'text', payload: 'met' });
  await here.clock.advance(1_000);
  b.die();
  for (const [payload, priority] of [
    ['low', 'low'],
    ['normal', 'normal'],
    ['high', 'high'],
  ] as const)
    await a.messenger.send({ to: b.identity.peer, kind: 'text', payload, priority });
  await here.clock.advance(120_000);
  a.die();
  const again = await messageWorld(2, here, { relays, store: b.store.reopen() });
  await here.clock.advance(60_000);
  expect((await again.texts()).toSorted()).toEqual(['"high"', '"low"', '"met"', '"normal"']);
});

test('what follows a letter is what would go next, one after the other, as far as it fits', async () => {
  const outbox = open();
  for (const priority of ['low', 'normal', 'high'] as const)
    for (let count = 1; count <= 6; count += 1) await outbox.add(to, letter(`${priority}${count}`), priority);
  for (let taken = 0; taken < 5; taken += 1) {
    const first = await outbox.next(to);
    if (first === undefined) throw new Error('nothing waits');
    const following = await outbox.following(to, first, 9, () => true);
    const fitting = await outbox.following(to, first, 9, ({ id }) => id !== following[4]?.id);
    expect(fitting).toEqual(following.slice(0, 4));
    const copy = [first, ...following].map(({ id }) => id);
    expect(new Set(copy).size).toBe(10);
    const turns = await expectedOrder(outbox, taken);
    expect(copy).toEqual(turns.slice(0, 10));
    await outbox.finish(to, first, { state: 'delivered' });
  }
});
/** The same letters in another outbox, taken one by one. */
async function expectedOrder(outbox: Outbox, before: number): Promise<readonly string[]> {
  const other = open();
  for (const priority of ['low', 'normal', 'high'] as const)
    for (let count = 1; count <= 6; count += 1) await other.add(to, letter(`${priority}${count}`), priority);
  expect((await outbox.line(to)).length).toBe(18 - before);
  return (await takeAll(other)).slice(before);
}
