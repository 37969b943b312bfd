import type { PeerId } from '@peerai/core-protocol';
import { MemoryStore } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { records } from '../store/records.ts';
import { handleOf, openTaskBook, type TaskHead } from './task-book.ts';

const peer = '12D3KooWsomebody' as PeerId;
const head = (place: number, of: Partial<TaskHead> = {}): TaskHead => ({
  id: `task-${String(place).padStart(6, '0')}`,
  direction: 'given',
  peer,
  type: 'prompt',
  title: '',
  priority: 'normal',
  status: 'completed',
  createdMs: place,
  queuedMs: place,
  endedMs: place,
  attempts: 0,
  bytes: 10,
  ...of,
});
const body = { description: 'd', context: {} };

test('as many ended tasks as the limit says keep their contents, then the oldest lose them, also after a restart', async () => {
  const store = new MemoryStore();
  const book = await openTaskBook(store);
  const running = head(0, { id: 'running', status: 'in_progress' });
  await book.save(running, { body });
  for (let place = 1; place <= limits.taskBodiesKeptMax; place += 1)
    await book.save(head(place), { body, result: place });
  expect(await book.result(head(1))).toBe(1);
  await book.save(head(limits.taskBodiesKeptMax + 1), { body, result: 1 });
  const again = await openTaskBook(store);
  for (const one of [book, again]) {
    expect([await one.body(head(1)), await one.result(head(1)), one.get('given', peer, head(1).id)?.bytes]).toEqual([
      undefined,
      undefined,
      0,
    ]);
    expect(await one.result(head(2))).toBe(2);
    expect(await one.body(running)).toEqual(body);
  }
});

test('as many tasks as the limit says are remembered, then the oldest that is over goes', async () => {
  const store = new MemoryStore();
  const rows = records<TaskHead>(store.room('tasks'), 'head');
  const running = head(0, { id: 'running', status: 'in_progress' });
  const over = Array.from({ length: limits.tasksKeptMax - 1 }, (_, place) => head(place + 1, { bytes: 0 }));
  await store.commit([running, ...over].map((one) => rows.put(`given/${peer}/${one.id}`, one)));
  const book = await openTaskBook(store);
  expect(book.list()).toHaveLength(limits.tasksKeptMax);
  expect(book.get('given', peer, head(1).id)).toBeDefined();
  await book.save(head(limits.tasksKeptMax, { bytes: 0 }));
  expect(book.list()).toHaveLength(limits.tasksKeptMax);
  expect(book.get('given', peer, head(1).id)).toBeUndefined();
  expect(book.get('given', peer, 'running')).toBeDefined();
});

test('a task is found by its beginning when that is one only, and ours before theirs', async () => {
  const book = await openTaskBook(new MemoryStore());
  const [ours, theirs] = [head(1, { id: 'abcdef01' }), head(2, { id: 'abcdef01', direction: 'taken' })];
  await book.save(ours);
  await book.save(theirs);
  await book.save(head(3, { id: 'abcdef99' }));
  expect(book.find('abcdef01')).toEqual(ours);
  expect(book.find(handleOf(theirs))).toEqual(theirs);
  expect(book.find('abcdef9')).toMatchObject({ id: 'abcdef99' });
  for (const text of ['abcdef', 'abcde', 'nothing-like-it'])
    expect(() => book.find(text)).toThrow(expect.objectContaining({ code: 'TASK_UNKNOWN' }));
});
