import { expect, test } from 'vitest';
import { fromOlder, toOldest } from './old-kinds.ts';

test.each([
  ['delegate', {}, 'task_delegate', {}],
  ['task', {}, 'task_delegate', {}],
  ['task_cancel', { a: 1 }, 'task_cancel', { a: 1 }],
  ['gossip', {}, 'gossip', {}],
  ['result', { task_id: 't', status: 'completed', result: { a: 1 } }, 'task_complete', undefined],
  ['result', { task_id: 't', status: 'done', result: {} }, 'task_complete', { task_id: 't', result: {} }],
  ['result', { status: 'error' }, 'task_fail', {}],
  ['result', { status: 'timeout' }, 'task_fail', undefined],
  ['result', { status: 'rejected' }, 'task_reject', undefined],
  ['result', 'text', 'task_complete', 'text'],
  ['result', { status: 'constructor' }, 'task_complete', {}],
])('%s with %j is a %s', (kind, payload, own, said) => {
  expect(fromOlder({ kind, payload })).toEqual({ kind: own, payload: said ?? payload });
});

test.each([
  ['task_delegate', 'delegate'],
  ['task_complete', 'result'],
  ['task_fail', 'result'],
  ['task_reject', 'result'],
  ['task_accept', 'status'],
  ['task_progress', 'status'],
  ['text', 'text'],
  ['constructor', 'constructor'],
])('to the oldest profile %s goes as %s', (kind, old) => {
  const payload = { task_id: 't', status: 'assigned' };
  expect(toOldest(kind, payload)).toEqual({
    kind: old,
    payload: old === 'status' ? { ...payload, state: 'assigned' } : payload,
  });
});
