import { type AnswerPart, callMethod, type LanguageModel } from '@peerai/core-protocol';
import { silentLogger } from '@peerai/core-protocol/testing';
import type { Engine } from '@peerai/llm-bridge';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { createHeartbeat } from './heartbeat.ts';
import { capabilitiesMethod, pingMethod, statusMethod } from './status-protocol.ts';

interface Scene {
  readonly world: TestWorld;
  readonly a: TestPeer;
  readonly b: TestPeer;
}
async function scene(options: PeerOptions = {}): Promise<Scene> {
  const world = testWorld();
  const a = await world.peer('a', { seed: 21, ...options });
  const b = await world.peer('b', { seed: 22 });
  await pair(world, a, b, ['chat', 'tasks']);
  return { world, a, b };
}
const viewOf = ({ b }: Scene) => b.peer.peers.list().find(({ name }) => name === 'a');

describe('A ping', () => {
  test('brings its nonce back, over the path it says', async () => {
    const { world, b } = await scene();
    expect(await world.clock.until(b.peer.peers.ping('a', live()))).toMatchObject({ v: 1, path: 'direct' });
  });

  test('of the longest nonce is answered, one byte more is not', async () => {
    const { world, a, b } = await scene();
    const network = world.networks.join(b.identity.peer);
    const ask = (bytes: number) =>
      world.clock.until(
        callMethod(
          { network, clock: world.clock },
          a.identity.peer,
          pingMethod,
          { nonce: new Uint8Array(bytes) },
          { signal: live() },
        ),
      );
    expect((await ask(limits.pingNonceBytes)).nonce).toHaveLength(limits.pingNonceBytes);
    await expect(ask(limits.pingNonceBytes + 1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});

describe('A heartbeat', () => {
  test('is not waited for: a device whose link stands is healthy at once, one that is cut off is nothing', async () => {
    const at = await scene();
    expect(viewOf(at)).toMatchObject({ state: 'online', health: 'healthy', report: null });
    await at.b.peer.peers.change(at.a.identity.peer, { blocked: true });
    expect(viewOf(at)).toMatchObject({ state: 'blocked', health: null });
  });

  test('brings what a device says of itself, with a sequence that rises', async () => {
    const at = await scene();
    await at.world.clock.advance(limits.heartbeatEveryMs);
    await until(at.world.clock, () => viewOf(at)?.report !== null);
    expect(viewOf(at)).toMatchObject({ health: 'healthy', report: { state: 'ready', tasksRunning: 0 } });
    const before = viewOf(at)?.report?.sequence ?? 0;
    await at.world.clock.advance(2 * limits.heartbeatEveryMs);
    expect(viewOf(at)?.report?.sequence).toBeGreaterThan(before);
  });

  test.each([limits.heartbeatEveryMs, 100])(
    'every %i ms that stays away as often as its limit says makes a device unhealthy, one that comes back makes it well',
    async (heartbeatMs) => {
      const { world, a, b } = await scene();
      let silent = true;
      let sequence = 0;
      const answering = world.networks.join(a.identity.peer, { isGranted: () => true });
      a.peer.stop().catch(() => undefined);
      await world.clock.advance(100);
      const { serveMethod } = await import('@peerai/core-protocol');
      const report = {
        state: 'ready',
        answering: 0,
        waiting: 0,
        tasksRunning: 0,
        tasksWaiting: 0,
        startedMs: 1,
      } as const;
      serveMethod(answering, statusMethod, async () => {
        if (silent) throw new Error('not now');
        return { ...report, sequence: (sequence += 1) };
      });
      const changed: string[] = [];
      const heartbeat = createHeartbeat({
        network: world.networks.join(b.identity.peer),
        clock: world.clock,
        logger: silentLogger,
        devices: { list: () => [{ peer: a.identity.peer, blocked: false }] } as never,
        links: { get: () => ({}) as never },
        own: () => ({ state: 'ready', answering: 0, waiting: 0, tasksRunning: 0, tasksWaiting: 0 }),
        startedMs: 1,
        heartbeatMs,
        changed: (peer) => changed.push(heartbeat.of(peer)?.health ?? ''),
      });
      const stop = new AbortController();
      void heartbeat.run(stop.signal);
      for (let miss = 1; miss < limits.heartbeatMissesMax; miss += 1) await world.clock.advance(heartbeatMs);
      expect([heartbeat.of(a.identity.peer)?.health, changed]).toEqual(['healthy', []]);
      await world.clock.advance(heartbeatMs);
      expect([heartbeat.of(a.identity.peer)?.health, changed]).toEqual(['unhealthy', ['unhealthy']]);
      silent = false;
      await world.clock.advance(heartbeatMs);
      expect([heartbeat.of(a.identity.peer)?.health, changed]).toEqual(['healthy', ['unhealthy', 'healthy']]);
      // An old report, said again, is none.
      sequence = 0;
      await world.clock.advance(heartbeatMs);
      expect(heartbeat.of(a.identity.peer)?.report?.sequence).toBe(1);
      stop.abort();
      heartbeat[Symbol.dispose]();
    },
  );
});

describe('Capabilities', () => {
  test('name what a device does, are kept, and are there while it is away', async () => {
    const { world, a, b } = await scene();
    const { capabilities } = b.peer.status;
    const first = await world.clock.until(capabilities.of('a', live(), true));
    expect(first).toMatchObject({ name: 'a', agent: 'peerai/0.0.0' });
    expect(first.protocolVersions).toEqual(['peerai/1', '1.1', '1.0', '0.3', '0.1']);
    expect(first.models).toContain('echo');
    expect(first.taskTypes).toContain('research');
    expect(first.messageTypes).toEqual(expect.arrayContaining(['text', 'task_delegate', 'wake_up', 'ping']));
    world.networks.kill(a.identity.peer);
    await world.clock.advance(limits.capabilitiesKeptMs + 1_000);
    expect((await world.clock.until(capabilities.of('a', live()))).askedMs).toBe(first.askedMs);
    await expect(capabilities.of('nobody', live())).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
    expect(await b.peer.status.capabilities.own()).toMatchObject({ name: 'b', peerId: b.identity.peer });
  });

  test('keep the models from a device that may not chat', async () => {
    const { world, a, b } = await scene();
    await a.peer.peers.change('b', { allow: ['tasks'] });
    expect((await world.clock.until(b.peer.status.capabilities.of('a', live(), true))).models).toEqual([]);
  });

  test('with a list of exactly the limit are read, one entry or character more is refused', () => {
    const said = (models: unknown) => ({
      capabilities: { protocol_version: '1.1', entity_id: 'x', agent: 'y', models },
    });
    const read = (models: unknown) =>
      capabilitiesMethod.response.decode(new TextEncoder().encode(JSON.stringify(said(models))));
    const list = Array.from({ length: limits.capabilityEntriesMax }, () => 'm');
    expect(read(list).capabilities.models).toHaveLength(limits.capabilityEntriesMax);
    expect(read(['m'.repeat(limits.capabilityCharsMax)]).capabilities.models).toHaveLength(1);
    for (const models of [[...list, 'm'], ['m'.repeat(limits.capabilityCharsMax + 1)], 'm', [1]])
      expect(() => read(models)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  });
});

/** A model that counts how often it was told to load. */
function sleepy(loads: { count: number; fails?: boolean }): Engine {
  let loaded = false;
  const model: LanguageModel = {
    specification: 1,
    get card() {
      const card = { name: 'sleepy', engine: 'scripted', contextTokensMax: 100, memoryBytes: 0 };
      return { ...card, loaded, deterministic: true, fits: true };
    },
    async *generate(): AsyncIterable<AnswerPart> {},
    async warm() {
      loads.count += 1;
      if (loads.fails === true) throw new Error('no memory for /home/me/model');
      loaded = true;
    },
  };
  return { kind: 'scripted', list: async () => [model], model: async () => model };
}

describe('A wake-up', () => {
  test('loads the model before it is answered, and finds it awake the next time', async () => {
    const loads = { count: 0 };
    const { world, b } = await scene({ engines: [sleepy(loads)] });
    const wake = () => world.clock.until(b.peer.status.wake('a', { model: 'sleepy' }, live()));
    expect(await wake()).toMatchObject({ status: 'success', reason: 'sleepy' });
    expect(await wake()).toMatchObject({ status: 'already_awake' });
    expect(loads.count).toBe(1);
  });

  test('that cannot load says so without a word of what is inside', async () => {
    const { world, b } = await scene({ engines: [sleepy({ count: 0, fails: true })] });
    expect(await world.clock.until(b.peer.status.wake('a', {}, live()))).toMatchObject({
      status: 'failed',
      reason: 'the model could not be loaded',
    });
    expect(await world.clock.until(b.peer.status.wake('a', { model: 'sleepy@b' }, live()))).toMatchObject({
      status: 'failed',
    });
  });

  test('is answered as often in a minute as its limit says; the next one is rate_limited, a minute later not', async () => {
    const loads = { count: 0 };
    const { world, b } = await scene({ engines: [sleepy(loads)] });
    const wake = async () => (await world.clock.until(b.peer.status.wake('a', {}, live()))).status;
    for (let call = 0; call < limits.wakesPerWindowMax; call += 1) expect(await wake()).not.toBe('rate_limited');
    expect(await wake()).toBe('rate_limited');
    await world.clock.advance(limits.wakeWindowMs);
    expect(await wake()).toBe('already_awake');
  });

  test('of a device without rights is refused; one for a peer that is away waits', async () => {
    const { world, a, b } = await scene();
    await a.peer.peers.change('b', { allow: [] });
    expect(await world.clock.until(b.peer.status.wake('a', {}, live()))).toMatchObject({ status: 'refused' });
    world.networks.kill(a.identity.peer);
    const waiting = b.peer.status.wake('a', {}, world.clock.deadline(1_000));
    expect(await world.clock.until(waiting)).toMatchObject({ status: 'queued' });
  });
});
