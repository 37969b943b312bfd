import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapabilitiesView, TaskDetail, TaskView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Agent, ended, homes, pairUp, start, up } from '../../test/cli.ts';

const folders = homes();
let desk: Agent;
let laptop: Agent;
/** A program of the laptop's owner: it answers when two tasks are there at once. */
const waiting: ServerResponse[] = [];
const program = createServer((request, response) => {
  request.resume();
  waiting.push(response);
  if (waiting.length === 2)
    for (const one of waiting) one.writeHead(200, { 'content-type': 'application/json' }).end('{"deployed":true}');
});
beforeAll(async () => {
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  const { port } = program.address() as AddressInfo;
  const hooks = `[{types: [deploy], url: 'http://127.0.0.1:${port}/'}]`;
  [desk, laptop] = await Promise.all([
    up(folders.make(), { env: { PEERAI_NETWORK__NAME: 'desk' } }),
    up(folders.make(), {
      env: { PEERAI_NETWORK__NAME: 'laptop', PEERAI_TASKS__HOOKS: hooks, PEERAI_TASKS__MAX_CONCURRENT: '2' },
    }),
  ]);
  await pairUp(desk, laptop, 'chat,tasks');
}, 60_000);
afterAll(async () => {
  await Promise.all([desk?.end(), laptop?.end()]);
  program.closeAllConnections();
  program.close();
  folders.remove();
});

const shown = async (agent: Agent, id: string): Promise<TaskDetail> =>
  (await agent.json<{ task: TaskDetail }>(['tasks', 'show', id])).task;
const statusOf = async (agent: Agent, id: string, status: string): Promise<TaskDetail> =>
  vi.waitFor(
    async () => {
      const task = await shown(agent, id);
      expect(task.status).toBe(status);
      return task;
    },
    { timeout: 20_000, interval: 250 },
  );
const given = async (...args: string[]): Promise<string> =>
  (await laptop.json<{ task: TaskView }>(['delegate', 'desk', ...args])).task.id;

test('a device is pinged, says what it can do, and wakes up', { timeout: 60_000 }, async () => {
  const ping = await laptop.json<{ roundTripMs: number; path: string }>(['peers', 'ping', 'desk']);
  expect(ping).toMatchObject({ path: 'direct' });
  const { capabilities } = await laptop.json<{ capabilities: CapabilitiesView }>(['capabilities', 'desk']);
  expect(capabilities).toMatchObject({ name: 'desk', models: expect.arrayContaining(['echo']) as string[] });
  expect((await laptop.run(['capabilities'])).stdout).toMatch(/name +laptop/);
  expect(await laptop.run(['wake', 'desk', '--model', 'echo'])).toMatchObject({ code: 0, stdout: 'Awake already.\n' });
  expect(await laptop.run(['wake', 'desk', '--model', 'none'])).toMatchObject({ code: 1 });
});

test('what one publishes, the other hears while it listens', { timeout: 60_000 }, async () => {
  const listener = start(['sub', 'news', '--jsonl'], { home: laptop.home });
  await vi.waitFor(
    async () => {
      expect((await desk.run(['pub', 'news', '--data', '{"n":1}'])).code).toBe(0);
      expect(listener.told.stdout).toContain('"n":1');
    },
    { timeout: 20_000, interval: 500 },
  );
  listener.kill('SIGINT');
  expect((await ended(listener)).code).toBe(130);
  expect(JSON.parse(listener.told.stdout.split('\n')[0] ?? '')).toMatchObject({
    v: 1,
    topic: 'news',
    fromName: 'desk',
  });
  expect((await desk.run(['pub', 'no/topic', 'x'])).code).toBe(2);
});

test('a task is given, done and its result shown', { timeout: 60_000 }, async () => {
  const told = await laptop.run(['delegate', 'desk', '2+2', '--type', 'research', '--model', 'echo', '--watch']);
  expect([told.code, told.stdout]).toEqual([0, 'echo: 2+2\n']);
  const { task } = await laptop.json<{ task: TaskDetail }>(
    'delegate desk again --data {"model":"echo"} --watch'.split(' '),
  );
  expect(task).toMatchObject({ status: 'completed', peerName: 'desk', result: { text: 'echo: again' } });
  expect((await desk.run(['tasks'])).stdout).toMatch(/from laptop +research +completed/);
  expect((await laptop.run(['tasks', 'show', task.id.slice(0, 8)])).stdout).toContain('echo: again');
});

test('a program of the owner does tasks of its types, as many at once as are set', { timeout: 60_000 }, async () => {
  const give = () => desk.json<{ task: TaskDetail }>(['delegate', 'laptop', 'site', '--type', 'deploy', '--watch']);
  for (const { task } of await Promise.all([give(), give()]))
    expect(task).toMatchObject({ status: 'completed', result: { deployed: true } });
});

test('each end has its own status', { timeout: 60_000 }, async () => {
  expect(await laptop.run(['delegate', 'desk', 'x', '--type', 'deploy', '--watch'])).toMatchObject({
    code: 5,
    stdout: expect.stringContaining('NO_HANDLER') as string,
  });
  const slow = 'word '.repeat(400);
  const late = ['delegate', 'desk', slow, '--model', 'echo-slow', '--deadline', '2s', '--watch'];
  expect((await laptop.run(late)).code).toBe(8);
  expect((await laptop.run(['delegate', 'desk', 'x', '--model', 'fail', '--watch'])).code).toBe(1);
  expect((await laptop.run(['delegate', 'desk', 'x', '--priority', 'soon'])).code).toBe(2);
  expect((await laptop.run(['tasks', 'show', 'nonesuch'])).code).toBe(1);
});

test('a running task is cancelled from where it was given', { timeout: 60_000 }, async () => {
  const id = await given('word '.repeat(400), '--model', 'echo-slow');
  await statusOf(laptop, id, 'in_progress');
  expect((await laptop.run(['tasks', 'cancel', id, '--reason', 'enough'])).code).toBe(0);
  expect(await statusOf(laptop, id, 'cancelled')).toMatchObject({ message: 'enough' });
});

test('kill -9 of both in turn: each task is done, none twice', { timeout: 120_000 }, async () => {
  // 12 s of work: on a busy machine each command below takes 2.
  const first = await given('word '.repeat(240), '--model', 'echo-slow', '--title', 'running');
  const inLine = [await given('two', '--model', 'echo'), await given('three', '--model', 'echo')];
  await statusOf(laptop, first, 'in_progress');
  await statusOf(laptop, inLine[1] ?? '', 'assigned');
  await desk.end('SIGKILL');
  // Given while nobody is there to take it.
  const away = await given('four', '--model', 'echo');
  // One after the other: each comes back with another port, and tells it to the one that is there.
  desk = await up(desk.home, { env: { PEERAI_NETWORK__NAME: 'desk' } });
  await statusOf(laptop, away, 'assigned');
  await laptop.end('SIGKILL');
  laptop = await up(laptop.home, { env: { PEERAI_NETWORK__NAME: 'laptop' } });
  const done = [];
  for (const id of [first, ...inLine, away]) done.push(await statusOf(laptop, id, 'completed'));
  expect(done.slice(1).map(({ result }) => (result as { text: string }).text)).toEqual([
    'echo: two',
    'echo: three',
    'echo: four',
  ]);
  const { tasks } = await desk.json<{ tasks: TaskView[] }>(['tasks']);
  const attempts = [first, ...inLine, away].map((id) => tasks.filter((task) => task.id.startsWith(id)));
  expect(attempts.map((all) => all.map((task) => task.attempts))).toEqual([[2], [1], [1], [1]]);
});

test('a follower that is interrupted leaves the task alone', { timeout: 60_000 }, async () => {
  const child = start(['delegate', 'desk', 'word '.repeat(100), '--model', 'echo-slow', '--watch'], {
    home: laptop.home,
  });
  await sleep(2_000);
  child.kill('SIGINT');
  expect((await ended(child)).code).toBe(130);
  const { tasks } = await laptop.json<{ tasks: TaskView[] }>(['tasks']);
  await statusOf(laptop, tasks[0]?.id ?? '', 'completed');
});
