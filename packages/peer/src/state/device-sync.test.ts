import { afterEach, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { pair, until } from '../testing/steps.ts';

const peers: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of peers.splice(0)) await peer.stop();
});

test('the devices of one owner have the same again after a partition, whoever wrote on which side of it', async () => {
  const world = testWorld();
  const [phone, desk, laptop] = [await world.peer('phone'), await world.peer('desk'), await world.peer('laptop')];
  peers.push(phone, desk, laptop);
  await pair(world, desk, phone);
  await pair(world, desk, laptop);
  await pair(world, laptop, phone);
  await desk.peer.state.create({ name: 'memory', members: ['phone', 'laptop'] });
  const read = async ({ peer }: TestPeer) => {
    const { values, text } = await peer.state.read('memory');
    return { values, text };
  };
  for (const device of [phone, laptop])
    await until(world.clock, async () => (await device.peer.state.list()).length === 1);
  await desk.peer.state.change('memory', { set: { color: 'red' }, text: 'milk, bread' });
  await until(world.clock, async () => (await read(phone)).text !== '' && (await read(laptop)).text !== '');

  for (const other of [desk, laptop]) world.networks.cut(phone.identity.peer, other.identity.peer);
  await phone.peer.state.change('memory', { set: { color: 'blue', phone: 1 }, text: 'milk, bread, eggs' });
  await desk.peer.state.change('memory', { set: { desk: 2 }, remove: ['color'] });
  await laptop.peer.state.change('memory', { set: { laptop: 3 }, text: 'oat milk, bread' });
  await until(world.clock, async () => JSON.stringify(await read(desk)) === JSON.stringify(await read(laptop)));
  expect((await read(desk)).values).toEqual({ desk: 2, laptop: 3 });
  expect((await read(phone)).values).toEqual({ color: 'blue', phone: 1 });

  for (const other of [desk, laptop]) world.networks.heal(phone.identity.peer, other.identity.peer);
  // As long as a device may take to look for one that was away.
  await world.clock.advance(90_000);
  const all = [await read(phone), await read(desk), await read(laptop)];
  expect(all[0]).toMatchObject({ values: { phone: 1, desk: 2, laptop: 3 }, text: 'oat milk, bread, eggs' });
  expect([all[1], all[2]]).toEqual([all[0], all[0]]);
});
