import { ManualClock } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { censusLimits as limits, createCensus } from './census.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});

test('peers are counted by way, region, version and cipher, with their mean reputation, and who came and went', async () => {
  const world = testWorld();
  const a = await world.peer('a');
  const b = await world.peer('b', { settings: { region: 'eu-west' } });
  const c = await world.peer('c', { settings: { version: '9.9.9' } });
  started.push(a, b, c);
  await pair(world, b, a);
  await pair(world, c, a);
  await a.peer.reputation.scores();
  for (let time = 0; time < 4; time += 1) a.peer.reputation.note(b.identity.peer, 'answered', `${time}`);
  await until(world.clock, () => (a.peer.reputation.now(b.identity.peer) ?? 0) > 0.49);
  const take = () => world.clock.until(a.peer.census.take(live()));
  const census = await take();
  expect(census).toMatchObject({
    devices: 2,
    online: 2,
    others: 0,
    networks: [{ name: 'direct', peers: 2 }],
    regions: [
      { name: 'eu-west', peers: 1 },
      { name: 'not said', peers: 1 },
    ],
    versions: [
      { name: 'peerai/0.0.0', peers: 1 },
      { name: 'peerai/9.9.9', peers: 1 },
    ],
    churn: { came: 2, went: 0 },
  });
  expect(census.meanReputation).toBeCloseTo((0.5 + 0.3) / 2, 4);
  await c.peer.stop();
  world.kill(c);
  const after = await until(world.clock, async () => {
    const now = await take();
    return now.online === 1 && now;
  });
  expect(after.networks).toContainEqual({ name: 'away', peers: 1 });
  expect(after.churn.went).toBe(1);
});

test('what came and went is forgotten after its time, and the oldest above the limit', async () => {
  const clock = new ManualClock();
  const none = { peers: { list: () => [] }, capabilities: { of: () => Promise.reject(new Error('nobody')) } };
  const scores = () => Promise.resolve(() => 1);
  const census = createCensus({ clock, ...none, reputation: { scores } });
  const came = async (): Promise<number> => (await census.take(live())).churn.came;
  census.changed(true);
  await clock.advance(limits.windowMs - 1);
  expect(await came()).toBe(1);
  await clock.advance(1);
  expect(await came()).toBe(0);
  for (let change = 0; change <= limits.changesMax; change += 1) census.changed(change > 0);
  expect((await census.take(live())).churn).toMatchObject({ came: limits.changesMax, went: 0 });
  expect((await census.take(live())).meanReputation).toBeNull();
});
