import { PeerAiError } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import type { ControlEvent } from '../control/events.ts';
import { limits } from '../limits.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import type { TaskHandler, TaskRun, TaskToRun } from './task-handler.ts';
import { type TaskRequest, taskRequestSchema, type TaskView } from './tasks.schema.ts';

interface Held {
  readonly task: TaskToRun;
  readonly run: TaskRun;
  finish(result: unknown): void;
  fail(error: unknown): void;
}
/** Does tasks of a type when the test says so. */
function heldHandler(type: string, repeatable = false): TaskHandler & { readonly begun: Held[] } {
  const begun: Held[] = [];
  return {
    types: [type],
    repeatable,
    begun,
    run: (task, run) =>
      new Promise((resolve, reject) => {
        run.signal.addEventListener('abort', () => reject(run.signal.reason as Error));
        begun.push({ task, run, finish: resolve, fail: reject });
      }),
  };
}

interface Scene {
  readonly world: TestWorld;
  readonly boss: TestPeer;
  readonly worker: TestPeer;
}
async function scene(options: PeerOptions = {}): Promise<Scene> {
  const world = testWorld();
  const worker = await world.peer('worker', { seed: 11, ...options });
  const boss = await world.peer('boss', { seed: 12 });
  await pair(world, worker, boss, ['chat', 'tasks']);
  return { world, boss, worker };
}
const give = ({ world, boss }: Pick<Scene, 'world' | 'boss'>, request: Partial<TaskRequest> = {}): Promise<TaskView> =>
  world.clock.until(
    boss.peer.tasks.delegate(taskRequestSchema.parse({ to: 'worker', description: 'two words', ...request })),
  );
const given = ({ boss }: Pick<Scene, 'boss'>, id: string): TaskView => {
  const found = boss.peer.tasks.list().find((task) => task.id === id);
  if (found === undefined) throw new Error(`no task ${id}`);
  return found;
};
const over = async (at: Pick<Scene, 'world' | 'boss'>, id: string): Promise<TaskView> =>
  until(at.world.clock, () => given(at, id).endedMs !== null && given(at, id));
const begunCount = async ({ world }: Pick<Scene, 'world'>, held: { readonly begun: readonly Held[] }, count: number) =>
  until(world.clock, () => held.begun.length >= count);

describe('A task', () => {
  test('is done by a model of the other peer and its result comes back', async () => {
    const at = await scene();
    const { id, status } = await give(at, { type: 'research', description: '2+2', context: { model: 'echo' } });
    expect(status).toBe('pending');
    expect(await over(at, id)).toMatchObject({ status: 'completed', percent: 100, type: 'research', title: '2+2' });
    expect((await at.boss.peer.tasks.get(id)).result).toMatchObject({
      text: 'echo: 2+2',
      model: 'echo',
      reason: 'stop',
    });
    const [taken] = at.worker.peer.tasks.list();
    expect(taken).toMatchObject({ direction: 'taken', peerName: 'boss', status: 'completed', attempts: 1 });
    expect(await at.worker.peer.tasks.get(taken?.id ?? '')).toMatchObject({ description: '2+2' });
  });

  test('shows how far it is, here and there, and keeps the line its handler gave', async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held] });
    const told: ControlEvent[] = [];
    void (async () => {
      for await (const { event } of at.boss.peer.events.subscribe(live())) told.push(event);
    })();
    const { id } = await give(at, { type: 'held' });
    await begunCount(at, held, 1);
    held.begun[0]?.run.progress(40, 'two of five');
    await until(at.world.clock, () => given(at, id).percent === 40);
    expect(given(at, id)).toMatchObject({ status: 'in_progress', message: 'two of five' });
    held.begun[0]?.finish({ answer: 42 });
    expect(await over(at, id)).toMatchObject({ status: 'completed', percent: 100 });
    const statuses = told.flatMap((event) => (event.type === 'task-changed' ? [event.task.status] : []));
    expect([...new Set(statuses)]).toEqual(['pending', 'assigned', 'in_progress', 'completed']);
  });

  test('of a type nobody does is rejected, with the types that are done', async () => {
    const at = await scene();
    const { id } = await give(at, { type: 'deploy' });
    expect(await over(at, id)).toMatchObject({
      status: 'rejected',
      code: 'NO_HANDLER',
      message: expect.stringContaining('prompt') as string,
    });
  });

  test('of a peer without the right is refused, and with it again done', async () => {
    const at = await scene();
    await at.worker.peer.peers.change('boss', { allow: ['chat'] });
    const { id } = await give(at, { context: { model: 'echo' } });
    expect(await over(at, id)).toMatchObject({ status: 'rejected', code: 'REFUSED' });
    expect(at.worker.peer.tasks.list()).toEqual([]);
    await at.worker.peer.peers.change('boss', { allow: ['tasks'] });
    expect(await over(at, (await give(at, { context: { model: 'echo' } })).id)).toMatchObject({ status: 'completed' });
  });

  test('fails with the code and sentence of a PeerAiError, and without a word of anything else', async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held] });
    const first = await give(at, { type: 'held' });
    await begunCount(at, held, 1);
    held.begun[0]?.fail(new PeerAiError('OUT_OF_PAPER', 'the tray is empty'));
    expect(await over(at, first.id)).toMatchObject({
      status: 'failed',
      code: 'OUT_OF_PAPER',
      message: 'the tray is empty',
    });
    const second = await give(at, { type: 'held' });
    await begunCount(at, held, 2);
    held.begun[1]?.fail(new Error('no such file /home/me/secret'));
    expect(await over(at, second.id)).toMatchObject({
      status: 'failed',
      code: 'HANDLER_FAILED',
      message: 'its handler failed',
    });
  });

  test('past its deadline ends, waiting or running', async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held] });
    const running = await give(at, { type: 'held', deadlineInMs: 3_000 });
    const waiting = await give(at, { type: 'held', deadlineInMs: 2_000 });
    await begunCount(at, held, 1);
    expect(await over(at, running.id)).toMatchObject({ status: 'timeout', code: 'TIMEOUT' });
    expect(await over(at, waiting.id)).toMatchObject({ status: 'timeout', code: 'TIMEOUT' });
    expect(held.begun).toHaveLength(1);
  });

  test('that nobody answers is over at its deadline', async () => {
    const at = await scene();
    at.world.networks.kill(at.worker.identity.peer);
    const { id } = await give(at, { deadlineInMs: 10_000 });
    await at.world.clock.advance(10_000 + limits.taskGraceMs + limits.taskLookMs);
    expect(given(at, id)).toMatchObject({ status: 'timeout' });
  });

  test('is cancelled while it waits, while it runs, and before it left', async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held] });
    const running = await give(at, { type: 'held' });
    const waiting = await give(at, { type: 'held' });
    await begunCount(at, held, 1);
    await until(at.world.clock, () => given(at, waiting.id).status === 'assigned');
    for (const { id } of [waiting, running]) {
      expect((await at.world.clock.until(at.boss.peer.tasks.cancel(id, 'not needed'))).cancelling).toBe(true);
      expect(await over(at, id)).toMatchObject({ status: 'cancelled', message: 'not needed' });
    }
    expect(held.begun.map(({ run }) => run.signal.aborted)).toEqual([true]);
    at.world.networks.kill(at.worker.identity.peer);
    const unsent = await give(at, { type: 'held' });
    expect(await at.boss.peer.tasks.cancel(unsent.id)).toMatchObject({ status: 'cancelled' });
    await expect(at.boss.peer.tasks.cancel(unsent.id)).rejects.toMatchObject({ code: 'TASK_OVER' });
    await expect(at.boss.peer.tasks.cancel('0000000000')).rejects.toMatchObject({ code: 'TASK_UNKNOWN' });
  });

  test('is stopped by whoever does it, and when the right is taken away', async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held] });
    const first = await give(at, { type: 'held' });
    await begunCount(at, held, 1);
    await at.worker.peer.tasks.cancel(`${first.id}.${at.boss.identity.peer.slice(-8)}`);
    expect(await over(at, first.id)).toMatchObject({ status: 'cancelled', message: 'stopped by the owner there' });
    const second = await give(at, { type: 'held' });
    await begunCount(at, held, 2);
    await at.worker.peer.peers.change('boss', { allow: ['chat'] });
    expect(await over(at, second.id)).toMatchObject({
      status: 'cancelled',
      message: expect.stringContaining('right') as string,
    });
  });
});

describe('The line', () => {
  test('takes the higher priority first, and as many at once as were set', async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held], settings: { tasksAtOnce: 2 } });
    const titles = ['first', 'second', 'low', 'high'];
    for (const title of titles)
      await give(at, { type: 'held', title, priority: title === 'low' || title === 'high' ? title : 'normal' });
    await begunCount(at, held, 2);
    await at.world.clock.advance(1_000);
    expect(held.begun.map(({ task }) => task.title)).toEqual(['first', 'second']);
    held.begun[0]?.finish(1);
    await begunCount(at, held, 3);
    held.begun[1]?.finish(1);
    await begunCount(at, held, 4);
    expect(held.begun.map(({ task }) => task.title)).toEqual(['first', 'second', 'high', 'low']);
  });

  test('holds as many tasks of one peer as its limit says, and rejects the next', { timeout: 30_000 }, async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held] });
    const ids: string[] = [];
    for (let place = 0; place <= limits.tasksWaitingPerPeerMax; place += 1)
      ids.push((await give(at, { type: 'held' })).id);
    expect(await over(at, ids.at(-1) ?? '')).toMatchObject({ status: 'rejected', code: 'QUEUE_FULL' });
    expect(ids.slice(0, -1).filter((id) => given(at, id).endedMs !== null)).toEqual([]);
  });

  test('gives back a result of exactly the limit, and fails one byte more', async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held] });
    const most = limits.taskResultBytesMax - '""'.length;
    for (const [place, extra] of [0, 1].entries()) {
      const { id } = await give(at, { type: 'held' });
      await begunCount(at, held, place + 1);
      held.begun[place]?.finish('x'.repeat(most + extra));
      expect(await over(at, id)).toMatchObject(
        extra === 0 ? { status: 'completed' } : { status: 'failed', code: 'LIMIT_EXCEEDED' },
      );
    }
  });

  test('a task of exactly the limit is given, one byte more is not', async () => {
    const at = await scene();
    const frame = JSON.stringify({ description: '', context: {} }).length;
    const description = 'x'.repeat(limits.taskBytesMax - frame);
    await give(at, { description, type: 'deploy' });
    await expect(give(at, { description: `${description}x`, type: 'deploy' })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });
});

describe('To a peer that is away', () => {
  test('the urgent ones come first, and no cancellation before its task', async () => {
    const at = await scene();
    const held = heldHandler('held');
    await at.worker.peer.stop();
    at.world.networks.kill(at.worker.identity.peer);
    for (const priority of ['low', 'normal', 'high', 'critical', 'emergency'] as const)
      await give(at, { type: 'held', title: priority, priority });
    const low = at.boss.peer.tasks.list().find(({ title }) => title === 'low');
    await at.world.clock.until(at.boss.peer.tasks.cancel(low?.id ?? ''));
    const again = await at.world.peer('worker', { seed: 11, store: at.worker.store, taskHandlers: [held] });
    const told: string[] = [];
    void (async () => {
      for await (const { event } of again.peer.events.subscribe(live()))
        if (event.type === 'task-changed') told.push(`${event.task.title} ${event.task.status}`);
    })();
    await until(at.world.clock, () => told.includes('low cancelled'));
    expect(told.filter((one) => one.endsWith(' assigned'))).toEqual(
      ['high', 'critical', 'emergency', 'normal', 'low'].map((title) => `${title} assigned`),
    );
    for (const task of again.peer.tasks.list())
      expect(task.status).not.toBe(task.title === 'low' ? 'assigned' : 'cancelled');
  });
});

describe('After kill -9', () => {
  test('of who does them: what waited is done, what may be repeated is begun again, what may not fails, what was over stays', async () => {
    const done = heldHandler('done');
    const first = heldHandler('careful');
    const repeat = heldHandler('again', true);
    const at = await scene({ taskHandlers: [done, first, repeat], settings: { tasksAtOnce: 2 } });
    const over1 = await give(at, { type: 'done' });
    await begunCount(at, done, 1);
    done.begun[0]?.finish('once');
    await over(at, over1.id);
    const careful = await give(at, { type: 'careful' });
    const again = await give(at, { type: 'again' });
    const waiting = await give(at, { type: 'done', title: 'waited' });
    await begunCount(at, first, 1);
    await begunCount(at, repeat, 1);
    await until(at.world.clock, () => given(at, waiting.id).status === 'assigned');
    const store = at.world.kill(at.worker);
    const later = [heldHandler('done'), heldHandler('careful'), heldHandler('again', true)] as const;
    await at.world.peer('worker', { seed: 11, store, taskHandlers: later, settings: { tasksAtOnce: 2 } });
    expect(await over(at, careful.id)).toMatchObject({ status: 'failed', code: 'INTERRUPTED' });
    await begunCount(at, later[2], 1);
    expect(later[2].begun[0]?.task.attempt).toBe(2);
    later[2].begun[0]?.finish('again');
    await begunCount(at, later[0], 1);
    later[0].begun[0]?.finish('waited');
    expect(await over(at, again.id)).toMatchObject({ status: 'completed' });
    expect(await over(at, waiting.id)).toMatchObject({ status: 'completed' });
    expect([later[0].begun.length, later[1].begun.length, later[2].begun.length]).toEqual([1, 0, 1]);
    expect((await at.boss.peer.tasks.get(over1.id)).result).toBe('once');
  });

  test('a task that ends the agent each time is begun as often as its limit says', async () => {
    let held = heldHandler('again', true);
    const at = await scene({ taskHandlers: [held] });
    const { id } = await give(at, { type: 'again' });
    let { worker } = at;
    for (let attempt = 1; attempt <= limits.taskAttemptsMax; attempt += 1) {
      await begunCount(at, held, 1);
      const store = at.world.kill(worker);
      held = heldHandler('again', true);
      worker = await at.world.peer('worker', { seed: 11, store, taskHandlers: [held] });
    }
    expect(await over(at, id)).toMatchObject({ status: 'failed', code: 'INTERRUPTED' });
    expect(held.begun).toEqual([]);
  });

  test('of who gave them: answers that came meanwhile are there, and nothing is given twice', async () => {
    const held = heldHandler('held');
    const at = await scene({ taskHandlers: [held] });
    const { id } = await give(at, { type: 'held' });
    await begunCount(at, held, 1);
    const store = at.world.kill(at.boss);
    held.begun[0]?.finish('kept');
    await at.world.clock.advance(1_000);
    const boss = await at.world.peer('boss', { seed: 12, store });
    expect(await over({ ...at, boss }, id)).toMatchObject({ status: 'completed' });
    expect((await boss.peer.tasks.get(id)).result).toBe('kept');
    expect(held.begun).toHaveLength(1);
  });
});
