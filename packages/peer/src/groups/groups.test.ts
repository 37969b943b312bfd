import { afterEach, expect, test } from 'vitest';
import type { ControlEvent } from '../control/events.ts';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';

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
const payloads = async ({ peer }: TestPeer, group: string): Promise<unknown[]> =>
  (await peer.groups.messages(group)).map(({ payload }) => payload);

test('devices make a group, each reads the others, and each is told once', async () => {
  const { world, a, b, c } = await three();
  const told: ControlEvent[] = [];
  void (async () => {
    for await (const { event } of c.peer.events.subscribe(live())) told.push(event);
  })();
  const group = await world.clock.until(a.peer.groups.create('team', ['b', 'c'], live()));
  expect(group).toMatchObject({ name: 'team', mine: true, epoch: 1 });
  expect(group.members.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  await until(world.clock, async () => (await c.peer.groups.list()).length === 1);
  const delivery = await world.clock.until(b.peer.groups.send('team', 'text', 'hello'));
  expect(delivery.members.map(({ name, state }) => [name, state])).toEqual([
    ['a', 'delivered'],
    ['c', 'delivered'],
  ]);
  expect([await payloads(a, 'team'), await payloads(b, 'team'), await payloads(c, 'team')]).toEqual([
    ['hello'],
    [],
    ['hello'],
  ]);
  const received = told.filter((event) => event.type === 'group-message-received');
  expect(received.map(({ message }) => [message.fromName, message.payload])).toEqual([['b', 'hello']]);
});

test('who is removed has the group no more; who leaves may be added again', async () => {
  const { world, a, b, c } = await three();
  const { id } = await world.clock.until(a.peer.groups.create('team', ['b', 'c'], live()));
  await until(world.clock, async () => (await c.peer.groups.list()).length === 1);
  await a.peer.groups.remove('team', 'c');
  await until(world.clock, async () => (await c.peer.groups.list()).length === 0);
  await world.clock.until(a.peer.groups.send(id.slice(0, 8), 'text', 'without c'));
  expect(await payloads(b, 'team')).toEqual(['without c']);
  await expect(payloads(c, 'team')).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
  await b.peer.groups.leave('team');
  await until(world.clock, async () => (await a.peer.groups.get('team')).members.length === 1);
  await world.clock.until(a.peer.groups.add('team', ['b'], live()));
  expect((await a.peer.groups.get(id)).members).toHaveLength(2);
});

test('a group outlives a crash of its members, and what was sent meanwhile comes', async () => {
  const { world, a, b } = await three();
  await world.clock.until(a.peer.groups.create('team', ['b'], live()));
  await until(world.clock, async () => (await b.peer.groups.list()).length === 1);
  const store = world.kill(b);
  const sent = await world.clock.until(a.peer.groups.send('team', 'text', 'while you were out'));
  expect(sent.members.map(({ state }) => state)).toEqual(['queued']);
  const back = await world.peer('b', { seed: 2, store });
  peers.push(back);
  expect(back.identity.peer).toBe(b.identity.peer);
  await until(world.clock, async () => (await payloads(back, 'team')).length === 1);
  expect((await a.peer.groups.report(sent.id)).members.map(({ state }) => state)).toEqual(['delivered']);
});

test('what was sent stays to read, each with where it stands, also after a restart', async () => {
  const { world, a, b } = await three();
  const { id } = await world.clock.until(a.peer.groups.create('team', ['b'], live()));
  await until(world.clock, async () => (await b.peer.groups.list()).length === 1);
  await world.clock.until(a.peer.groups.create('other', [], live()));
  await world.clock.until(a.peer.groups.send('team', 'text', 'first'));
  await world.clock.until(a.peer.groups.send('other', 'text', 'elsewhere'));
  world.kill(b);
  const second = await world.clock.until(a.peer.groups.send('team', 'data', { n: 2 }));
  const shown = [
    { id: second.id, group: id, kind: 'data', payload: { n: 2 }, members: [{ name: 'b', state: 'queued' }] },
    { kind: 'text', payload: 'first', members: [{ name: 'b', state: 'delivered' }] },
  ];
  expect(await a.peer.groups.sent('team')).toMatchObject(shown);
  const back = await world.peer('a', { seed: 1, store: world.kill(a) });
  peers.push(back);
  expect(await back.peer.groups.sent('team')).toMatchObject(shown);
  await expect(back.peer.groups.sent('nowhere')).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
});

test('strangers and devices without the right add nobody, and unknown names are said', async () => {
  const { world, a, b } = await three();
  await b.peer.peers.change('a', { allow: ['tasks'] });
  await expect(world.clock.until(a.peer.groups.create('team', ['b'], live()))).rejects.toMatchObject({
    code: 'REFUSED',
  });
  await expect(a.peer.groups.create('other', ['nobody'], live())).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
  await expect(a.peer.groups.get('nowhere')).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
  await a.peer.groups.create('team', [], live());
  await expect(a.peer.groups.get('team')).rejects.toThrow('several groups');
  await expect(a.peer.groups.report('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a member that was blocked is not heard in the group either', async () => {
  const { world, a, b } = await three();
  await world.clock.until(a.peer.groups.create('team', ['b'], live()));
  await until(world.clock, async () => (await b.peer.groups.list()).length === 1);
  await b.peer.peers.change('a', { blocked: true });
  await world.clock.until(a.peer.groups.send('team', 'text', 'hello?'));
  expect(await payloads(b, 'team')).toEqual([]);
});
