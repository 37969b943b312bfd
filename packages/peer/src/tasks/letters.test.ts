import { type Change, type Opened, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { readPcpPayload } from '@peerai/core-protocol/pcp';
import { MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { threadMs } from '@peerai/config/thread-time';
import { describe, expect, test } from 'vitest';
import { createKnownPeers } from '../http/known-peers.ts';
import { limits } from '../limits.ts';
import { type Device, openDevices } from '../pairing/devices.ts';
import { openTaskBook } from './task-book.ts';
import { answerPayload, orderPayload, readAnswer, readCancel, readOrder } from './task-letters.ts';
import { createTray } from './tray.ts';

/** The slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const slowestMsMax = 250;
const order = {
  id: 'a1',
  type: 'research',
  title: 'sum',
  description: '2+2',
  context: { model: 'echo', list: [1, 'two', { three: null }] },
  priority: 'high',
  createdMs: 1_750_000_000_000,
  deadlineMs: 1_750_000_600_000,
} as const;

describe('A task letter', () => {
  test('comes back as it went out', () => {
    expect(readOrder(JSON.parse(JSON.stringify(orderPayload(order, 'me', 'you'))))).toEqual(order);
    const answer = { id: 'a1', status: 'completed', message: 'done', result: { n: 4 }, atMs: order.createdMs } as const;
    const { atMs: _, ...said } = answer;
    expect(readAnswer('task_complete', answerPayload('task_complete', answer, 'you'))).toEqual(said);
    expect(readCancel({ task_id: 'a1', reason: 'enough', more: 1 })).toEqual({ id: 'a1', reason: 'enough' });
  });

  test('of an older implementation is read: another priority, no context, a title left out', () => {
    const { context: _, title: __, ...rest } = orderPayload(order, 'me', 'you') as Record<string, unknown>;
    expect(readOrder({ ...rest, priority: 'WHENEVER', reward_amount: 5 })).toEqual({
      ...order,
      context: {},
      title: '',
      priority: 'normal',
    });
  });

  test('that says the least is read too', () => {
    expect(readOrder({ task_id: 'x:1', description: 'do it' })).toEqual({
      id: 'x:1',
      type: 'prompt',
      title: '',
      description: 'do it',
      context: {},
      priority: 'normal',
      createdMs: undefined,
      deadlineMs: undefined,
    });
    expect(readOrder({ task_id: 'x', description: '', type: 'code', priority: 3 })).toMatchObject({
      type: 'code',
      priority: 'critical',
    });
    expect(readAnswer('task_reject', { task_id: 'x', reason: 'no' })).toEqual({
      id: 'x',
      status: 'rejected',
      message: 'no',
    });
  });

  test('holds what the peer protocol says that its kind holds', () => {
    const answer = { id: 'a1', message: 'done', percent: 5, result: { n: 4 }, atMs: order.createdMs };
    const statuses = { task_accept: 'assigned', task_progress: 'in_progress', task_complete: 'completed' } as const;
    expect(readPcpPayload('task_delegate', orderPayload(order, 'me', 'you')).payload).toMatchObject({
      task_type: 'research',
    });
    for (const kind of ['task_accept', 'task_progress', 'task_complete'] as const)
      expect(
        readPcpPayload(kind, answerPayload(kind, { ...answer, status: statuses[kind] }, 'you')).payload,
      ).toMatchObject({
        task_id: 'a1',
      });
  });

  test('says one thing only: a status of another kind is refused', () => {
    const answer = { id: 'a1', status: 'completed', atMs: 1 } as const;
    expect(() => readAnswer('task_accept', answerPayload('task_accept', answer, 'you'))).toThrow(
      expect.objectContaining({ code: 'INVALID_FORMAT' }),
    );
  });

  test('mutated ten thousand times is read or refused, never slowly', () => {
    const random = seededRandom(5);
    const texts = [
      JSON.stringify(orderPayload(order, 'me', 'you')),
      JSON.stringify(answerPayload('task_fail', { id: 'a1', status: 'failed', code: 'NO', atMs: 1 }, 'you')),
      JSON.stringify({ task_id: 'a1', reason: 'enough' }),
    ];
    let slowestMs = 0;
    for (let place = 0; place < 10_000; place += 1) {
      const payload = mutated(texts[place % texts.length] ?? '', random.bytes(4));
      const startedMs = threadMs();
      for (const read of [readOrder, readCancel, (value: unknown) => readAnswer('task_fail', value)]) {
        try {
          read(payload);
        } catch (error) {
          if (!PeerAiError.is(error, 'INVALID_FORMAT')) throw error;
        }
      }
      slowestMs = Math.max(slowestMs, threadMs() - startedMs);
    }
    expect(slowestMs).toBeLessThan(slowestMsMax);
  });
});

const odd: readonly unknown[] = [null, -1, 1e308, '', [], {}, 'x'.repeat(10_000), true, '2999-99-99', { __proto__: 1 }];
/** One field, or one byte, another. */
function mutated(text: string, [kind = 0, which = 0, other = 0, byte = 0]: Uint8Array): unknown {
  if (kind % 2 === 0) {
    const value = JSON.parse(text) as Record<string, unknown>;
    const names = Object.keys(value);
    value[names[which % names.length] ?? ''] = odd[other % odd.length];
    return value;
  }
  const at = (which * 256 + other) % text.length;
  try {
    return JSON.parse(text.slice(0, at) + String.fromCodePoint(byte) + text.slice(at + 1));
  } catch {
    return text.slice(0, at);
  }
}

describe('The tray', () => {
  const sender = 'sender' as PeerId;
  const device = { peer: sender, name: 'laptop', allow: ['tasks'], blocked: false } as unknown as Device;
  const open = async (store = new MemoryStore()) => {
    const book = await openTaskBook(store);
    const devices = await openDevices(store);
    await devices.update(sender, () => device);
    const done: string[] = [];
    const known = createKnownPeers(devices, { byName: () => undefined, byPeer: () => undefined });
    const tray = createTray({ book, known }, async (letter, read) => {
      done.push(readCancel(letter.payload).id);
      await book.room.commit(read);
    });
    await tray.load();
    const arrive = async (id: string): Promise<void> => {
      const message = { id, kind: 'task_cancel', payload: { task_id: id }, sender } as unknown as Opened;
      const changes: readonly Change[] = await tray.receive('task_cancel', message);
      await store.commit(changes);
      tray.committed(changes);
    };
    return { store, devices, tray, done, arrive };
  };

  test('takes as many as its limit says; the next comes later, and in when there is room', async () => {
    const { tray, arrive, done } = await open();
    for (let place = 0; place < limits.taskTrayMax; place += 1) await arrive(`id-${place}`);
    await expect(arrive('one-more')).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await tray.empty();
    await arrive('one-more');
    await tray.empty();
    expect([done.length, done.at(-1)]).toEqual([limits.taskTrayMax + 1, 'one-more']);
  });

  test('keeps over a restart what was not worked off, in order, and nothing else', async () => {
    const first = await open();
    for (const id of ['a', 'b', 'c']) await first.arrive(id);
    const second = await open(first.store);
    await second.arrive('d');
    await second.tray.empty();
    expect(second.done).toEqual(['a', 'b', 'c', 'd']);
    const third = await open(first.store);
    await third.tray.empty();
    expect(third.done).toEqual([]);
  });

  test('tries again what a full disk kept it from', async () => {
    const { store, tray, arrive, done } = await open();
    await arrive('a');
    store.failNextCommit('STORE_FULL');
    await expect(tray.empty()).rejects.toMatchObject({ code: 'STORE_FULL' });
    await tray.empty();
    expect(done).toEqual(['a', 'a']);
  });

  test('is closed to whoever may not give tasks, though answers come in', async () => {
    const { devices, tray, arrive } = await open();
    await devices.update(sender, (now) => now && { ...now, allow: ['chat'] });
    await expect(arrive('a')).rejects.toMatchObject({ code: 'REFUSED' });
    const payload = answerPayload('task_accept', { id: 'a', status: 'assigned', atMs: 1 }, sender);
    expect(await tray.receive('task_accept', { id: 'm', sender, payload } as unknown as Opened)).toHaveLength(1);
    await devices.update(sender, (now) => now && { ...now, blocked: true });
    await expect(tray.receive('task_accept', { id: 'm', sender, payload } as unknown as Opened)).rejects.toMatchObject({
      code: 'REFUSED',
    });
  });
});
