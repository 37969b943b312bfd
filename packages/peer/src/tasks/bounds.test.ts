import type { PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import type { PeerMessenger } from '@peerai/messaging';
import { expect, test } from 'vitest';
import { createEventHub } from '../events/hub.ts';
import { createKnownPeers } from '../http/known-peers.ts';
import { limits } from '../limits.ts';
import { type Device, openDevices } from '../pairing/devices.ts';
import { createDesk } from './desk.ts';
import { give } from './given.ts';
import { take } from './taken.ts';
import { jsonBytes, openTaskBook, type TaskHead } from './task-book.ts';
import { createTaskHandlers } from './task-handler.ts';
import { taskRequestSchema } from './tasks.schema.ts';

const [peer, other] = ['peer-a', 'peer-b'] as PeerId[] as [PeerId, PeerId];
const order = {
  id: 'new',
  type: 'held',
  title: '',
  description: 'd',
  context: {},
  priority: 'normal',
  createdMs: undefined,
  deadlineMs: undefined,
} as const;
const orderBytes = jsonBytes({ description: order.description, context: order.context });

/** The books of a peer with these tasks in them, and a messenger that takes everything. */
async function desk(heads: readonly Partial<TaskHead>[]) {
  const store = new MemoryStore();
  const book = await openTaskBook(store);
  const devices = await openDevices(store);
  await devices.update(peer, () => ({ peer, name: 'a', allow: ['tasks'], blocked: false }) as unknown as Device);
  const before: TaskHead = {
    id: 'old',
    direction: 'taken',
    peer,
    type: 'held',
    title: '',
    priority: 'normal',
    status: 'assigned',
    createdMs: 0,
    queuedMs: 0,
    attempts: 0,
    bytes: 1,
  };
  for (const [place, head] of heads.entries()) await book.save({ ...before, id: `old-${place}`, ...head });
  const run = { types: ['held'], repeatable: false, run: async () => undefined };
  return createDesk(
    {
      self: 'self' as PeerId,
      clock: new ManualClock(),
      random: seededRandom(1),
      logger: silentLogger,
      messenger: { send: async () => 'letter' } as unknown as PeerMessenger,
      known: createKnownPeers(devices, { byName: () => undefined, byPeer: () => undefined }),
      events: createEventHub(),
      nameOf: () => 'somebody',
      handlers: createTaskHandlers([run], []),
      concurrency: 1,
    },
    book,
  );
}
const taken = async (heads: readonly Partial<TaskHead>[]) => {
  const at = await desk(heads);
  await take(at, peer, order, []);
  const { status, code } = at.book.get('taken', peer, order.id) ?? {};
  return code ?? status;
};
const many = (count: number, head: Partial<TaskHead> = {}): Partial<TaskHead>[] =>
  Array.from({ length: count }, () => head);

test('as many tasks of one peer wait as the limit says, the next is rejected; those of others do not count', async () => {
  expect(await taken(many(limits.tasksWaitingPerPeerMax - 1))).toBe('assigned');
  expect(await taken(many(limits.tasksWaitingPerPeerMax))).toBe('QUEUE_FULL');
  expect(await taken(many(limits.tasksWaitingPerPeerMax, { peer: other }))).toBe('assigned');
  expect(await taken(many(limits.tasksWaitingPerPeerMax, { status: 'completed' }))).toBe('assigned');
});

test('as many tasks of all wait as the limit says, the next is rejected', async () => {
  expect(await taken(many(limits.tasksWaitingMax - 1, { peer: other }))).toBe('assigned');
  expect(await taken(many(limits.tasksWaitingMax, { peer: other }))).toBe('QUEUE_FULL');
});

test('as many bytes of one peer wait as the limit says, one more is rejected', async () => {
  const room = limits.taskWaitingBytesPerPeerMax - orderBytes;
  expect(await taken([{ bytes: room }])).toBe('assigned');
  expect(await taken([{ bytes: room + 1 }])).toBe('QUEUE_FULL');
});

test('as many tasks are given to one peer as the limit says, the next is not', async () => {
  const request = taskRequestSchema.parse({ to: 'a', description: 'd' });
  const open = many(limits.tasksGivenPerPeerMax - 1, { direction: 'given', status: 'pending' });
  const at = await desk(open);
  expect((await give(at, request)).status).toBe('pending');
  await expect(give(at, request)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
});

test('a task whose time was over when it came is rejected', async () => {
  const at = await desk([]);
  const nowMs = at.clock.nowMs();
  const cases = [
    { id: 'late', deadlineMs: nowMs },
    { id: 'old', createdMs: nowMs - limits.taskLifeMsMax - 1 },
    { id: 'fresh', createdMs: nowMs - limits.taskLifeMsMax, deadlineMs: nowMs + 1 },
  ];
  for (const one of cases) await take(at, peer, { ...order, ...one }, []);
  expect(cases.map(({ id }) => at.book.get('taken', peer, id)?.code)).toEqual(['EXPIRED', 'EXPIRED', undefined]);
});

test('a task without a title has the first line of its text, of so many letters', async () => {
  const at = await desk([]);
  const titles = [limits.taskTitleCharsMax, limits.taskTitleCharsMax + 1].map(async (count) => {
    const request = taskRequestSchema.parse({ to: 'a', description: `${'x'.repeat(count)}\nmore` });
    return (await give(at, request)).title.length;
  });
  expect(await Promise.all(titles)).toEqual([limits.taskTitleCharsMax, limits.taskTitleCharsMax]);
});
