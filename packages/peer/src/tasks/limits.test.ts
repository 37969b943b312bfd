import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock, silentLogger } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type Desk, ended, lastMs } from './desk.ts';
import { modelTask } from './model-task.ts';
import { createReporter } from './reporter.ts';
import type { TaskHead } from './task-book.ts';
import type { TaskRun } from './task-handler.ts';
import { readAnswer, readCancel, readOrder } from './task-letters.ts';
import { taskCancelSchema, taskRequestSchema } from './tasks.schema.ts';
import { type Outcome, stopCodes, work } from './worker.ts';

const head: TaskHead = {
  id: 'one',
  direction: 'taken',
  peer: 'peer-a' as PeerId,
  type: 'held',
  title: '',
  priority: 'normal',
  status: 'in_progress',
  createdMs: 0,
  queuedMs: 0,
  attempts: 1,
  bytes: 1,
};
const x = (count: number): string => 'x'.repeat(count);

describe('A request for a task', () => {
  const asked = (more: object) => taskRequestSchema.safeParse({ to: 'a', description: 'd', ...more }).success;
  const cancelled = (reason: string) => taskCancelSchema.safeParse({ reason }).success;
  test.each([
    ['letters of its type', limits.taskTypeCharsMax, (count: number) => asked({ type: x(count) })],
    ['letters of its title', limits.taskTitleCharsMax, (count: number) => asked({ title: x(count) })],
    ['letters of its text', limits.taskBytesMax, (count: number) => asked({ description: x(count) })],
    ['milliseconds it may live', limits.taskLifeMsMax, (count: number) => asked({ deadlineInMs: count })],
    ['letters of why it is cancelled', limits.taskReasonCharsMax, (count: number) => cancelled(x(count))],
  ])('takes so many %s, and not one more', (_, most, takes) => {
    expect([takes(most), takes(most + 1)]).toEqual([true, false]);
  });
});

describe('A letter about a task', () => {
  const order = { task_id: 'a', description: 'd' };
  const type = (count: number) => readOrder({ ...order, task_type: x(count) }).type;
  test('names a type of so many letters, and not of one more', () => {
    expect(type(limits.taskTypeCharsMax)).toHaveLength(limits.taskTypeCharsMax);
    expect(() => type(limits.taskTypeCharsMax + 1)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  });
  test.each([
    ['title', limits.taskTitleCharsMax, (text: string) => readOrder({ ...order, title: text }).title],
    [
      'message',
      limits.taskReasonCharsMax,
      (text: string) => readAnswer('task_progress', { task_id: 'a', message: text }).message,
    ],
    ['reason', limits.taskReasonCharsMax, (text: string) => readCancel({ task_id: 'a', reason: text }).reason],
  ])('has a %s of so many letters; what is behind them is cut', (_, most, read) => {
    expect([x(most), x(most + 1)].map((text) => read(text)?.length)).toEqual([most, most]);
  });
});

test('What is said at the end of a task is kept in so many letters', () => {
  const kept = (count: number) => ended(head, 'failed', 1, { message: x(count) }).message?.length;
  expect([limits.taskReasonCharsMax, limits.taskReasonCharsMax + 1].map(kept)).toEqual([
    limits.taskReasonCharsMax,
    limits.taskReasonCharsMax,
  ]);
});

test('A task without a deadline is of use for `taskLifeMsDefault`', () => {
  expect([lastMs({ ...head, createdMs: 5 }), lastMs({ ...head, deadlineMs: 7 })]).toEqual([
    5 + limits.taskLifeMsDefault,
    7,
  ]);
});

test('A model’s answer to a task has `taskTokensDefault` tokens, and at most `taskTokensMax` where it asks for others', () => {
  const tokens = (context: object) => modelTask({ title: '', description: 'd', context: { ...context } }).maxTokens;
  expect([tokens({}), tokens({ max_tokens: limits.taskTokensMax }), tokens({ max_tokens: 1 })]).toEqual([
    limits.taskTokensDefault,
    limits.taskTokensMax,
    1,
  ]);
  for (const wrong of [0, limits.taskTokensMax + 1])
    expect(() => tokens({ max_tokens: wrong })).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});

describe('A handler', () => {
  /** Never ends by itself, and hears nothing. */
  function deaf(more: Partial<TaskHead> = {}) {
    const clock = new ManualClock();
    const stopping = new AbortController();
    const runs: TaskRun[] = [];
    let outcome: Outcome | undefined | 'runs' = 'runs';
    const handler = {
      types: ['held'],
      repeatable: false,
      run: (_: unknown, run: TaskRun) => {
        runs.push(run);
        return new Promise<never>(() => undefined);
      },
    };
    const body = { description: '', context: {} };
    const job = { head: { ...head, ...more }, body, handler };
    void work({ clock, logger: silentLogger }, job, stopping.signal, () => undefined).then((made) => (outcome = made));
    return { clock, stopping, told: () => runs[0]?.signal.aborted, outcome: () => outcome };
  }

  test('is told to end after `taskRunMsMax`, and left behind `taskEndMsMax` later', async () => {
    const { clock, told, outcome } = deaf();
    await clock.advance(limits.taskRunMsMax - 1);
    expect(told()).toBe(false);
    await clock.advance(1);
    expect([told(), outcome()]).toEqual([true, 'runs']);
    await clock.advance(limits.taskEndMsMax - 1);
    expect(outcome()).toBe('runs');
    await clock.advance(1);
    expect(outcome()).toMatchObject({ status: 'timeout', code: 'TIMEOUT' });
  });

  test('is told to end at its task’s deadline, which may be nearer', async () => {
    const { clock, told } = deaf({ deadlineMs: new ManualClock().nowMs() + 10 });
    await clock.advance(9);
    expect(told()).toBe(false);
    await clock.advance(1);
    expect(told()).toBe(true);
  });

  test.each([
    [stopCodes.cancel, limits.taskEndMsMax, { status: 'cancelled', code: 'CANCELLED' }],
    [stopCodes.shutdown, limits.taskShutdownMsMax, undefined],
  ])('that hears %s has %d ms to end', async (code, endMs, end) => {
    const { clock, stopping, outcome } = deaf();
    await clock.advance(0);
    stopping.abort(new PeerAiError(code, 'now'));
    await clock.advance(endMs - 1);
    expect(outcome()).toBe('runs');
    await clock.advance(1);
    if (end === undefined) expect(outcome()).toBeUndefined();
    else expect(outcome()).toMatchObject(end);
  });
});

test('How far a task is, is told here every `taskToldEveryMs` and there every `taskProgressEveryMs`, in so many letters', async () => {
  const clock = new ManualClock();
  const [told, sent]: [number[], number[]] = [[], []];
  let now = head;
  let report: (told: { readonly id: string; readonly state: string }) => void = () => undefined;
  const messenger = {
    deliveries: (listener: typeof report) => {
      report = listener;
      return { [Symbol.dispose]: () => undefined };
    },
    send: async () => {
      sent.push(clock.elapsedMs());
      report({ id: `${sent.length}`, state: 'delivered' });
      return `${sent.length}`;
    },
  };
  const desk = {
    clock,
    messenger,
    logger: silentLogger,
    self: 'self',
    book: { note: (next: TaskHead) => (now = next) },
    tell: () => void told.push(clock.elapsedMs()),
  } as unknown as Desk;
  const reporter = createReporter(desk, () => now);
  const start = clock.elapsedMs();
  const longest = limits.taskReasonCharsMax;
  for (const letters of [longest, longest + 1]) {
    reporter.progress(1, x(letters));
    expect(now.message).toHaveLength(longest);
  }
  for (let ms = 1; ms <= limits.taskProgressEveryMs; ms += 1) {
    await clock.advance(1);
    reporter.progress(2);
  }
  await clock.advance(0);
  expect(sent.map((ms) => ms - start)).toEqual([0, limits.taskProgressEveryMs]);
  const times = Math.floor(limits.taskProgressEveryMs / limits.taskToldEveryMs);
  expect(told.map((ms) => ms - start)).toEqual(
    Array.from({ length: times + 1 }, (_, place) => place * limits.taskToldEveryMs),
  );
  reporter.stop();
});
