import { afterEach, expect, test } from 'vitest';
import type { ControlEvent } from '../control/events.ts';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { documentChangeSchema, documentRequestSchema } from './state.schema.ts';

const peers: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of peers.splice(0)) await peer.stop();
});
async function three(): Promise<{ readonly world: TestWorld; a: TestPeer; b: TestPeer; c: TestPeer }> {
  const world = testWorld();
  const [a, b, c] = [await world.peer('a'), await world.peer('b'), await world.peer('c')];
  peers.push(a, b, c);
  await pair(world, a, b);
  await pair(world, a, c);
  await pair(world, b, c);
  return { world, a, b, c };
}
const has = async ({ peer }: TestPeer, name: string): Promise<boolean> =>
  (await peer.state.list()).some((one) => one.name === name);
const values = async ({ peer }: TestPeer, name: string): Promise<unknown> => (await peer.state.read(name)).values;

test('devices share a document, both write, and each is told', async () => {
  const { world, a, b, c } = await three();
  const told: ControlEvent[] = [];
  void (async () => {
    for await (const { event } of b.peer.events.subscribe(live())) told.push(event);
  })();
  const document = await a.peer.state.create({ name: 'notes', members: ['b'] });
  expect(document).toMatchObject({ name: 'notes', mine: true, founderName: 'a', group: null, keys: 0 });
  await until(world.clock, () => has(b, 'notes'));
  await a.peer.state.change('notes', { set: { color: 'red' }, text: 'hello' });
  await until(world.clock, async () => (await b.peer.state.read('notes')).text === 'hello');
  await b.peer.state.change(document.id.slice(0, 8), { set: { size: 2 }, remove: ['color'] });
  await until(world.clock, async () => Object.keys((await values(a, 'notes')) as object).join() === 'size');
  expect(await a.peer.state.read('notes')).toMatchObject({ values: { size: 2 }, text: 'hello', document: { keys: 1 } });
  expect(told).toContainEqual({ type: 'state-changed', documentId: document.id, keys: ['color'], text: false });
  expect(await c.peer.state.list()).toEqual([]);
});

test('a device that was away has everything when it is back', async () => {
  const { world, a, b } = await three();
  await a.peer.state.create({ name: 'notes', members: ['b'] });
  await until(world.clock, () => has(b, 'notes'));
  const store = world.kill(b);
  await a.peer.state.change('notes', { set: { while: 'you were out' } });
  const back = await world.peer('b', { seed: 2, store });
  peers.push(back);
  await until(world.clock, async () => ((await values(back, 'notes')) as { while?: string }).while === 'you were out');
});

test('a group’s document goes to its members, also to those who come later', async () => {
  const { world, a, b, c } = await three();
  await world.clock.until(a.peer.groups.create('team', ['b'], live()));
  await until(world.clock, async () => (await b.peer.groups.list()).length === 1);
  const document = await b.peer.state.create({ name: 'plan', group: 'team' });
  expect(document.members.map(({ name }) => name)).toEqual(['a', 'b']);
  await b.peer.state.change('plan', { set: { x: 1 } });
  await until(world.clock, () => has(a, 'plan'));
  await world.clock.until(a.peer.groups.add('team', ['c'], live()));
  await until(world.clock, () => has(c, 'plan'));
  await until(world.clock, async () => ((await values(c, 'plan')) as { x?: number }).x === 1);
});

test('who was let out gets nothing more, a blocked device brings nothing, and a forgotten document stays away', async () => {
  const { world, a, b, c } = await three();
  await a.peer.state.create({ name: 'notes', members: ['b', 'c'] });
  await until(world.clock, async () => (await has(b, 'notes')) && has(c, 'notes'));
  await a.peer.state.unshare('notes', 'c');
  await a.peer.state.change('notes', { set: { later: 1 } });
  await until(world.clock, async () => Object.keys((await values(b, 'notes')) as object).length === 1);
  expect(await values(c, 'notes')).toEqual({});
  await b.peer.peers.change('a', { blocked: true });
  await a.peer.state.change('notes', { set: { blocked: 1 } });
  await world.clock.advance(2_000);
  expect(await values(b, 'notes')).toEqual({ later: 1 });
  await a.peer.state.forget('notes');
  await expect(a.peer.state.read('notes')).rejects.toMatchObject({ code: 'DOCUMENT_UNKNOWN' });
});

test('unknown names are said, and requests are checked', async () => {
  const { a } = await three();
  await expect(a.peer.state.create({ name: 'x', members: ['nobody'] })).rejects.toMatchObject({
    code: 'DEVICE_UNKNOWN',
  });
  await expect(a.peer.state.create({ name: 'x', group: 'none' })).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
  await a.peer.state.create({ name: 'twice' });
  await a.peer.state.create({ name: 'twice' });
  await expect(a.peer.state.read('twice')).rejects.toThrow('several documents');
  expect(documentRequestSchema.safeParse({ name: 'x', members: ['b'], group: 'team' }).success).toBe(false);
  const keys = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 1]));
  expect([256, 257].map((count) => documentChangeSchema.safeParse({ set: keys(count) }).success)).toEqual([
    true,
    false,
  ]);
});
