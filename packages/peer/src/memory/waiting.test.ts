import { MemoryStore } from '@peerai/core-protocol/testing';
import { nobleCrypto, createIdentity } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { openWaitingShares } from './waiting.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
/** Desk is away from laptop, and remembers something it may have. */
async function apart() {
  const world = testWorld();
  const [desk, laptop] = [await world.peer('desk', { seed: 1 }), await world.peer('laptop', { seed: 2 })];
  started.push(desk, laptop);
  await pair(world, laptop, desk, ['chat', 'memory']);
  const { capsule } = await desk.peer.memory.add({ text: 'the roof leaks', level: 'behavioral' }, live());
  world.networks.cut(desk.identity.peer, laptop.identity.peer);
  return { world, desk, laptop, id: capsule.id };
}
const share = (world: TestWorld, { peer }: TestPeer, id: string) =>
  world.clock.until(peer.memory.share(id, 'laptop', live()));
/** The lines are back, and so much time has passed as a device may take to look for one that was away. */
async function together({ clock, networks }: TestWorld, one: TestPeer, other: TestPeer): Promise<void> {
  networks.heal(one.identity.peer, other.identity.peer);
  await clock.advance(90_000);
}
const waiting = async ({ peer }: TestPeer) => (await peer.memory.list({})).waiting;
const held = async ({ peer }: TestPeer) => (await peer.memory.list({})).capsules.map(({ summary }) => summary);

test('a capsule for a peer that is away waits, through a kill too, and goes when the peer is back', async () => {
  const { world, desk, laptop, id } = await apart();
  expect(await share(world, desk, id)).toMatchObject({ outcome: 'waiting', peerName: 'laptop' });
  expect(await waiting(desk)).toMatchObject([{ capsuleId: id, peerName: 'laptop', summary: 'the roof leaks' }]);
  started.splice(started.indexOf(desk), 1);
  const again = await world.peer('desk', { seed: 1, store: world.kill(desk) });
  started.push(again);
  expect(await waiting(again)).toHaveLength(1);
  expect(await held(laptop)).toEqual([]);
  await together(world, desk, laptop);
  await until(world.clock, async () => (await held(laptop)).join() === 'the roof leaks');
  await until(world.clock, async () => (await waiting(again)).length === 0);
  expect(await share(world, again, id)).toMatchObject({ outcome: 'known' });
});

test('what is cancelled or forgotten while it waits does not go', async () => {
  const { world, desk, laptop, id } = await apart();
  const { capsule } = await desk.peer.memory.add({ text: 'the sail is red', level: 'public' }, live());
  const third = (await desk.peer.memory.add({ text: 'the boat is new', level: 'public' }, live())).capsule;
  for (const one of [id, capsule.id, third.id]) await share(world, desk, one);
  await desk.peer.memory.cancelShare(id.slice(0, 12), 'laptop');
  await expect(desk.peer.memory.cancelShare(id, 'laptop')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await desk.peer.memory.forget(capsule.id);
  expect(await waiting(desk)).toMatchObject([{ capsuleId: third.id }]);
  await together(world, desk, laptop);
  await until(world.clock, async () => (await held(laptop)).length > 0);
  await world.clock.advance(1_000);
  expect(await held(laptop)).toEqual(['the boat is new']);
});

test('a peer that does not take it says why, and is asked again when it is back', async () => {
  const { world, desk, laptop, id } = await apart();
  await share(world, desk, id);
  await laptop.peer.peers.change('desk', { allow: ['chat'] });
  await together(world, desk, laptop);
  await until(world.clock, async () => (await waiting(desk))[0]?.problem !== undefined);
  expect(await waiting(desk)).toMatchObject([{ problem: 'this peer does not let you use its memory' }]);
  await laptop.peer.peers.change('desk', { allow: ['chat', 'memory'] });
  world.networks.cut(desk.identity.peer, laptop.identity.peer);
  await world.clock.advance(1_000);
  await together(world, desk, laptop);
  await until(world.clock, async () => (await waiting(desk)).length === 0);
  expect(await held(laptop)).toEqual(['the roof leaks']);
  // At once it is said, and nothing waits.
  await laptop.peer.peers.change('desk', { allow: ['chat'] });
  const { capsule } = await desk.peer.memory.add({ text: 'another', level: 'public' }, live());
  await expect(share(world, desk, capsule.id)).rejects.toMatchObject({ code: 'NOT_GRANTED' });
  expect(await waiting(desk)).toEqual([]);
});

test('so many capsules wait and no more, and one that waits already is not another', async () => {
  const shares = openWaitingShares(new MemoryStore());
  const { peer } = createIdentity(nobleCrypto, new Uint8Array(32).fill(1));
  const put = (place: number) => shares.put({ capsule: `${place}`, peer, sinceMs: place });
  for (let place = 0; place < limits.memorySharesWaitingMax; place += 1) await put(place);
  await put(0);
  await expect(put(limits.memorySharesWaitingMax)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  expect(await shares.list()).toHaveLength(limits.memorySharesWaitingMax);
});
