import { nobleCrypto, toHex } from '@peerai/core-protocol';
import { createTrainer, freshState, type Trainer } from '@peerai/nn-engine';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { decodeState, encodeState } from '@peerai/nn-engine/rounds';
import { describe, expect, test } from 'vitest';
import type { TestPeer } from '../testing/peers.ts';
import { live } from '../testing/steps.ts';
import { untilSlowly, whileTimeCreeps } from '../testing/real-time.ts';
import { begin, latest, readIn, signs, trainingTown, type TrainingTown } from '../testing/training-town.ts';
import { modelLimits } from '../models/limits.ts';
import { places } from './run-book.ts';
import { checkStagesWish } from './stage-terms.ts';
import { type Task, taskOfData, weightsOfPlan } from './task.ts';
import {
  type TrainingPlan,
  trainingRequestSchema,
  type TrainingRequest,
  type TrainingRunView,
} from './training.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const text = 'the quick brown fox jumps over the lazy dog. '.repeat(60);

/** Starts a small run over two devices, and its own table. */
async function start({ world, at }: TrainingTown, more: Partial<TrainingRequest> = {}): Promise<TrainingRunView> {
  const data = more.data ?? (await readIn(at(0), signs(120, 1)));
  const model = { kind: 'mlp', label: 'sign', hidden: [16] } as const;
  const shape = { name: 'signs', model, rounds: 4, localSteps: 2, learningRate: 0.02 };
  const wish = { ...shape, stages: { over: ['peer-1', 'peer-2'] }, ...more, data };
  return whileTimeCreeps(world.clock, at(0).peer.training.begin(trainingRequestSchema.parse(wish)));
}
const isOver = async (one: TestPeer): Promise<boolean> => (await latest(one)).endedMs !== null;
const finished = ({ world, at }: TrainingTown) => untilSlowly(world.clock, () => isOver(at(0)));
const holders = ({ stages }: TrainingRunView) => stages.map(({ holder }) => holder?.name);

/** The whole model in one process, over the same data. */
async function whole(
  plan: TrainingPlan,
  data: string,
): Promise<{ task: Task; fresh: (weights: Float32Array) => Promise<Trainer> }> {
  const task = taskOfData(plan, data);
  const graph = task.trainingGraph();
  const fresh = (weights: Float32Array) =>
    createTrainer({ runtime: createNodeRuntime() }, { graph, initial: freshState(weights), signal: live() });
  return { task, fresh };
}
/** The next round's state; a gradient that is clipped would round otherwise. */
async function roundOf(
  task: Task,
  trainer: Trainer,
  round: number,
  { learningRate }: TrainingPlan,
): Promise<Float32Array> {
  for (let step = 2 * round; step < 2 * round + 2; step += 1)
    expect((await trainer.step(task.batch(step), learningRate, live())).gradientNorm).toBeLessThan(1);
  return trainer.weights();
}
const hashOf = (round: number, weights: Float32Array): string =>
  toHex(nobleCrypto.sha256(encodeState({ round, weights, momentum: new Float32Array(weights.length) })));

describe('a run in stages', { timeout: 120_000 }, () => {
  test('learns the weights of the whole model, bit for bit, and leaves a model as other runs do', async () => {
    const town = await trainingTown(3);
    const { at, shelves } = town;
    const begun = await start(town);
    expect(begun).toMatchObject({ needed: 1, terms: { kind: 'stages', compression: 'none', aggregation: 'none' } });
    await finished(town);
    const run = await latest(at(0));
    expect(run).toMatchObject({ state: 'done', round: 4, plan: { stages: 2 }, code: null });
    expect(holders(run)).toEqual(['peer-1', 'peer-2']);
    // Weights there and back at least.
    expect(run.bytesSent).toBeGreaterThan(4 * run.parameters);
    expect(run.bytesReceived).toBeGreaterThan(4 * run.parameters);
    const { task, fresh } = await whole(run.plan, signs(120, 1));
    await using trainer = await fresh(weightsOfPlan(run.plan));
    const { rounds } = await at(0).peer.training.get('signs');
    for (const { round, hash } of rounds)
      expect(hashOf(round + 1, await roundOf(task, trainer, round, run.plan))).toBe(hash);
    expect(rounds).toHaveLength(4);
    const kept = await shelves[0]?.read(places.state(run.id), 0, 8 + 8 * run.parameters);
    expect(decodeState(kept ?? new Uint8Array(), run.parameters).weights).toEqual(await trainer.weights());
  });

  test('goes on from the weights that were kept when a device is lost, here or with the next one, bit for bit', async () => {
    const town = await trainingTown(3);
    const { world, at } = town;
    await start(town, { stages: { over: ['peer-1', 'self'], spares: ['peer-2', 'self'] }, rounds: 2_000 });
    /** Two rounds more, with this one as the holder of the first stage. */
    const goesOnWith = async (name: string): Promise<void> => {
      const going = async (): Promise<TrainingRunView> => {
        const run = await latest(at(0));
        if (run.endedMs !== null) throw new Error(`${run.state}: ${run.message ?? ''} (${run.code ?? ''})`);
        return run;
      };
      await untilSlowly(world.clock, async () => holders(await going())[0] === name);
      const { round } = await going();
      await untilSlowly(world.clock, async () => (await going()).round >= round + 2);
    };
    await goesOnWith('peer-1');
    world.kill(at(1));
    await goesOnWith('peer-2');
    world.kill(at(2));
    await goesOnWith('peer-0');
    const run = await whileTimeCreeps(world.clock, at(0).peer.training.stop('signs'));
    expect(run).toMatchObject({
      state: 'stopped',
      stages: [{ lost: { name: 'peer-2' } }, { lost: null }],
    });
    expect(holders(run)).toEqual(['peer-0', 'peer-0']);
    // Each loss begins anew with moments of zero, and with nothing else.
    const { task, fresh } = await whole(run.plan, signs(120, 1));
    const { rounds: kept } = await at(0).peer.training.get('signs');
    let weights = weightsOfPlan(run.plan);
    let trainer = await fresh(weights);
    let losses = 0;
    for (const { round, hash } of kept) {
      let next = await roundOf(task, trainer, round, run.plan);
      if (hashOf(round + 1, next) !== hash) {
        losses += 1;
        await trainer[Symbol.asyncDispose]();
        trainer = await fresh(weights);
        next = await roundOf(task, trainer, round, run.plan);
      }
      expect(hashOf(round + 1, next)).toBe(hash);
      weights = next;
    }
    await trainer[Symbol.asyncDispose]();
    expect([kept.length, losses]).toEqual([run.round, 2]);
  });

  test('ends with the stage and the device where nobody is left, and says who never held one', async () => {
    const town = await trainingTown(3);
    const { world, at } = town;
    await whileTimeCreeps(world.clock, at(1).peer.peers.change(at(0).identity.peer, { allow: ['chat'] }));
    await start(town, { stages: { over: ['peer-1', 'peer-2'], spares: [] } });
    await finished(town);
    const barred = await latest(at(0));
    expect(barred).toMatchObject({ state: 'failed', code: 'STAGE_LOST', round: 0, file: null });
    expect(barred.message).toMatch(/^stage 1 of 2 is with nobody any more: peer-1 \(\w+\)/u);

    await start(town, { name: 'again', rounds: 2_000, stages: { over: ['self', 'peer-2'], spares: [] } });
    await untilSlowly(world.clock, async () => (await latest(at(0))).round >= 2);
    // Whoever takes the right away takes the stage back.
    await whileTimeCreeps(world.clock, at(2).peer.peers.change(at(0).identity.peer, { allow: ['chat'] }));
    await finished(town);
    const lost = await latest(at(0));
    expect(lost).toMatchObject({ state: 'failed', code: 'STAGE_LOST', file: null });
    expect(lost.message).toMatch(/^stage 2 of 2 is with nobody any more: peer-2 \(\w+\)/u);
    expect(lost.round).toBeGreaterThan(1);
  });

  test('goes on after a restart, is stopped, and is offered to nobody', async () => {
    const town = await trainingTown(2);
    const { world, at, again } = town;
    await start(town, { rounds: 2_000, stages: { over: ['peer-1', 'self'] } });
    await untilSlowly(world.clock, async () => (await latest(at(0))).round >= 2);
    expect((await whileTimeCreeps(world.clock, at(1).peer.training.offers(live()))).offers).toEqual([]);
    await expect(at(0).peer.training.link('signs', { forMs: 60_000, visitors: 1 })).rejects.toThrow(
      code('UNSUPPORTED'),
    );
    const back = await again(0);
    const { round } = await latest(back);
    await untilSlowly(world.clock, async () => (await latest(back)).round > round + 1);
    expect(holders(await latest(back))).toEqual(['peer-1', 'peer-0']);
    await whileTimeCreeps(world.clock, back.peer.training.stop('signs'));
    expect(await latest(back)).toMatchObject({ state: 'stopped', file: null });
  });

  test('over a text leaves a model that is gone on from, whole', async () => {
    const town = await trainingTown(2);
    const { world, at } = town;
    const read = () => readIn(at(0), text, 'fox.txt');
    const stages = { over: ['self', 'peer-1'] };
    await start(town, { data: await read(), model: { kind: 'language' }, rounds: 2, localSteps: 4, stages });
    await finished(town);
    const run = await latest(at(0));
    expect(run.now?.loss).toBeLessThan((run.first?.loss ?? 0) - 0.1);
    const { id, parameters, hash } = run;
    expect((await at(0).peer.training.languageOf(id)).weights).toHaveLength(parameters);
    const further = {
      name: 'further',
      model: { kind: 'run', run: 'signs' },
      rounds: 1,
      localSteps: 1,
      membersMin: 1,
    } as const;
    const plain = await begin(world, at(0), { ...further, data: await read() });
    expect(plain.plan).toEqual({ ...run.plan, stages: undefined, start: { name: 'signs', run: id, state: hash } });
    await finished(town);
    expect((await latest(at(0))).first).toEqual(run.now);
  });

  test('is refused before it begins, where it cannot be', async () => {
    const town = await trainingTown(2);
    const { at } = town;
    const more = (spares: readonly string[], ...over: readonly string[]) => ({
      stages: { over: [...over], spares: [...spares] },
    });
    const { runStepsKeptMax } = modelLimits;
    const tries: [Partial<TrainingRequest>, string][] = [
      [more([], 'peer-1', 'peer-1'), 'INVALID_OPTION'],
      [more([], 'self', 'peer-1', 'nobody'), 'DEVICE_UNKNOWN'],
      [
        { ...more([], 'self', 'peer-1'), model: { kind: 'mlp', label: 'sign', hidden: [4] }, liars: 1 },
        'INVALID_OPTION',
      ],
      [{ ...more([], 'self', 'peer-1'), outer: 'diloco' }, 'INVALID_OPTION'],
      [{ ...more([], 'self', 'peer-1'), roundMs: 5_000 }, 'INVALID_OPTION'],
      [{ ...more([], 'self', 'peer-1'), privacy: { epsilon: 8 } }, 'INVALID_OPTION'],
      [{ ...more([], 'self', 'peer-1'), localSteps: runStepsKeptMax + 1 }, 'LIMIT_EXCEEDED'],
      [{ ...more([], 'self', 'peer-1'), model: { kind: 'adapter', base: 'nano' } }, 'BASE_MISSING'],
    ];
    for (const [wish, expected] of tries) await expect(start(town, wish)).rejects.toThrow(code(expected));
    // Two layers make two stages at most.
    const deep = { over: ['self', 'peer-1', 'third'] };
    await expect(start(town, { stages: deep })).rejects.toThrow(code('DEVICE_UNKNOWN'));
    expect(await at(0).peer.training.list()).toEqual([]);
    checkStagesWish(
      trainingRequestSchema.parse({ name: 'a', data: 'b', model: { kind: 'language' }, localSteps: runStepsKeptMax }),
    );
  });
});
