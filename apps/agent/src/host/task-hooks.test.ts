import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PeerId } from '@peerai/core-protocol';
import { peerLimits, type TaskToRun } from '@peerai/peer';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { taskHooks } from './task-hooks.ts';

const seen: { body: unknown; isClosed: boolean }[] = [];
let base = '';
const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/json': (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"done":true}'),
  '/broken': (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"done":'),
  '/text': (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('done'),
  '/limit': (response) => response.end('x'.repeat(peerLimits.taskResultBytesMax)),
  '/beyond': (response) => response.end('x'.repeat(peerLimits.taskResultBytesMax + 1)),
  '/fails': (response) => response.writeHead(500).end('secret stack'),
  '/away': (response) => response.writeHead(302, { location: `${base}/json` }).end(),
  '/never': () => undefined,
};
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  let text = '';
  const entry = { body: undefined as unknown, isClosed: false };
  seen.push(entry);
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => {
    entry.body = JSON.parse(text);
    answers[request.url ?? '']?.(response);
  });
  response.on('close', () => (entry.isClosed = true));
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const task: TaskToRun = {
  id: 't1',
  peer: 'somebody' as PeerId,
  type: 'deploy',
  title: 'site',
  description: 'now',
  context: { to: 'test' },
  attempt: 1,
};
function run(path: string, signal = new AbortController().signal, timeout = 5_000): Promise<unknown> {
  const [handler] = taskHooks([{ types: ['deploy'], url: `${base}${path}`, repeatable: true, timeout }]);
  if (handler === undefined) throw new Error('one hook was given');
  expect([handler.types, handler.repeatable]).toEqual([['deploy'], true]);
  return handler.run(task, { signal, progress: () => undefined });
}

test('a hook gets the task, and its answer is the result: JSON, or a text', async () => {
  expect(await run('/json')).toEqual({ done: true });
  expect(seen.at(-1)?.body).toEqual({
    task_id: 't1',
    delegator_id: 'somebody',
    task_type: 'deploy',
    title: 'site',
    description: 'now',
    context: { to: 'test' },
    attempt: 1,
  });
  expect(await run('/text')).toEqual({ text: 'done' });
});

test('a result of exactly the limit is read, one byte more is not', async () => {
  expect(await run('/limit')).toEqual({ text: 'x'.repeat(peerLimits.taskResultBytesMax) });
  await expect(run('/beyond')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
});

test.each([
  ['/fails', 'HOOK_FAILED'],
  ['/broken', 'HOOK_FAILED'],
  ['/away', 'HOOK_UNREACHABLE'],
])('%s fails the task with %s, and says neither the address nor what the program said', async (path, code) => {
  const error = await run(path).catch((thrown: unknown) => thrown as Error);
  expect(error).toMatchObject({ code });
  expect((error as Error).message).not.toMatch(/127\.0\.0\.1|secret|http:/);
});

test('a hook that nobody answers for is unreachable, a slow one is too late', async () => {
  const [nobody] = taskHooks([{ types: ['x'], url: 'http://127.0.0.1:1/', repeatable: false, timeout: 5_000 }]);
  await expect(
    nobody?.run(task, { signal: new AbortController().signal, progress: () => undefined }),
  ).rejects.toMatchObject({
    code: 'HOOK_UNREACHABLE',
  });
  await expect(run('/never', undefined, 50)).rejects.toMatchObject({ code: 'TIMEOUT' });
});

test('a cancelled task lets go of its program', async () => {
  const stop = new AbortController();
  const before = seen.length;
  const running = run('/never', stop.signal).catch((error: unknown) => error);
  await vi.waitFor(() => expect(seen[before]?.body).toBeDefined(), { interval: 10 });
  stop.abort(new Error('enough'));
  expect(await running).toMatchObject({ message: 'enough' });
  await vi.waitFor(() => expect(seen[before]?.isClosed).toBe(true), { interval: 10 });
});
