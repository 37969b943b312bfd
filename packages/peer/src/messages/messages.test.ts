import { type Change, type Messenger, nobleCrypto, type Opened, type PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, silentLogger } from '@peerai/core-protocol/testing';
import type { PeerMessenger } from '@peerai/messaging';
import { openContacts } from '@peerai/messaging/http';
import { expect, test } from 'vitest';
import type { ControlEvent } from '../control/events.ts';
import { createEventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import { type Device, openDevices } from '../pairing/devices.ts';
import { testWorld } from '../testing/peers.ts';
import { pair, until } from '../testing/steps.ts';
import { createStatements } from '../ledger/statements.ts';
import { openMessages } from './messages.ts';

const sender = 'sender' as PeerId;
const device: Device = {
  peer: sender,
  name: 'laptop',
  allow: ['chat'],
  blocked: false,
  lease: '0123456789abcdef',
  pairedMs: 0,
  lastSeenMs: 0,
  addresses: [],
};

/** The inbox alone: `arrive` does what the messenger does with a letter. */
async function open(store = new MemoryStore(), clock = new ManualClock()) {
  const handlers = new Map<string, Parameters<Messenger['handle']>[1]>();
  const handle: Messenger['handle'] = (kind, handler) => {
    handlers.set(kind, handler);
    return { [Symbol.dispose]: () => undefined };
  };
  const devices = await openDevices(store);
  await devices.update(sender, () => device);
  const events = createEventHub();
  const seen: ControlEvent[] = [];
  const world = { crypto: nobleCrypto, logger: silentLogger };
  const append = async (_: unknown, alongside: readonly Change[] = []): Promise<bigint> => {
    await store.commit(alongside);
    return 0n;
  };
  const messages = await openMessages({
    clock,
    store,
    messenger: {
      handle,
      deliveries: () => ({ [Symbol.dispose]: () => undefined }),
      send: async () => 'id',
      status: async () => ({ id: 'id', state: 'queued' }),
    } as unknown as PeerMessenger,
    devices,
    contacts: await openContacts({ store, crypto: nobleCrypto }, { named: [], isOpen: false }),
    events: { ...events, emit: (event) => void seen.push(event) },
    mailboxes: () => 0,
    statements: createStatements({
      ...world,
      store,
      ledger: { origin: sender, append, size: 0n, async *entries() {} },
    }),
  });
  messages.start();
  const arrive = async (place: number): Promise<void> => {
    const message = {
      id: `id-${place}`,
      kind: 'text',
      payload: place,
      sender,
      sentMs: 1_000 + place,
    } as unknown as Opened;
    const changes: readonly Change[] = (await handlers.get('text')?.(message, new AbortController().signal)) ?? [];
    await store.commit(changes);
    messages.committed(changes);
  };
  return { store, devices, messages, seen, arrive };
}
const payloads = async ({ messages }: Awaited<ReturnType<typeof open>>): Promise<unknown[]> =>
  (await messages.list()).map(({ payload }) => payload);

test('the inbox keeps as many messages as its limit says, then the oldest go, also after a restart', async () => {
  const first = await open();
  for (let place = 0; place < limits.inboxMessagesMax; place += 1) await first.arrive(place);
  expect((await payloads(first)).at(-1)).toBe(0);
  await first.arrive(limits.inboxMessagesMax);
  expect([(await payloads(first)).length, (await payloads(first)).at(-1)]).toEqual([limits.inboxMessagesMax, 1]);
  const again = await open(first.store);
  await again.arrive(limits.inboxMessagesMax + 1);
  expect([(await payloads(again)).length, (await payloads(again)).at(-1)]).toEqual([limits.inboxMessagesMax, 2]);
});

test('a message is told of when it is on the disk, once, however often its commit failed before', async () => {
  const scene = await open();
  scene.store.failNextCommit('STORE_FULL');
  await expect(scene.arrive(1)).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect([scene.seen, await payloads(scene)]).toEqual([[], []]);
  await scene.arrive(1);
  await scene.arrive(2);
  expect(scene.seen.map((event) => (event.type === 'message-received' ? event.message.payload : event))).toEqual([
    1, 2,
  ]);
});

test('a commit of somebody else tells of nothing', async () => {
  const scene = await open();
  scene.store.failNextCommit('STORE_FULL');
  await expect(scene.arrive(1)).rejects.toMatchObject({ code: 'STORE_FULL' });
  scene.messages.committed([scene.store.put('other', new Uint8Array())]);
  expect(scene.seen).toEqual([]);
});

test('messages that a failed commit would have pushed out stay, and go with the next one', async () => {
  const scene = await open();
  for (let place = 0; place < limits.inboxMessagesMax; place += 1) await scene.arrive(place);
  scene.store.failNextCommit('STORE_FULL');
  await expect(scene.arrive(5_000)).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect((await payloads(scene)).at(-1)).toBe(0);
  await scene.arrive(5_000);
  expect([(await payloads(scene)).length, (await payloads(scene)).at(-1)]).toEqual([limits.inboxMessagesMax, 1]);
});

test('a message of somebody who is blocked or no device any more is refused', async () => {
  const scene = await open();
  await scene.devices.update(sender, (now) => now && { ...now, blocked: true });
  await expect(scene.arrive(1)).rejects.toMatchObject({ code: 'REFUSED' });
  await scene.devices.remove(sender);
  await expect(scene.arrive(1)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('nobody writes to a blocked device, to a stranger, or of a kind that other parts use', async () => {
  const world = testWorld();
  const [a, b] = [await world.peer('a'), await world.peer('b')];
  await pair(world, a, b);
  await expect(a.peer.messages.deliver('nobody', 'text', 1)).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
  await expect(a.peer.messages.deliver('b', 'task', 1)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  await a.peer.peers.change('b', { blocked: true });
  await expect(a.peer.messages.deliver('b', 'text', 1)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a message whose recipient could not store it arrives when it can, once', async () => {
  const world = testWorld();
  const [a, b] = [await world.peer('a'), await world.peer('b')];
  await pair(world, a, b);
  b.store.failNextCommit('STORE_FULL');
  await world.clock.until(a.peer.messages.deliver('b', 'text', 'keep me'));
  await until(world.clock, async () => (await b.peer.messages.list()).length > 0);
  expect((await b.peer.messages.list()).map(({ payload }) => payload)).toEqual(['keep me']);
});

test('a broadcast says of each device whether it has the message, waits for the one that is away, and names who is refused', async () => {
  const world = testWorld();
  const [a, b, c, d] = [await world.peer('a'), await world.peer('b'), await world.peer('c'), await world.peer('d')];
  for (const other of [b, c, d]) await pair(world, a, other);
  world.kill(c);
  await a.peer.peers.change('d', { blocked: true });
  const all = await world.clock.until(a.peer.messages.broadcast('all', 'text', 'to all'));
  const told = ({ deliveries }: typeof all) => deliveries.map(({ name, state, code }) => [name, state, code]);
  expect(told(all)).toEqual([
    ['b', 'delivered', undefined],
    ['c', 'queued', 'PEER_UNREACHABLE'],
  ]);
  expect((await b.peer.messages.list()).map(({ payload }) => payload)).toEqual(['to all']);
  const some = await world.clock.until(a.peer.messages.broadcast(['d', 'b', 'nobody', 'b'], 'text', 'to some'));
  expect(told(some)).toEqual([
    ['d', 'refused', 'REFUSED'],
    ['b', 'delivered', undefined],
    ['nobody', 'refused', 'DEVICE_UNKNOWN'],
  ]);
  expect(await b.peer.messages.list()).toHaveLength(2);
});

test('sending waits `deliveredWaitMs` to say that it was delivered, and not at all where it is to be queued', async () => {
  const clock = new ManualClock();
  const { messages } = await open(new MemoryStore(), clock);
  let state: unknown;
  void messages.deliver('laptop', 'text', 'hello').then((sent) => ({ state } = sent));
  await clock.advance(limits.deliveredWaitMs - 1);
  expect(state).toBeUndefined();
  await clock.advance(1);
  expect(state).toBe('queued');
  expect(await messages.deliver('laptop', 'text', 'hello', 'normal', true)).toMatchObject({ state: 'queued' });
});
