import { expect, test } from 'vitest';
import { testWorld } from '../testing/peers.ts';
import { pair, until } from '../testing/steps.ts';

test('a peer without engine, relay or company is told what is missing and what to do', async () => {
  const { peer } = await testWorld().peer('alone', { engine: false });
  const { checks } = await peer.doctor.check();
  expect(Object.fromEntries(checks.map(({ id, state }) => [id, state]))).toEqual({
    engine: 'broken',
    relay: 'look',
    listen: 'ok',
    queue: 'ok',
    ledger: 'ok',
  });
  for (const { state, remedy } of checks) expect(remedy === undefined).toBe(state === 'ok');
});

test('a device that is away, slow or blocked is named', async () => {
  const world = testWorld({ latencyMs: 300 });
  const [a, b] = [await world.peer('a'), await world.peer('b')];
  await pair(world, a, b);
  const check = async () => (await a.peer.doctor.check()).checks.find(({ title }) => title === 'b');
  expect(await check()).toMatchObject({ state: 'look', cause: expect.stringContaining('slow') as string });
  world.networks.cut(a.identity.peer, b.identity.peer);
  await until(world.clock, async () => (await check())?.cause.startsWith('No link'));
  expect(await check()).toMatchObject({ state: 'look', command: 'peerai peers trace b' });
  await a.peer.peers.change('b', { blocked: true });
  expect(await check()).toMatchObject({ state: 'ok', cause: 'Blocked by you.' });
});
