import { callMethod, createIdentity, type Identity, nobleCrypto, signSuccession } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { testWorld, type TestPeer, type TestWorld } from '../testing/peers.ts';
import { ask, live, pair, textOf, until } from '../testing/steps.ts';
import { keyMethod } from './key-protocol.ts';

const graceMs = 3_600_000;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'OK',
    (error: unknown) => String((error as { readonly code?: string }).code),
  );
const namesAt = ({ peer }: TestPeer): readonly string[] =>
  peer.peers.list().flatMap(({ kind, name }) => (kind === 'device' ? [name] : []));

/** What became of its key, by its own log; an entry that can't be read counts as null. */
const keysIn = async ({ peer }: TestPeer) =>
  (await peer.books.entries({ limit: 500 })).entries.flatMap(({ kind, key = null }) => (kind === 'key' ? [key] : []));

interface Scene {
  readonly world: TestWorld;
  readonly study: TestPeer;
  readonly laptop: TestPeer;
  /** The laptop's next process, under whatever key stands in its file. */
  restart(who?: TestPeer): Promise<TestPeer>;
}

async function scene(): Promise<Scene> {
  const world = testWorld({ latencyMs: 5 });
  const study = await world.peer('study', { seed: 1 });
  let key: Uint8Array | undefined;
  const options = { seed: 2, engine: false, replaceKey: async (next: Uint8Array) => void (key = next) };
  const laptop = await world.peer('laptop', options);
  await pair(world, study, laptop);
  const restart = (who = laptop) =>
    world.peer('laptop', { ...options, store: world.kill(who), ...(key === undefined ? {} : { key }) });
  return { world, study, laptop, restart };
}
const rotate = async ({ world, laptop }: Scene, force = false) =>
  world.clock.until(laptop.peer.keys.rotate({ graceMs, force }));
const seesOnline = (at: TestPeer, who: TestPeer): boolean =>
  at.peer.peers.list().some(({ peerId, state }) => peerId === who.identity.peer && state === 'online');

describe('a key that is changed', () => {
  test('is taken by paired devices, with name and rights, and answers go on with receipts in both logs', async () => {
    const one = await scene();
    const { world, study } = one;
    await ask(world, one.laptop, 'echo', 'before');
    const { from, to } = await rotate(one);
    expect(from).toBe(one.laptop.identity.peer);
    const laptop = await one.restart();
    expect(laptop.identity.peer).toBe(to);
    await until(world.clock, () => seesOnline(study, laptop) && seesOnline(laptop, study));
    expect(study.peer.peers.view(laptop.identity.peer)).toMatchObject({
      name: 'laptop',
      kind: 'device',
      allow: ['chat'],
    });
    await until(world.clock, () => laptop.peer.peers.list().some(({ models }) => models.includes('echo')));
    expect(textOf(await ask(world, laptop, 'echo', 'after'))).toBe('echo: after');
    await world.clock.advance(5_000);
    // Two receipts; and after the word about the key before, one.
    expect([(await study.peer.books.head()).size, (await laptop.peer.books.head()).size]).toEqual([2, 2]);
    for (const { peer } of [study, laptop]) expect((await peer.books.verify()).ok).toBe(true);
  });

  test('is named at the end of the old log, and the old one at the beginning of the new, once', async () => {
    const one = await scene();
    const { laptop } = one;
    const { from, to, graceUntilMs } = await rotate(one);
    const said = [{ kind: 'succession', from, to, graceUntilMs, statedMs: graceUntilMs - graceMs }];
    expect((await keysIn(laptop)).slice(-1)).toEqual(said);
    expect(await laptop.peer.books.verify()).toMatchObject({ ok: true });
    const next = await one.restart();
    expect(await keysIn(next)).toEqual(said);
    const again = await one.restart(next);
    expect(again.identity.peer).toBe(to);
    expect(await keysIn(again)).toEqual(said);
    expect(await again.peer.books.verify()).toMatchObject({ ok: true, size: 1 });
  });

  test('gets the messages that waited for the old one, once', async () => {
    const one = await scene();
    const { world, study, laptop } = one;
    await rotate(one);
    world.networks.kill(laptop.identity.peer);
    await world.clock.until(study.peer.messages.deliver('laptop', 'text', 'waiting'));
    const next = await one.restart();
    await until(world.clock, async () => (await next.peer.messages.list()).length > 0);
    await world.clock.advance(limits.redialMsMax);
    expect((await next.peer.messages.list()).map(({ payload }) => payload)).toEqual(['waiting']);
  });

  test('is still good while the grace time runs, and refused from its end on, also after a restart', async () => {
    const one = await scene();
    const { world, study, laptop } = one;
    await rotate(one);
    const next = await one.restart();
    await until(world.clock, () => seesOnline(study, next));
    const old = laptop.identity.peer;
    expect([study.peer.isGranted(old, ''), study.peer.isBlocked(old)]).toEqual([true, false]);
    await world.clock.advance(graceMs);
    expect([study.peer.isGranted(old, ''), study.peer.isBlocked(old)]).toEqual([false, true]);
    expect(namesAt(study)).toEqual(['laptop']);
    const again = await world.peer('study', { seed: 1, store: world.kill(study) });
    expect([again.peer.isGranted(old, ''), again.peer.isBlocked(old)]).toEqual([false, true]);
    expect(again.peer.isGranted(next.identity.peer, '')).toBe(true);
  });

  test('is told to a device that was away, whenever it comes', async () => {
    const one = await scene();
    const { world, study } = one;
    const store = world.kill(study);
    await rotate(one);
    const next = await one.restart();
    await world.clock.advance(600_000);
    const back = await world.peer('study', { seed: 1, store });
    await until(world.clock, () => seesOnline(back, next));
    await world.clock.advance(limits.redialMsMax);
    expect(back.peer.peers.view(next.identity.peer)).toMatchObject({ name: 'laptop', state: 'online' });
  });

  test('has one successor: a second one, as a thief would name, is refused', async () => {
    const one = await scene();
    const { world, study } = one;
    await rotate(one);
    const next = await one.restart();
    await until(world.clock, () => seesOnline(study, next));
    // The thief has the old key, and says with it that the device is now his.
    const [old, thief] = [2, 3].map((seed) => createIdentity(nobleCrypto, seededRandom(seed).bytes(32))) as [
      Identity,
      Identity,
    ];
    const nowMs = world.clock.nowMs();
    const statement = signSuccession(old, thief, { statedMs: nowMs, graceUntilMs: nowMs });
    const network = world.networks.join(thief.peer);
    const told = callMethod(
      { network, clock: world.clock },
      study.identity.peer,
      keyMethod,
      { statement },
      { signal: live() },
    );
    expect(await codeOf(world.clock.until(told))).toBe('KEY_CONFLICT');
    expect([study.peer.isGranted(thief.peer, ''), study.peer.isGranted(next.identity.peer, '')]).toEqual([false, true]);
  });

  test('does not change while messages wait, unless it is forced, nor where its file is not ours', async () => {
    const one = await scene();
    const { world, study, laptop } = one;
    world.kill(study);
    await world.clock.until(laptop.peer.messages.deliver('study', 'text', 'x'));
    expect(await codeOf(rotate(one))).toBe('REFUSED');
    expect(await codeOf(rotate(one, true))).toBe('OK');
    expect(await codeOf(study.peer.keys.rotate({ graceMs, force: true }))).toBe('REFUSED');
  });

  test('ends the share links that name it, and says how many', async () => {
    const world = testWorld();
    const host = await world.peer('host', { replaceKey: async () => undefined });
    await world.clock.until(host.peer.sharing.create({ model: 'echo' }));
    expect(await host.peer.keys.rotate({ graceMs, force: false })).toMatchObject({ sharesEnded: 1 });
    expect(host.peer.sharing.list().map(({ state }) => state)).toEqual(['stopped']);
  });
});

describe('a key that is revoked', () => {
  test('is refused at once, stays refused after a restart, and is not let in again by hand', async () => {
    const { world, study, laptop } = await scene();
    expect(await world.clock.until(laptop.peer.keys.revoke(live()))).toMatchObject({ devices: 1, told: 1 });
    const old = laptop.identity.peer;
    expect(await keysIn(laptop)).toMatchObject([{ kind: 'revocation', peer: old }]);
    expect([study.peer.isGranted(old, ''), study.peer.isBlocked(old)]).toEqual([false, true]);
    await until(world.clock, () => study.peer.peers.view(old).path === null);
    expect(await codeOf(study.peer.peers.change('laptop', { blocked: false }))).toBe('REFUSED');
    const again = await world.peer('study', { seed: 1, store: world.kill(study) });
    expect([again.peer.isGranted(old, ''), again.peer.isBlocked(old)]).toEqual([false, true]);
  });
});
