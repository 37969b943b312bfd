import { afterEach, expect, test } from 'vitest';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { pair } from '../testing/steps.ts';

const peers: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of peers.splice(0)) await peer.stop();
});
/** Three paired devices; a and c have no line to each other any more. */
async function row(): Promise<{ readonly world: TestWorld; a: TestPeer; b: TestPeer; c: TestPeer }> {
  const world = testWorld();
  const [a, b, c] = [await world.peer('a'), await world.peer('b'), await world.peer('c')];
  peers.push(a, b, c);
  await pair(world, a, c);
  await pair(world, b, a);
  await pair(world, b, c);
  world.networks.cut(a.identity.peer, c.identity.peer);
  await world.clock.advance(1_000);
  return { world, a, b, c };
}
const texts = async ({ peer }: TestPeer): Promise<unknown[]> =>
  (await peer.messages.list()).map(({ payload }) => payload);
const through = ({ peer }: TestPeer, name: string) => peer.peers.list().find((one) => one.name === name)?.through;

test('a letter goes through the device between once its owner allows it, and that device has nothing to read', async () => {
  const { world, a, b, c } = await row();
  await world.clock.advance(60_000);
  expect(through(a, 'c')).toBeUndefined();
  await b.peer.peers.change('a', { allow: ['route'] });
  await world.clock.advance(31_000);
  expect(through(a, 'c')).toEqual(['b']);
  const delivery = await world.clock.until(a.peer.messages.deliver('c', 'text', 'over b'));
  expect(delivery).toMatchObject({ state: 'delivered', path: 'route' });
  expect([await texts(b), await texts(c)]).toEqual([[], ['over b']]);
});

test.each([
  ['the right is taken away', { allow: [] }],
  ['a block', { blocked: true }],
] as const)('%s ends it', async (_, ending) => {
  const { world, a, b, c } = await row();
  await b.peer.peers.change('a', { allow: ['route'] });
  await world.clock.advance(31_000);
  expect(through(a, 'c')).toEqual(['b']);
  await b.peer.peers.change('a', 'allow' in ending ? { allow: [] } : ending);
  const delivery = await world.clock.until(a.peer.messages.deliver('c', 'text', 'no way'));
  expect(delivery).toMatchObject({ state: 'queued' });
  await world.clock.advance(100_000);
  expect(through(a, 'c')).toBeUndefined();
  expect(await texts(c)).toEqual([]);
});
