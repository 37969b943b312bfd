import { scriptedEngine } from '@peerai/llm-bridge';
import { describe, expect, test } from 'vitest';
import type { LanguageModel } from '@peerai/core-protocol';
import type { Engine } from '@peerai/llm-bridge';
import type { Permission } from '../pairing/permissions.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { pair, until } from '../testing/steps.ts';
import { type TaskRequest, taskRequestSchema, type TaskView } from './tasks.schema.ts';

interface Scene {
  readonly world: TestWorld;
  readonly boss: TestPeer;
  readonly worker: TestPeer;
}
async function scene(allow: readonly Permission[] = ['chat', 'tasks'], options: PeerOptions = {}): Promise<Scene> {
  const world = testWorld();
  const worker = await world.peer('worker', { seed: 51, ...options });
  const boss = await world.peer('boss', { seed: 52 });
  // The models of a device are known to one that may chat; then it may do less.
  await pair(world, worker, boss, ['chat', 'tasks']);
  await worker.peer.peers.change('boss', { allow: [...allow] });
  return { world, boss, worker };
}
const give = ({ world, boss }: Scene, request: Partial<TaskRequest> = {}): Promise<TaskView> =>
  world.clock.until(
    boss.peer.tasks.delegate(taskRequestSchema.parse({ to: 'worker', description: 'two words', ...request })),
  );
const over = ({ world, boss }: Scene, id: string): Promise<TaskView> =>
  until(world.clock, () => boss.peer.tasks.list().find((task) => task.id === id && task.endedMs !== null));
const receiptsOf = async ({ peer }: TestPeer) =>
  (await peer.books.entries({})).entries.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt]));
const reserved = async ({ store }: TestPeer): Promise<number> => {
  let count = 0;
  for await (const _ of store.room('admission').range('reserved/', 'reserved0')) count += 1;
  return count;
};

/** Never ends by itself. */
function stuck(): Engine {
  const engine = scriptedEngine({ clock: testWorld().clock });
  const model = async (found: LanguageModel | undefined): Promise<LanguageModel | undefined> =>
    found && {
      ...found,
      card: found.card,
      async *generate(_prompt, _sampling, signal) {
        yield { type: 'text-delta', text: 'half' };
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      },
    };
  return {
    ...engine,
    list: async (signal) =>
      (await Promise.all((await engine.list(signal)).map(model))).filter((one) => one !== undefined),
    model: async (name, signal) => model(await engine.model(name, signal)),
  };
}

describe('A task that a model does for a paired device', () => {
  test.each<readonly [string, readonly Permission[], Partial<TaskRequest>]>([
    ['that may chat', ['chat', 'tasks'], { context: { model: 'echo' } }],
    [
      'that may give tasks alone, and names no model',
      ['tasks'],
      { title: 'A title', context: { system: 'Be short.' } },
    ],
  ])('%s ends in one receipt, signed by both, in both logs', async (_, allow, request) => {
    const at = await scene(allow);
    const { id } = await give(at, request);
    expect(await over(at, id)).toMatchObject({ status: 'completed' });
    await until(at.world.clock, async () => (await receiptsOf(at.worker)).length === 1);
    const result = (await at.boss.peer.tasks.get(id)).result as Record<string, unknown>;
    const [receipt] = await receiptsOf(at.worker);
    expect(receipt).toMatchObject({
      requestId: id,
      model: 'echo',
      answerTokens: result['answer_tokens'],
      signedBy: 'both',
    });
    expect(await receiptsOf(at.boss)).toEqual([receipt]);
    expect(await reserved(at.worker)).toBe(0);
    // The chain goes on: the next answer follows it.
    const next = await give(at, { description: 'and more' });
    await over(at, next.id);
    await until(at.world.clock, async () => (await receiptsOf(at.boss)).length === 2);
  });

  test('costs nothing when it is cancelled, or when nobody offers the model', async () => {
    const at = await scene(['tasks'], { engines: [stuck()] });
    const { id } = await give(at);
    await until(at.world.clock, async () => (await reserved(at.worker)) === 1);
    await at.boss.peer.tasks.cancel(id);
    expect(await over(at, id)).toMatchObject({ status: 'cancelled' });
    await until(at.world.clock, async () => (await reserved(at.worker)) === 0);
    const other = await give(at, { context: { model: 'nowhere' } });
    expect(await over(at, other.id)).toMatchObject({ status: 'failed', code: 'MODEL_UNKNOWN' });
    await at.world.clock.advance(60_000);
    expect([await receiptsOf(at.worker), await receiptsOf(at.boss)]).toEqual([[], []]);
  });

  test('ends with the right to give tasks, not with the right to chat', async () => {
    const at = await scene(['chat', 'tasks'], { engines: [stuck()] });
    const { id } = await give(at);
    await until(at.world.clock, async () => (await reserved(at.worker)) === 1);
    await at.worker.peer.peers.change('boss', { allow: ['tasks'] });
    await at.world.clock.advance(2_000);
    expect(await reserved(at.worker)).toBe(1);
    await at.worker.peer.peers.change('boss', { allow: ['chat'] });
    expect(await over(at, id)).toMatchObject({ status: 'cancelled' });
    expect(await reserved(at.worker)).toBe(0);
  });

  test('made again after the end of the agent costs nothing, and what was booked before is given back', async () => {
    const at = await scene(['tasks'], { engines: [stuck()] });
    const { id } = await give(at);
    await until(at.world.clock, async () => (await reserved(at.worker)) === 1);
    const store = at.world.kill(at.worker);
    const again = await at.world.peer('worker', { seed: 51, store });
    expect(await over(at, id)).toMatchObject({ status: 'completed' });
    await at.world.clock.advance(60_000);
    expect(await reserved(again)).toBe(0);
    expect([await receiptsOf(again), await receiptsOf(at.boss)]).toEqual([[], []]);
  });
});
