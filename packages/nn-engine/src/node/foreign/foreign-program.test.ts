import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PeerAiError } from '@peerai/core-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { limits } from '../../limits.ts';
import type { Confined } from './confine.ts';
import { ForeignProgram } from './foreign-program.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A process that hears everything and says nothing. */
function silent() {
  const said: unknown[] = [];
  const child = Object.assign(new EventEmitter(), {
    send: (message: unknown) => said.push(message) > 0,
    kill: () => true,
    ref: () => undefined,
    unref: () => undefined,
  });
  const confined: Confined = { child: child as unknown as ChildProcess, ended: new Promise(() => undefined) };
  return { child, said, program: new ForeignProgram(confined) };
}
function watch(work: Promise<unknown>) {
  const seen: { code?: string } = {};
  work.catch((error: unknown) => (seen.code = PeerAiError.is(error) ? error.code : String(error)));
  return seen;
}
const { signal } = new AbortController();
const writing = { kind: 'write-text', messages: [], sampling: { maxTokens: 1, seed: 1 } } as const;

test('a run that does not end is given up after `foreignRunMs`, not a millisecond before', async () => {
  const seen = watch(silent().program.run({}, signal));
  await vi.advanceTimersByTimeAsync(limits.foreignRunMs - 1);
  expect(seen).toEqual({});
  await vi.advanceTimersByTimeAsync(1);
  expect(seen).toEqual({ code: 'RUN_LIMIT' });
});

test('an answer that goes on and on is given up after `foreignAnswerMs`, however often something of it comes', async () => {
  const { child, said, program } = silent();
  const seen = watch(program.ask(writing, signal, { heard: () => undefined }));
  await vi.advanceTimersByTimeAsync(0);
  const { id } = said.at(-1) as { readonly id: number };
  const stepMs = limits.foreignRunMs / 2;
  for (let ms = stepMs; ms < limits.foreignAnswerMs; ms += stepMs) {
    await vi.advanceTimersByTimeAsync(stepMs);
    child.emit('message', { id, text: 'more' });
  }
  await vi.advanceTimersByTimeAsync(stepMs - 1);
  expect(seen).toEqual({});
  await vi.advanceTimersByTimeAsync(1);
  expect(seen).toEqual({ code: 'RUN_LIMIT' });
});

test('a process that does not give an answer up is ended `foreignCancelMs` after its asker left', async () => {
  const { said, program } = silent();
  const leaving = new AbortController();
  const seen = watch(program.ask(writing, leaving.signal, { heard: () => undefined }));
  await vi.advanceTimersByTimeAsync(0);
  leaving.abort();
  expect(said.at(-1)).toMatchObject({ kind: 'cancel' });
  await vi.advanceTimersByTimeAsync(limits.foreignCancelMs - 1);
  expect(seen).toEqual({});
  await vi.advanceTimersByTimeAsync(1);
  expect(seen).toEqual({ code: 'PROGRAM_CLOSED' });
});
