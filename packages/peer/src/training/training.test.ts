import type { Store } from '@peerai/core-protocol';
import { MemoryShelf } from '@peerai/core-protocol/testing';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { describe, expect, test } from 'vitest';
import type { ControlEvent } from '../control/events.ts';
import type { TestPeer } from '../testing/peers.ts';
import { slowStore } from '../testing/slow-store.ts';
import { live } from '../testing/steps.ts';
import {
  begin,
  bytesOf,
  areDone,
  join,
  latest,
  readIn,
  signs,
  trainingTown,
  untilTrained,
  whileTimeGoes,
} from '../testing/training-town.ts';
import { trainingRequestSchema, type TrainingRunView } from './training.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
describe('three devices', { timeout: 60_000 }, () => {
  test('train one model with a third of the data each, and hold the same file', async () => {
    const { world, peers, at } = await trainingTown(3);
    const [host, one, two] = [at(0), at(1), at(2)];
    const events: ControlEvent[] = [];
    const listening = new AbortController();
    void (async () => {
      for await (const { event } of one.peer.events.subscribe(listening.signal)) events.push(event);
    })();
    const begun = await begin(world, host, { membersMin: 3 });
    expect(begun).toMatchObject({ role: 'started', state: 'waiting', needed: 3, data: { examples: 96, heldOut: 24 } });
    const told = await whileTimeGoes(world.clock, one.peer.training.offers(live()));
    expect(told.offers).toMatchObject([{ id: begun.id, name: 'signs', from: { name: 'peer-0' }, round: 0 }]);
    await join(world, one);
    await join(world, two, begun.id.slice(0, 8), signs(120, 3));
    await untilTrained(world.clock, () => areDone(...peers));
    const runs = await Promise.all(peers.map(latest));
    expect(new Set(runs.map(({ hash }) => hash)).size).toBe(1);
    expect(new Set(runs.map(({ file }) => file?.sha256)).size).toBe(1);
    for (const run of runs) {
      expect(run.round).toBe(6);
      expect(run.now?.loss).toBeLessThan((run.first?.loss ?? 0) / 1.5);
      expect(run.now?.accuracy).toBeGreaterThan(0.7);
      expect(run.members).toHaveLength(3);
      expect(run.bytesSent).toBeGreaterThan(0);
      expect(run.bytesReceived).toBeGreaterThan(0);
    }
    const answers = await one.peer.training.predict('signs', bytesOf(signs(60, 9)), live());
    expect(answers).toMatchObject({ run: { id: begun.id }, labelled: 60 });
    expect(answers.right).toBeGreaterThan(42);
    const { rounds } = await one.peer.training.get(begun.id);
    expect(rounds.map(({ round }) => round)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(rounds.at(-1)).toMatchObject({ hash: runs[0]?.hash, after: runs[1]?.now, refused: [] });
    expect(rounds[0]?.members.map(({ name }) => name).toSorted()).toEqual(['peer-0', 'peer-1', 'peer-2']);
    const kinds = events.flatMap((event) => (event.type === 'training-round' ? [event.round.round] : []));
    expect(new Set(kinds)).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    expect(events.findLast(({ type }) => type === 'training-changed')).toMatchObject({ run: { state: 'done' } });
    listening.abort();
  });

  test('go on without the one that coordinated, and it comes back to the same model', async () => {
    const { world, at, again } = await trainingTown(3);
    const [host, one, two] = [at(0), at(1), at(2)];
    await begin(world, host, { rounds: 30 });
    await join(world, one);
    await join(world, two);
    await untilTrained(world.clock, async () => (await latest(host)).round >= 3);
    const back = await again(0);
    const { round } = await latest(host);
    await untilTrained(world.clock, async () => (await latest(one)).round > round + 1);
    await untilTrained(world.clock, () => areDone(back, one, two));
    const runs = await Promise.all([back, one, two].map(latest));
    expect(new Set(runs.map(({ hash }) => hash)).size).toBe(1);
    expect(new Set(runs.map(({ file }) => file?.sha256)).size).toBe(1);
    expect(runs[0]).toMatchObject({ role: 'started', round: 30 });
  });

  test('go on without one that leaves, whose copy of its data goes too', async () => {
    const { world, at, shelves } = await trainingTown(3);
    const [host, one, two] = [at(0), at(1), at(2)];
    await begin(world, host, { rounds: 20 });
    await join(world, one);
    await join(world, two);
    await untilTrained(world.clock, async () => (await latest(two)).round >= 2);
    const left = await whileTimeGoes(world.clock, two.peer.training.stop('signs'));
    expect(left).toMatchObject({ state: 'stopped', file: null });
    await expect(two.peer.training.stop('signs')).rejects.toThrow(code('RUN_OVER'));
    await untilTrained(world.clock, () => areDone(host, one));
    expect((await latest(host)).hash).toBe((await latest(one)).hash);
    expect((await latest(two)).round).toBeLessThan(20);
    for (const shelf of shelves) expect([...shelf.files.keys()].filter((name) => name.includes('/data/'))).toEqual([]);
    await two.peer.training.remove('signs');
    expect(await two.peer.training.list()).toEqual([]);
    await expect(two.peer.training.get('signs')).rejects.toThrow(code('RUN_UNKNOWN'));
  });
});

describe('a run', { timeout: 60_000 }, () => {
  const turns = { sleep: () => new Promise<void>((resolve) => void setImmediate(resolve)) };
  const disk = (store: Store): Store => slowStore(store, turns, 0);
  /** What a program does that hears of it. */
  const onEvent = async <T>({ peer }: TestPeer, isIt: (event: ControlEvent) => boolean, then: () => Promise<T>) => {
    const listening = new AbortController();
    for await (const { event } of peer.events.subscribe(listening.signal)) {
      if (!isIt(event)) continue;
      listening.abort();
      return then();
    }
    throw new Error('it was not told');
  };
  const isOver = (state: string) => (event: ControlEvent) =>
    event.type === 'training-changed' && event.run.state === state;

  test.for(['done', 'stopped'])('that says it is %s has all of its rounds, whole', async (state) => {
    const { world, at } = await trainingTown(1, undefined, () => ({ disk }));
    const { training } = at(0).peer;
    const read = onEvent(at(0), isOver(state), () => training.get('signs'));
    const stopped =
      state === 'stopped' &&
      onEvent(
        at(0),
        ({ type }) => type === 'training-round',
        () => training.stop('signs'),
      );
    await begin(world, at(0), { membersMin: 1, rounds: stopped === false ? 2 : 200 });
    await stopped;
    const told = await whileTimeGoes(world.clock, read);
    expect(told.rounds).toHaveLength(told.round);
    expect(told.round).toBeGreaterThan(0);
    if (state === 'done') expect(told.rounds.at(-1)?.after).toEqual(told.now);
  });

  test.for(['done', 'stopped'])('that says it is %s leaves its place to the next one', async (state) => {
    const { world, at } = await trainingTown(1, undefined, () => ({ disk }));
    const [data, next] = [await readIn(at(0), signs(120, 1)), await readIn(at(0), signs(120, 2))];
    const second = onEvent(at(0), isOver(state), () =>
      begin(world, at(0), { data: next, membersMin: 1, name: 'second' }),
    );
    await begin(world, at(0), { data, membersMin: 1, rounds: state === 'done' ? 1 : 200 });
    if (state === 'stopped') await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
    expect(await whileTimeGoes(world.clock, second)).toMatchObject({ name: 'second', state: 'waiting' });
    await whileTimeGoes(world.clock, at(0).peer.training.stop('second'));
  });

  test('lets the rate fall where its plan says so', async () => {
    const { world, at } = await trainingTown(1);
    const ended: TrainingRunView[] = [];
    for (const schedule of ['constant', 'cosine'] as const) {
      await begin(world, at(0), { name: schedule, membersMin: 1, rounds: 2, schedule });
      await untilTrained(world.clock, () => areDone(at(0)));
      ended.push(await latest(at(0)));
    }
    const [steady, falling] = ended;
    expect(steady?.plan.schedule).toBeUndefined();
    expect(falling?.plan).toEqual({ ...steady?.plan, schedule: 'cosine' });
    expect(falling?.first).toEqual(steady?.first);
    expect(falling?.hash).not.toBe(steady?.hash);
  });

  test('over text teaches a language model of bytes', async () => {
    const { world, at } = await trainingTown(2);
    const text = 'the quick brown fox jumps over the lazy dog. '.repeat(80);
    const data = await readIn(at(0), text, 'fox.txt');
    await begin(world, at(0), { data, model: { kind: 'language' }, rounds: 2, localSteps: 10 });
    await join(world, at(1), 'signs', text, 'fox.txt');
    await untilTrained(world.clock, () => areDone(at(0), at(1)));
    const run = await latest(at(1));
    expect(run.now?.loss).toBeLessThan((run.first?.loss ?? 0) - 0.5);
    expect(run.now?.accuracy).toBeNull();
    expect(run.file?.sha256).toBe((await latest(at(0))).file?.sha256);
  });

  test('goes on after kill -9 from the state it kept, and makes no round twice', async () => {
    const { world, at, again } = await trainingTown(1);
    await begin(world, at(0), { membersMin: 1, rounds: 12 });
    const closed = async ({ peer }: TestPeer) => (await peer.training.get('signs')).rounds.map(({ atMs }) => atMs);
    await untilTrained(world.clock, async () => (await closed(at(0))).length >= 3);
    const back = await again(0);
    const before = await closed(back);
    await untilTrained(world.clock, () => areDone(back));
    const after = await closed(back);
    expect(after).toHaveLength(12);
    // The newest one may not have had its state on the disk.
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  });

  test('leaves a model that any ONNX tool runs on raw columns', async () => {
    const { world, at } = await trainingTown(1);
    // Far from 0 and wide: the model has to bring its scale along.
    const data = await readIn(
      at(0),
      signs(120, 1).replaceAll(/^-?[\d.]+/gmu, (x) => `${20 + 5 * Number(x)}`),
    );
    await begin(world, at(0), { data, membersMin: 1, rounds: 10 });
    await untilTrained(world.clock, () => areDone(at(0)));
    const { name, bytes } = await at(0).peer.training.model('signs');
    expect([name, bytes.length]).toEqual(['signs.onnx', (await latest(at(0))).file?.bytes]);
    await using program = await createNodeRuntime().load(bytes, { signal: live() });
    const features = { type: 'float32', shape: [3, 2], data: Float32Array.of(27.5, 1.5, 12.5, 1.5, 15, -1) } as const;
    const { scores } = await program.run({ features }, live());
    const answers = [0, 1, 2].map((row) => Number(scores?.data[2 * row]) < Number(scores?.data[2 * row + 1]));
    // The labels in order: other, same.
    expect(answers).toEqual([true, false, true]);
  });

  test('is one at a time, and needs something to compute with', async () => {
    const { world, at } = await trainingTown(1);
    const data = await readIn(at(0), signs(20, 1));
    await begin(world, at(0), { data });
    await expect(begin(world, at(0), { data, name: 'other' })).rejects.toThrow(code('RUN_ACTIVE'));
    await expect(at(0).peer.training.remove('signs')).rejects.toThrow(code('RUN_ACTIVE'));
    const bare = await world.peer('bare', { shelf: new MemoryShelf() });
    await expect(begin(world, bare)).rejects.toThrow(code('ENGINE_MISSING'));
    expect(await bare.peer.training.list()).toEqual([]);
    const shelfless = await world.peer('shelfless');
    await expect(shelfless.peer.training.readIn('a.csv', bytesOf(signs(20, 1)))).rejects.toThrow(code('UNSUPPORTED'));
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });

  test('takes no data that does not fit, and says where', async () => {
    const { world, at } = await trainingTown(2);
    await begin(world, at(0));
    const wrong = signs(20, 4).replaceAll('other', 'different');
    await expect(join(world, at(1), 'signs', wrong)).rejects.toThrow(/row \d+: "different" is not one of/u);
    await expect(join(world, at(1), 'signs', 'x,sign\n'.concat('1,same\n'.repeat(20)))).rejects.toThrow(
      'no column "y"',
    );
    await expect(join(world, at(1), 'nothing')).rejects.toThrow(code('OFFER_UNKNOWN'));
    expect(await at(1).peer.training.list()).toEqual([]);
    const unknown = trainingRequestSchema.parse({ name: 'a', data: '00', model: { kind: 'language' } });
    await expect(at(1).peer.training.begin(unknown)).rejects.toThrow(code('DATA_UNKNOWN'));
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });
});
