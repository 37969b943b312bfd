import { callMethod, fromUtf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { helloMethod } from './hello-protocol.ts';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { ask, ended, live, pair, startAsking, textOf, until } from '../testing/steps.ts';

const sees = ({ peer }: TestPeer, other: TestPeer): string | undefined =>
  peer.peers.list().find(({ peerId }) => peerId === other.identity.peer)?.state;

test('a device whose line was cut is there again soon after it heals, from both sides', async () => {
  const world = testWorld();
  const [a, b] = [await world.peer('a'), await world.peer('b')];
  await pair(world, a, b);
  world.networks.cut(a.identity.peer, b.identity.peer);
  await until(world.clock, () => sees(a, b) === 'offline' && sees(b, a) === 'offline');
  await world.clock.advance(300_000);
  world.networks.heal(a.identity.peer, b.identity.peer);
  await world.clock.advance(limits.redialMsMax);
  expect([sees(a, b), sees(b, a)]).toEqual(['online', 'online']);
});

test('a device that was restarted is there again with its models, whoever starts', async () => {
  const world = testWorld();
  const [a, b] = [await world.peer('a', { seed: 11 }), await world.peer('b', { seed: 12 })];
  await pair(world, a, b);
  const b2 = await world.peer('b', { seed: 12, store: world.kill(b) });
  await until(world.clock, () => sees(a, b2) === 'online' && sees(b2, a) === 'online');
  const a2 = await world.peer('a', { seed: 11, store: world.kill(a) });
  await until(
    world.clock,
    () => b2.peer.peers.list()[0]?.models.includes('echo') && a2.peer.peers.list()[0]?.models.includes('echo'),
  );
  expect(textOf(await ask(world, b2, 'echo@a', 'hi'))).toBe('echo: hi');
});

test('a device that is blocked while it answers is cut off; what came until then stays', async () => {
  const world = testWorld();
  const [a, b] = [await world.peer('a'), await world.peer('b', { engine: false })];
  await pair(world, a, b);
  const running = startAsking(b, 'echo-slow', 'a long answer of many words that takes its time');
  await until(world.clock, () => textOf(running.events).length > 10);
  await a.peer.peers.change('b', { blocked: true });
  const events = await ended(world, running);
  expect(textOf(events)).not.toContain('time');
  expect(textOf(events).length).toBeGreaterThan(10);
  expect(events.at(-1)?.type).toBe('error');
  await world.clock.advance(limits.redialMsMax * 2);
  expect(a.peer.answering().active).toBe(0);
  expect((await ask(world, b, 'echo', 'again')).at(-1)).toMatchObject({ type: 'error', code: 'PEER_BLOCKED' });
  await a.peer.peers.change('b', { blocked: false });
  await until(world.clock, () => sees(a, b) === 'online');
  expect(textOf(await ask(world, b, 'echo', 'hi'))).toBe('echo: hi');
});

test('a device that may not chat any more loses the answer that runs, and nothing else', async () => {
  const world = testWorld();
  const [a, b] = [await world.peer('a'), await world.peer('b', { engine: false })];
  await pair(world, a, b);
  const running = startAsking(b, 'echo-slow', 'a long answer of many words that takes its time');
  await until(world.clock, () => textOf(running.events).length > 10);
  await a.peer.peers.change('b', { allow: [] });
  expect((await ended(world, running)).at(-1)).toMatchObject({ type: 'error', code: 'NOT_GRANTED' });
  expect(sees(a, b)).toBe('online');
});

test('both logs hold the same receipts after answers, cuts and restarts', async () => {
  const world = testWorld({ latencyMs: 20 });
  const [a, b] = [await world.peer('a'), await world.peer('b', { seed: 12, engine: false })];
  await pair(world, a, b);
  await ask(world, b, 'echo', 'one');
  const running = startAsking(b, 'echo', 'two');
  await until(world.clock, () => textOf(running.events) === 'echo: two');
  world.networks.cut(a.identity.peer, b.identity.peer);
  await world.clock.advance(30_000);
  world.networks.heal(a.identity.peer, b.identity.peer);
  const again = await world.peer('b', { seed: 12, store: world.kill(b), engine: false });
  await world.clock.advance(limits.redialMsMax);
  expect(textOf(await ask(world, again, 'echo', 'three'))).toBe('echo: three');
  await world.clock.advance(limits.redialMsMax);
  const hashes = async ({ peer }: TestPeer) =>
    (await peer.books.entries({})).entries.flatMap(({ receipt }) =>
      receipt === undefined ? [] : [[receipt.n, receipt.requestId, receipt.signedBy]],
    );
  expect(await hashes(a)).toEqual(await hashes(again));
  expect(await hashes(a)).toHaveLength(3);
  for (const one of [a, again]) expect((await one.peer.books.verify()).ok).toBe(true);
});

test('a signature that is lost while the link stays is made good soon after', async () => {
  const world = testWorld({ latencyMs: 20 });
  const [a, b] = [await world.peer('a'), await world.peer('b', { engine: false })];
  await pair(world, a, b);
  const running = startAsking(b, 'echo', 'two');
  while ((await b.peer.books.head()).size === 0) await world.clock.advance(1);
  // As a channel that dies on the way: the link is up again at once, and nobody is told of anything.
  world.networks.cut(a.identity.peer, b.identity.peer);
  world.networks.heal(a.identity.peer, b.identity.peer);
  expect((await a.peer.books.head()).size).toBe(0);
  await ended(world, running);
  await world.clock.advance(limits.lookBackMs + 1_000);
  expect((await a.peer.books.head()).size).toBe(1);
});

test('and when the look at what is owed is lost too, it is repeated', async () => {
  let lossRate = 0;
  const begin = async () => {
    const world = testWorld({ latencyMs: 20, lossRate: () => lossRate });
    const [a, b] = [await world.peer('a'), await world.peer('b', { engine: false })];
    await pair(world, a, b);
    return { world, a, b, running: startAsking(b, 'echo', 'two') };
  };
  const first = await begin();
  while ((await first.b.peer.books.head()).size === 0) await first.world.clock.advance(1);
  const { world, a, b, running } = await begin();
  await world.clock.advance(first.world.clock.elapsedMs() - world.clock.elapsedMs() - 1);
  // The same world again: in a moment the asker signs. The link stays up, so that nothing but the look tells what is missing.
  lossRate = 1;
  await ended(world, running);
  await world.clock.advance(limits.lookBackMs + 1_000);
  lossRate = 0;
  expect([(await b.peer.books.head()).size, (await a.peer.books.head()).size]).toEqual([1, 0]);
  await world.clock.advance(limits.lookBackMs + 1_000);
  expect((await a.peer.books.head()).size).toBe(1);
});

test('a device is known to take frames for as long as its last hello says so', async () => {
  const world = testWorld();
  const [a, b] = [await world.peer('a', { seed: 61 }), await world.peer('b', { seed: 62 })];
  await pair(world, a, b);
  const framesOf = async (): Promise<unknown> => {
    for await (const { value } of a.store.room('devices').range('device/', 'device0'))
      return (JSON.parse(fromUtf8(value)) as { readonly frames?: number }).frames;
    return undefined;
  };
  expect(await framesOf()).toBe(1);
  const network = world.networks.join(b.identity.peer);
  const older = { name: 'b', version: '0', addresses: [], http: undefined, sessions: undefined, frames: undefined };
  const said = { ...older, nowMs: undefined, leases: [] };
  const asking = callMethod({ network, clock: world.clock }, a.identity.peer, helloMethod, said, { signal: live() });
  expect(await world.clock.until(asking)).toMatchObject({ frames: 1 });
  await until(world.clock, async () => (await framesOf()) === undefined);
});
