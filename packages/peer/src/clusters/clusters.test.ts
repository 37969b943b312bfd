import { fromBase64Url, PeerAiError } from '@peerai/core-protocol';
import { seededUnit } from '@peerai/nn-engine';
import { limits as engineLimits } from '@peerai/nn-engine';
import { readOnnxSummary } from '@peerai/nn-engine/node';
import { toyTasks } from '@peerai/nn-engine/cluster';
import { afterEach, expect, test } from 'vitest';
import type { ControlEvent } from '../control/events.ts';
import { clusterLimits } from './limits.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import {
  clusterLessonSchema,
  clusterRequestSchema,
  type ClusterRequest,
  clusterStepsSchema,
} from './clusters.schema.ts';
import { createFirings } from './firings.ts';
import { createEventHub } from '../events/hub.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
async function peerOf(world: TestWorld, name = 'a', options: PeerOptions = {}): Promise<TestPeer> {
  const one = await world.peer(name, options);
  started.push(one);
  return one;
}
const make = ({ peer }: TestPeer, wish: ClusterRequest) => peer.clusters.create(clusterRequestSchema.parse(wish));
const stepsOf = (inputs: number[][], everyMs = 0) => clusterStepsSchema.parse({ inputs, everyMs });
function examplesOf(count: number, seed = 3) {
  const random = seededUnit(seed);
  return Array.from({ length: count }, () => {
    const { input, label } = toyTasks['same-sign'](random);
    return { input: [...input], label };
  });
}
function eventsOf({ peer }: TestPeer): ControlEvent[] {
  const heard: ControlEvent[] = [];
  void (async () => {
    for await (const { event } of peer.events.subscribe(live())) heard.push(event);
  })();
  return heard;
}

test('a cluster learns from examples, answers, grows, and goes on after a kill as it was', async () => {
  const world = testWorld();
  const a = await peerOf(world, 'a', { seed: 1 });
  const events = eventsOf(a);
  expect(await make(a, { name: 'signs' })).toMatchObject({ nodes: 32, inputs: 2, outputs: 2, learned: 0, right: null });
  const lesson = clusterLessonSchema.parse({ examples: examplesOf(200), passes: 8 });
  const learned = await world.clock.until(a.peer.clusters.learn('signs', lesson, live()));
  expect(learned).toMatchObject({ presented: 1_600, cluster: { learned: 1_600, right: learned.rightLast } });
  expect(learned.rightLast).toBeGreaterThan(learned.rightFirst + 0.1);
  const { split } = await a.peer.clusters.grow('signs');
  expect(split).toBeGreaterThan(0);
  const answer = await a.peer.clusters.ask('signs', { input: [0.8, 0.8] }, live());
  expect(answer.label).toBe(answer.shares.indexOf(Math.max(...answer.shares)));
  expect(events).toContainEqual(expect.objectContaining({ type: 'cluster-changed', name: 'signs' }));
  expect(events).toContainEqual(expect.objectContaining({ type: 'cluster-fired', name: 'signs' }));
  const exported = await a.peer.clusters.toOnnx('signs');
  expect(exported.cluster.nodes).toBe(32 + split);
  const file = fromBase64Url(exported.onnx);
  expect(readOnnxSummary(file).inputs[0]).toMatchObject({ name: 'state', shape: [32 + split, expect.any(Number)] });
  await a.peer.clusters.process('signs', stepsOf([[1, 1]]), live());
  const before = await a.peer.clusters.get('signs');
  started.splice(0);
  const again = await peerOf(world, 'a', { seed: 1, store: world.kill(a) });
  expect(await again.peer.clusters.get('signs')).toEqual(before);
  expect(before).toMatchObject({ nodes: 32 + split, steps: 1 });
});

test('the same seed and inputs give the same run, and a paced run stops when its caller does', async () => {
  const world = testWorld();
  const a = await peerOf(world);
  const inputs = Array.from({ length: 20 }, (_, step) => [Math.sin(step), 1]);
  const runs = [];
  for (const name of ['one', 'two']) {
    await make(a, { name, seed: 7 });
    runs.push(await a.peer.clusters.process(name, stepsOf(inputs), live()));
  }
  expect(runs[0]?.fired).toEqual(runs[1]?.fired);
  expect(runs[0]?.fired.flat().length).toBeGreaterThan(0);
  const stop = new AbortController();
  const paced = a.peer.clusters.process('one', stepsOf(inputs, 100), stop.signal).catch((error: unknown) => error);
  await world.clock.advance(1_050);
  stop.abort();
  expect(PeerAiError.is(await paced, 'ABORTED')).toBe(true);
  expect((await a.peer.clusters.get('one')).steps).toBe(20 + 11);
});

test('what cannot be is refused with its code', async () => {
  const world = testWorld();
  const a = await peerOf(world);
  await make(a, { name: 'x' });
  const { clusters } = a.peer;
  await expect(make(a, { name: 'x' })).rejects.toThrow(code('CLUSTER_EXISTS'));
  await expect(clusters.get('y')).rejects.toThrow(code('CLUSTER_UNKNOWN'));
  await expect(clusters.process('x', stepsOf([[1]]), live())).rejects.toThrow(code('INVALID_OPTION'));
  const lesson = clusterLessonSchema.parse({ examples: [{ input: [1, 1], label: 2 }] });
  await expect(clusters.learn('x', lesson, live())).rejects.toThrow(code('INVALID_OPTION'));
  await clusters.remove('x');
  await expect(clusters.remove('x')).rejects.toThrow(code('CLUSTER_UNKNOWN'));
  expect(await clusters.list()).toEqual({ v: 1, clusters: [], peers: [] });
});

test('limits hold at the limit and one above', async () => {
  const world = testWorld();
  const a = await peerOf(world);
  const { clusters } = a.peer;
  for (let count = 0; count < clusterLimits.clustersMax; count += 1) await make(a, { name: `${count}`, nodes: 2 });
  await expect(make(a, { name: 'more' })).rejects.toThrow(code('LIMIT_REACHED'));
  const zeros = (length: number) => Array.from({ length }, () => [0, 0]);
  const many = (length: number) => clusterStepsSchema.safeParse({ inputs: zeros(length) }).success;
  expect([many(clusterLimits.clusterStepsMax), many(clusterLimits.clusterStepsMax + 1)]).toEqual([true, false]);
  const lessons = (length: number, passes: number) =>
    clusterLessonSchema.safeParse({ examples: examplesOf(length), passes }).success;
  expect([lessons(clusterLimits.clusterExamplesMax, clusterLimits.clusterPassesMax)]).toEqual([true]);
  expect([lessons(clusterLimits.clusterExamplesMax + 1, 1), lessons(1, clusterLimits.clusterPassesMax + 1)]).toEqual([
    false,
    false,
  ]);
  const named = (length: number) => clusterRequestSchema.safeParse({ name: 'x'.repeat(length) }).success;
  expect([named(clusterLimits.clusterNameCharsMax), named(clusterLimits.clusterNameCharsMax + 1), named(0)]).toEqual([
    true,
    false,
    false,
  ]);
  // 60 steps a second long, and one more.
  const long = (length: number) => stepsOf(zeros(length), clusterLimits.clusterPauseMsMax);
  const stop = new AbortController();
  const most = clusterLimits.clusterRunMsMax / clusterLimits.clusterPauseMsMax;
  const running = clusters.process('0', long(most), stop.signal).catch((error: unknown) => error);
  await world.clock.advance(1);
  stop.abort();
  expect(await running).toMatchObject({ code: 'ABORTED' });
  await expect(clusters.process('0', long(most + 1), live())).rejects.toThrow(code('LIMIT_EXCEEDED'));
  // 1,024 nodes of 256 inputs and a bias: so many steps, and not one example more.
  await clusters.remove('1');
  await make(a, { name: 'large', nodes: clusterLimits.clusterNodesMax, inputs: clusterLimits.clusterInputsMax });
  const visits = clusterLimits.clusterNodesMax * (clusterLimits.clusterInputsMax + 1) * 8;
  const passes = Math.floor(clusterLimits.clusterVisitsMax / visits / 10);
  const example = { input: Array<number>(clusterLimits.clusterInputsMax).fill(0), label: 0 };
  const lesson = (turns: number) =>
    clusterLessonSchema.parse({ examples: Array.from({ length: 10 }, () => example), passes: turns });
  await expect(clusters.learn('large', lesson(passes + 1), live())).rejects.toThrow(code('LIMIT_EXCEEDED'));
  const gone = new AbortController();
  gone.abort();
  await expect(clusters.learn('large', lesson(passes), gone.signal)).rejects.toThrow(code('ABORTED'));
});

test('limits told here are those of the engine', () => {
  const { clusterNameCharsMax, clusterNodesMax, clusterInputsMax, clusterOutputsMax, clusterValueMax } = clusterLimits;
  const told = { clusterNameCharsMax, clusterNodesMax, clusterInputsMax, clusterOutputsMax, clusterValueMax };
  expect(engineLimits).toMatchObject(told);
  expect(clusterLimits.clustersMax * clusterNodesMax * engineLimits.clusterEdgesMax).toBe(engineLimits.stateValuesMax);
});

test('firings are told a few times a second, none is lost, and none of a removed cluster', async () => {
  const { clock } = testWorld();
  const hub = createEventHub();
  const told: (readonly number[])[] = [];
  void (async () => {
    for await (const { event } of hub.subscribe(live())) if (event.type === 'cluster-fired') told.push(event.nodes);
  })();
  const firings = createFirings({ events: hub, clock });
  firings.note('x', [2, 1]);
  firings.note('x', [3]);
  await clock.advance(clusterLimits.clusterToldEveryMs - 1);
  firings.note('x', [4, 3]);
  expect(told).toEqual([[1, 2]]);
  await clock.advance(1);
  expect(told).toEqual([
    [1, 2],
    [3, 4],
  ]);
  firings.note('x', [5]);
  firings.forget('x');
  await clock.advance(1_000);
  expect(told).toHaveLength(2);
});

/** Two paired peers with a shared cluster of one name each, who have told each other how they are. */
async function twoThatShare(allow: Parameters<typeof pair>[3]) {
  const world = testWorld({ latencyMs: 10 });
  const options = { settings: { heartbeatMs: 1_000 } };
  const [a, b] = [await peerOf(world, 'a', options), await peerOf(world, 'b', options)];
  await pair(world, a, b, allow);
  for (const one of [a, b]) await make(one, { name: 'signs', shared: true });
  return { world, a, b };
}
const together = async ({ peer }: TestPeer) => (await peer.clusters.list()).peers;

test('errors of a shared cluster teach the one of the same name at a peer of the same company', async () => {
  const { world, a, b } = await twoThatShare(['chat', 'train']);
  await until(world.clock, async () => (await together(a)).length > 0 && (await together(b)).length > 0);
  expect((await together(a))[0]?.members.map(({ name }) => name).toSorted()).toEqual(['a', 'b']);
  await make(a, { name: 'own' });
  await make(b, { name: 'own' });
  const before = await b.peer.clusters.get('signs');
  const lesson = clusterLessonSchema.parse({ examples: examplesOf(10) });
  await b.peer.clusters.ask('signs', { input: [0.5, 0.5] }, live());
  await world.clock.until(a.peer.clusters.learn('signs', lesson, live()));
  await world.clock.until(a.peer.clusters.learn('own', lesson, live()));
  await until(world.clock, async () => (await b.peer.clusters.get('signs')).heard > 0);
  expect((await b.peer.clusters.get('signs')).state).not.toEqual(before.state);
  await world.clock.advance(clusterLimits.clusterSaveMs);
  const [own] = (await b.peer.clusters.list()).clusters;
  expect(own).toMatchObject({ name: 'own', heard: 0 });
  // Taken away, the right ends it: neither hears the other.
  const { heard } = await b.peer.clusters.get('signs');
  await b.peer.peers.change('a', { allow: ['chat'] });
  await world.clock.until(a.peer.clusters.learn('signs', lesson, live()));
  await world.clock.advance(2_000);
  expect((await b.peer.clusters.get('signs')).heard).toBe(heard);
});

test('without the right nobody is taught', async () => {
  const { world, a, b } = await twoThatShare(['chat']);
  await world.clock.advance(clusterLimits.clusterLookMs * 2);
  expect([await together(a), await together(b)]).toEqual([[], []]);
  expect(a.peer.isGranted(b.identity.peer, '/peerai/cluster/1')).toBe(false);
});
