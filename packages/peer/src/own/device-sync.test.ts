import { callMethod, nobleCrypto, PeerAiError } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { clusterLessonSchema, clusterRequestSchema } from '../clusters/clusters.schema.ts';
import { limits } from '../limits.ts';
import { clusterLimits } from '../clusters/limits.ts';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { ownLimits } from './limits.ts';
import { fromForm, ownMethod, plainQuestion } from './own-protocol.ts';
import { differing, digestOf, packed, partsOf, unpacked } from './parts.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
type Level = 'personal' | 'behavioral' | 'public';
const remember = async ({ peer }: TestPeer, text: string, level: Level = 'personal') =>
  (await peer.memory.add({ text, level }, live())).capsule;
const summaries = async ({ peer }: TestPeer) =>
  (await peer.memory.list({ limit: limits.memoryPageMax })).capsules.map(({ summary }) => summary).toSorted();
const make = ({ peer }: TestPeer, name: string, seed = 1) =>
  peer.clusters.create(clusterRequestSchema.parse({ name, nodes: 4, seed }));
const teach = (world: TestWorld, { peer }: TestPeer, name: string, times: number) => {
  const examples = Array.from({ length: times }, (_, index) => ({ input: [Math.sin(index), 1], label: index % 2 }));
  return world.clock.until(peer.clusters.learn(name, clusterLessonSchema.parse({ examples }), live()));
};
const learned = async ({ peer }: TestPeer) => {
  const { clusters } = await peer.clusters.list();
  return Promise.all(clusters.map(async ({ name }) => peer.clusters.get(name)));
};
/** Each the other's own, as each owner says by itself. */
async function declare(...devices: readonly TestPeer[]): Promise<void> {
  for (const one of devices)
    for (const other of devices)
      if (one !== other) await one.peer.peers.change(other.identity.peer, { allow: ['chat', 'own'] });
}
async function three() {
  const world = testWorld();
  const devices = [await world.peer('phone'), await world.peer('desk'), await world.peer('laptop')] as const;
  started.push(...devices);
  const [phone, desk, laptop] = devices;
  await pair(world, desk, phone);
  await pair(world, desk, laptop);
  await pair(world, laptop, phone);
  return { world, phone, desk, laptop, devices };
}
const same = async <T>(devices: readonly TestPeer[], read: (device: TestPeer) => Promise<T>): Promise<boolean> =>
  new Set(await Promise.all(devices.map(async (one) => JSON.stringify(await read(one))))).size === 1;

test('the devices of one owner have the same memory and clusters again after a partition, whoever changed what on which side', async () => {
  const { world, phone, desk, laptop, devices } = await three();
  const shopping = await remember(desk, 'milk');
  await remember(phone, 'a public thing', 'public');
  await make(desk, 'signs');
  await declare(...devices);
  await until(world.clock, async () => (await same(devices, summaries)) && (await same(devices, learned)));
  expect(await summaries(laptop)).toEqual(['a public thing', 'milk']);
  expect(await learned(phone)).toMatchObject([{ name: 'signs', learned: 0 }]);

  for (const other of [desk, laptop]) world.networks.cut(phone.identity.peer, other.identity.peer);
  await remember(phone, 'on the train');
  await phone.peer.memory.forget(shopping.id);
  await teach(world, phone, 'signs', 3);
  await make(phone, 'rings');
  await remember(desk, 'at the desk', 'behavioral');
  await remember(laptop, 'on the sofa');
  await teach(world, laptop, 'signs', 5);
  await until(world.clock, async () => same([desk, laptop], summaries));
  await until(world.clock, async () => same([desk, laptop], learned));
  expect(await summaries(desk)).toEqual(['a public thing', 'at the desk', 'milk', 'on the sofa']);
  expect(await summaries(phone)).toEqual(['a public thing', 'on the train']);

  for (const other of [desk, laptop]) world.networks.heal(phone.identity.peer, other.identity.peer);
  // A device looks for one that was away within 90 seconds.
  for (let turn = 0; turn < 45 && !((await same(devices, summaries)) && (await same(devices, learned))); turn += 1)
    await world.clock.advance(2_000);
  expect(await summaries(phone)).toEqual(['a public thing', 'at the desk', 'on the sofa', 'on the train']);
  expect(await same(devices, summaries)).toBe(true);
  // Both had taught "signs": the one that worked more stays, everywhere.
  expect(await learned(desk)).toMatchObject([{ name: 'rings' }, { name: 'signs', learned: 5 }]);
  expect(await same(devices, learned)).toBe(true);
  const conflicts = devices.flatMap(({ peer }) => peer.ownDevices.view().devices.map((one) => one.conflicts));
  expect(conflicts.some((count) => count > 0)).toBe(true);

  await desk.peer.clusters.remove('signs');
  await until(world.clock, async () => same(devices, learned));
  expect(await learned(phone)).toMatchObject([{ name: 'rings' }]);
});

test('what is personal goes to nobody who was not declared: not by asking, not by one side’s word, not by a link', async () => {
  const { world, phone, desk, laptop } = await three();
  const diary = await remember(desk, 'diary');
  await make(desk, 'signs');
  // The laptop believes the desk to be its own; the desk never said so.
  await laptop.peer.peers.change('desk', { allow: ['chat', 'memory', 'own'] });
  await desk.peer.peers.change('laptop', { allow: ['chat', 'memory', 'train', 'tasks'] });
  await declare(phone, desk);
  await until(world.clock, async () => (await summaries(phone)).length === 1);
  const { devices } = await world.clock.until(laptop.peer.ownDevices.sync(live()));
  expect(devices).toMatchObject([
    { name: 'desk', capsules: 0, clusters: 0, syncedMs: null, problem: expect.any(String) },
  ]);
  expect([await summaries(laptop), await learned(laptop)]).toEqual([[], []]);
  // The phone hands the desk's diary on no more than its own.
  await phone.peer.peers.change('laptop', { allow: ['chat', 'memory'] });
  await expect(phone.peer.memory.share(diary.id, 'laptop', live())).rejects.toMatchObject({ code: 'CAPSULE_PERSONAL' });
  const search = laptop.peer.memory.search({ text: 'diary', peer: 'phone' }, live());
  expect((await world.clock.until(search)).hits).toEqual([]);
  // Taken back, the word counts no more.
  await desk.peer.peers.change('phone', { allow: ['chat'] });
  await remember(desk, 'another diary');
  await world.clock.until(phone.peer.ownDevices.sync(live()));
  expect(await summaries(phone)).toEqual(['diary']);
  await declare(phone, desk);
  // A program that asks for what it knows the ids of gets nothing, of either device.
  const stranger = { network: world.networks.join(laptop.identity.peer), clock: world.clock };
  const ids = packed([diary.id]);
  for (const at of [desk, phone])
    for (const kind of ['digest', 'bucket', 'capsules', 'clusters', 'cluster', 'changed'] as const) {
      const question = {
        ...plainQuestion,
        kind,
        ids,
        bucket: Number.parseInt(diary.id.slice(0, 2), 16),
        name: 'signs',
      };
      const asked = callMethod(stranger, at.identity.peer, ownMethod, question, { signal: live() });
      await expect(world.clock.until(asked)).rejects.toMatchObject({ code: 'NOT_GRANTED' });
    }
});

test('an invite makes nobody own who joins by it: each owner says it by itself', async () => {
  const world = testWorld();
  const [desk, friend] = [await world.peer('desk'), await world.peer('friend')];
  started.push(desk, friend);
  await pair(world, friend, desk, ['chat', 'own']);
  const allowed = ({ peer }: TestPeer) => peer.peers.list().find(({ kind }) => kind === 'device')?.allow;
  expect([allowed(friend), allowed(desk)]).toEqual([['chat', 'own'], ['chat']]);
  expect(desk.peer.ownDevices.view().devices).toEqual([]);
});

test('memories are compared part by part', () => {
  const id = (start: string, rest = '0') => start.padEnd(64, rest);
  const one = partsOf({ held: [id('00'), id('ff')], gone: [id('07')] });
  const two = partsOf({ held: [id('ff'), id('00'), id('0a')], gone: [] });
  expect(one).toHaveLength(ownLimits.bucketsCount);
  const [first, second] = [digestOf(nobleCrypto, one), digestOf(nobleCrypto, two)];
  expect(differing(first, second)).toEqual([0x07, 0x0a]);
  expect(differing(first, digestOf(nobleCrypto, partsOf({ held: [id('07'), id('00'), id('ff')], gone: [] })))).toEqual([
    7,
  ]);
  expect(differing(first, first)).toEqual([]);
  expect(unpacked(packed([id('ab'), id('cd')]))).toEqual([id('ab'), id('cd')]);
  for (const wrong of [
    () => differing(first, first.subarray(1)),
    () => differing(first, undefined),
    () => unpacked(first.subarray(1)),
  ])
    expect(wrong).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});

test('limits hold at the limit and one above', async () => {
  const { world, phone, desk } = await three();
  await declare(phone, desk);
  for (let count = 0; count < clusterLimits.clustersMax; count += 1) await make(phone, `${count}`, count);
  await make(desk, 'more');
  await make(desk, '0');
  await world.clock.until(phone.peer.ownDevices.sync(live()));
  expect(phone.peer.ownDevices.view().devices[0]?.problem).toContain(`${clusterLimits.clustersMax} clusters`);
  expect((await phone.peer.clusters.list()).clusters).toHaveLength(clusterLimits.clustersMax);
  const asks = (count: number) => {
    const deps = { network: world.networks.join(phone.identity.peer), clock: world.clock };
    const ids = packed(Array.from({ length: count }, () => '00'.repeat(32)));
    return world.clock.until(
      callMethod(deps, desk.identity.peer, ownMethod, { ...plainQuestion, kind: 'capsules', ids }, { signal: live() }),
    );
  };
  const codeOf = (error: unknown) => (PeerAiError.is(error) ? error.code : 'INTERNAL');
  expect(await asks(ownLimits.capsulesPerQuestionMax).catch(codeOf)).toBe('INVALID_FORMAT');
  expect(await asks(ownLimits.capsulesPerQuestionMax + 1).catch(codeOf)).toBe('LIMIT_EXCEEDED');
  const head = { removed: false, seed: 1, shared: false, createdMs: 0, steps: 0, learned: 0, heard: 0, hash: '' };
  const named = (length: number) => () =>
    fromForm({ ...head, name: 'x'.repeat(length), right: undefined, version: [] });
  expect(named(clusterLimits.clusterNameCharsMax)).not.toThrow();
  for (const wrong of [named(clusterLimits.clusterNameCharsMax + 1), named(0)]) expect(wrong).toThrow('no cluster');
});

test('a comparison says how far it is, and who asked for one may leave', async () => {
  const { world, phone, desk, devices } = await three();
  for (const text of ['milk', 'bread', 'salt', 'rice']) await remember(desk, text);
  const heard: string[] = [];
  const listening = new AbortController();
  const listen = async (): Promise<void> => {
    for await (const { event } of phone.peer.events.subscribe(listening.signal))
      if (event.type === 'memory-progress' && event.name === 'desk')
        heard.push(`${event.work} ${event.done} of ${event.all}`);
  };
  void listen().catch(() => undefined);
  await declare(...devices);
  await until(world.clock, async () => heard.length > 0 && same([phone, desk], summaries));
  await until(world.clock, () => heard.at(-1)?.split(' ')[1] === heard.at(-1)?.split(' ')[3]);
  expect(heard[0]).toMatch(/^sync 0 of \d+$/u);
  // What does not answer any more holds nobody who leaves, and is no problem of the device.
  world.networks.cut(phone.identity.peer, desk.identity.peer);
  const leaving = new AbortController();
  const going = phone.peer.ownDevices.sync(leaving.signal).catch((error: unknown) => error);
  leaving.abort(new PeerAiError('ABORTED', 'enough'));
  expect(await world.clock.until(going)).toMatchObject({ code: 'ABORTED' });
  expect(phone.peer.ownDevices.view().devices.map(({ problem }) => problem)).toEqual([undefined, undefined]);
  listening.abort();
});
