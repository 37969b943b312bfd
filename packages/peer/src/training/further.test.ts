import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { checkRun, createRuns } from '@peerai/nn-engine/rounds';
import { describe, expect, test } from 'vitest';
import { live } from '../testing/steps.ts';
import {
  areDone,
  begin,
  join,
  latest,
  readIn,
  signs,
  trainingTown,
  type TrainingTown,
  untilTrained,
  whileTimeGoes,
} from '../testing/training-town.ts';
import { openTrainingEngine } from './engine.ts';
import { specOf } from './plan.ts';
import { planOfTable } from './table-task.ts';
import { sizeOfPlan, taskOfData } from './task.ts';
import { trainingRequestSchema } from './training.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const further = { name: 'further', model: { kind: 'run', run: 'signs' }, rounds: 2 } as const;

/** The first two have trained one model. */
async function taught(count: number): Promise<TrainingTown> {
  const town = await trainingTown(count);
  await begin(town.world, town.at(0), { membersMin: 2 });
  await join(town.world, town.at(1));
  await untilTrained(town.world.clock, () => areDone(town.at(0), town.at(1)));
  return town;
}

describe('a run that goes on from another', { timeout: 60_000 }, () => {
  test('begins with its model, for who holds it and for who does not, and ends with one of its own', async () => {
    const { world, at } = await taught(3);
    const [host, one, newcomer] = [at(0), at(1), at(2)];
    const former = await latest(host);
    const begun = await begin(world, host, { ...further, membersMin: 3, learningRate: 0.005 });
    expect(begun.plan).toEqual({
      ...former.plan,
      learningRate: 0.005,
      start: { name: 'signs', run: former.id, state: former.hash },
    });
    await join(world, one, 'further');
    await join(world, newcomer, 'further', signs(120, 3));
    await untilTrained(world.clock, () => areDone(host, one, newcomer));
    const [mine, theirs, strange] = await Promise.all([host, one, newcomer].map(latest));
    // Its own data is the same as before, so is what is kept apart of it.
    expect(mine?.first).toEqual(former.now);
    // New weights are no better than chance.
    expect(strange?.first?.loss).toBeLessThan((former.first?.loss ?? 0) / 1.2);
    expect(new Set([mine?.hash, theirs?.hash, strange?.hash]).size).toBe(1);
    expect(mine?.hash).not.toBe(former.hash);
  });

  test('is led by nobody who has other weights than it begins with', async () => {
    const former = planOfTable(signs(120, 1), { label: 'sign', hidden: [4], learningRate: 0.02, seed: 1 });
    const plan = { ...former, start: { name: 'signs', run: '00'.repeat(32), state: '11'.repeat(32) } };
    const [crypto, clock] = [nobleCrypto, new ManualClock()];
    const identity = createIdentity(crypto, new Uint8Array(32).fill(1));
    const network = createMemoryNetworks({ clock, random: seededRandom(1) }).join(identity.peer, {
      isGranted: () => true,
    });
    const deps = { network, clock, crypto, identity, runtime: createNodeRuntime(), mayJoin: () => true, createRuns };
    using engine = openTrainingEngine(deps);
    const wish = { name: 'further', data: 'd', model: { kind: 'run', run: 'signs' }, rounds: 1, membersMin: 1 };
    const size = sizeOfPlan(plan);
    const agreed = { task: new Uint8Array(32), size, invited: undefined, noise: undefined };
    const run = checkRun(crypto, specOf(trainingRequestSchema.parse(wish), agreed));
    const outcome = async (start: Float32Array | undefined): Promise<number> => {
      const task = taskOfData(plan, signs(120, 1));
      await using seat = await engine.sit({ run, plan, task, threads: 1, from: undefined, start, signal: live() });
      const unmasked = { known: [], note: async () => undefined };
      const heard = { onEvent: () => undefined, onMeasured: () => undefined, privacy: undefined, unmasked };
      return (await whileTimeGoes(clock, seat.take({ ...heard, ask: [], signal: live() }))).round;
    };
    await expect(outcome(undefined)).rejects.toThrow(code('PEER_UNREACHABLE'));
    expect(await outcome(new Float32Array(size))).toBe(1);
  });

  test('needs one that is done here, and data of the same columns', async () => {
    const { world, at } = await taught(2);
    await expect(begin(world, at(0), { ...further, model: { kind: 'run', run: 'signes' } })).rejects.toThrow(
      code('RUN_UNKNOWN'),
    );
    const data = await readIn(at(0), signs(120, 1).replace('x,y,sign', 'x,z,sign'), 'other.csv');
    await expect(begin(world, at(0), { ...further, data })).rejects.toThrow(code('DATA_INVALID'));
    await begin(world, at(0), { ...further, membersMin: 2 });
    await at(0).peer.training.stop('further');
    await expect(
      begin(world, at(0), { ...further, name: 'third', model: { kind: 'run', run: 'further' } }),
    ).rejects.toThrow(code('NOT_FOUND'));
  });

  test('that was begun is not begun anew with other weights when the model it goes on from is gone', async () => {
    const { world, at, again } = await taught(2);
    await begin(world, at(0), { ...further, membersMin: 2 });
    await at(0).peer.training.remove('signs');
    const back = await again(0);
    await untilTrained(world.clock, async () => (await latest(back)).state === 'failed');
    expect(await latest(back)).toMatchObject({ name: 'further', code: 'NOT_FOUND', round: 0 });
  });
});
