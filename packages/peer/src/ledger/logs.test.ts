import { callMethod, fromBase64Url, type Network, nobleCrypto, utf8 } from '@peerai/core-protocol';
import type { MemoryStore } from '@peerai/core-protocol/testing';
import { decodeProof, openCheckpoint } from '@peerai/ledger';
import { encodeAddCheckpoint, readCosigners, verifyEquivocation, verifyWitnessedProof } from '@peerai/ledger/witness';
import { afterEach, describe, expect, test } from 'vitest';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { ask, live, pair, until } from '../testing/steps.ts';
import { logMethod, type LogQuestion, plainLogQuestion } from './log-protocol.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const names = ['anna', 'ben', 'cleo'];

/** Peers that are all paired with each other; everybody asked anna something. */
async function town(count = 3) {
  const world = testWorld();
  const peers: TestPeer[] = [];
  for (let index = 0; index < count; index += 1) {
    const one = await world.peer(names[index] ?? '', { seed: index + 1 });
    for (const other of peers) await pair(world, other, one);
    peers.push(one);
    started.push(one);
  }
  const [anna, ben, cleo] = peers as [TestPeer, TestPeer, TestPeer];
  for (const peer of peers.slice(1)) await ask(world, peer, 'echo@anna', 'hello');
  return { world, peers, anna, ben, cleo };
}
const sizeOf = async ({ peer }: TestPeer): Promise<number> => (await peer.books.head()).size;
const overview = ({ peer }: TestPeer) => peer.logs.overview();
/** Everybody shows everybody its head. */
async function meet(world: TestWorld, ...peers: readonly TestPeer[]): Promise<void> {
  for (const { peer } of peers) await world.clock.until(peer.logs.witness(live()));
}
/** A network of its own under this peer's key, which takes the place of the peer's. */
const taken = new WeakMap<TestPeer, Network>();
function networkOf(world: TestWorld, who: TestPeer): Network {
  const network = taken.get(who) ?? world.networks.join(who.identity.peer);
  taken.set(who, network);
  return network;
}
const question = (
  world: TestWorld,
  from: TestPeer,
  to: TestPeer,
  wish: Partial<LogQuestion> & Pick<LogQuestion, 'kind'>,
) => {
  const deps = { network: networkOf(world, from), clock: world.clock };
  return world.clock.until(
    callMethod(deps, to.identity.peer, logMethod, { ...plainLogQuestion, ...wish }, { signal: live() }),
  );
};
async function emptied(store: MemoryStore, name: string): Promise<MemoryStore> {
  const room = store.room(name);
  const changes = [];
  for await (const { key } of room.range('', '\u{10ffff}')) changes.push(room.put(key));
  await room.commit(changes);
  return store;
}

describe('logs of paired peers', { timeout: 30_000 }, () => {
  test('are copied, signed by each other, and proven offline under a policy', async () => {
    const { world, peers, anna, ben, cleo } = await town();
    await meet(world, ...peers);
    const seen = await overview(anna);
    expect(seen.own).toMatchObject({ size: 2, cosignedSize: 2 });
    expect(seen.own.cosigners.map(({ name }) => name).toSorted()).toEqual(['ben', 'cleo']);
    expect((await overview(ben)).copies.find(({ name }) => name === 'anna')).toMatchObject({ size: 2, headSize: 2 });
    const { note } = await anna.peer.logs.page(undefined, 0, 2);
    expect(readCosigners(nobleCrypto, note)).toHaveLength(2);
    const { proof, entry } = await anna.peer.logs.prove(undefined, 1);
    const policy = { witnesses: [ben.identity.peer, cleo.identity.peer], quorum: 2 };
    const proven = verifyWitnessedProof(nobleCrypto, fromBase64Url(proof), fromBase64Url(entry), policy);
    expect(proven.value).toMatchObject({ origin: anna.identity.peer, index: 1n });
    // Signed by others, not yet signed, another peer's: each file has its entry in it.
    const files = [
      await anna.peer.logs.prove(undefined, 1),
      await anna.peer.books.prove(1),
      await ben.peer.logs.prove('anna', 1),
    ];
    for (const one of files) expect(decodeProof(fromBase64Url(one.proof)).extra).toEqual(fromBase64Url(entry));
    expect(await ben.peer.logs.verify('anna')).toMatchObject({ ok: true, checked: 2, receipts: 2 });
    expect((await ben.peer.logs.entries('anna', {})).entries.map(({ receipt }) => receipt?.signedBy)).toEqual([
      'both',
      'both',
    ]);
    expect(await ben.peer.logs.prove('anna', 1)).toMatchObject({ entry });
    await expect(ben.peer.logs.prove('anna', 2)).rejects.toThrow(code('NOT_IN_LOG'));
    await expect(ben.peer.logs.entries('nobody', {})).rejects.toThrow(code('NOT_FOUND'));
  });

  test('are shown to nobody else: strangers nothing, a third device no copy, and heads alone where the owner says so; and a question that makes no sense has a code', async () => {
    const { world, peers, anna, ben, cleo } = await town();
    const shy = await world.peer('shy', { seed: 9, settings: { ledgerShow: 'heads' } });
    started.push(shy);
    const range = { kind: 'range', origin: anna.identity.peer, from: 0n, size: 2n } as const;
    await pair(world, shy, ben);
    await ask(world, ben, 'echo@shy', 'hello');
    await meet(world, ...peers, shy);
    expect((await overview(shy)).own.cosigners.map(({ name }) => name)).toEqual(['ben']);
    expect((await overview(ben)).copies.map(({ name }) => name).toSorted()).toEqual(['anna', 'cleo']);
    await expect(question(world, cleo, ben, range)).rejects.toThrow(code('NOT_GRANTED'));
    expect((await question(world, cleo, anna, range)).entries).toHaveLength(2);
    const theirs = { ...range, origin: shy.identity.peer, size: 1n };
    await expect(question(world, ben, shy, theirs)).rejects.toThrow(code('NOT_GRANTED'));
    await expect(question(world, shy, anna, range)).rejects.toThrow(code('REFUSED'));
    const own = anna.identity.peer;
    const note = (await anna.peer.books.head()).note;
    expect(openCheckpoint(nobleCrypto, note).origin).toBe(own);
    const cases: readonly (readonly [Partial<LogQuestion> & Pick<LogQuestion, 'kind'>, string])[] = [
      [{ kind: 'range', origin: 'x', from: 0n, size: 1n }, 'INVALID_FORMAT'],
      [{ kind: 'range', origin: own, from: 1n, size: 9n }, 'NOT_IN_LOG'],
      [{ kind: 'range', origin: own, from: 9n, size: 3n }, 'NOT_IN_LOG'],
      [{ kind: 'prefix', origin: own, size: 0n }, 'NOT_IN_LOG'],
      [{ kind: 'witness' }, 'INVALID_FORMAT'],
      [{ kind: 'witness', body: encodeAddCheckpoint({ oldSize: 0n, path: [], note }) }, 'INVALID_FORMAT'],
      [{ kind: 'evidence', body: utf8('no proof') }, 'INVALID_FORMAT'],
    ];
    for (const [wish, expected] of cases)
      await expect(question(world, ben, anna, wish), wish.kind).rejects.toThrow(code(expected));
    expect((await overview(anna)).forked).toEqual([]);
  });

  test('show a peer whose owner went on from an old disk to everybody, with bytes that prove it, and nobody deals with it', async () => {
    const { world, peers, anna, ben, cleo } = await town();
    await meet(world, ...peers);
    const store = await emptied(world.kill(anna), 'ledger');
    const again = await world.peer('anna', { seed: 1, store });
    started.push(again);
    const isBack = (who: TestPeer) => () =>
      who.peer.peers.list().some(({ name, state }) => name === 'anna' && state === 'online');
    await until(world.clock, isBack(cleo));
    await until(world.clock, isBack(ben));
    await expect(cleo.peer.logs.goOn()).rejects.toThrow(code('NOT_FOUND'));
    expect((await again.peer.logs.goOn()).own).not.toHaveProperty('closed');
    await ask(world, ben, 'echo@anna', 'once more');
    expect(await sizeOf(again)).toBe(1);
    await world.clock.until(ben.peer.logs.witness(live()));
    for (const who of [ben, cleo]) {
      await until(world.clock, async () => (await overview(who)).forked.length === 1);
      const [offender] = (await overview(who)).forked;
      expect(offender).toMatchObject({ origin: anna.identity.peer, refused: true });
      const evidence = fromBase64Url(await who.peer.logs.evidence('anna'));
      expect(verifyEquivocation(nobleCrypto, evidence).origin).toBe(anna.identity.peer);
      expect(who.peer.isBlocked(anna.identity.peer)).toBe(true);
      expect(who.peer.isGranted(anna.identity.peer, logMethod.protocol.id)).toBe(false);
    }
    const later = await world.peer('ben', { seed: 2, store: world.kill(ben) });
    started.push(later);
    expect(later.peer.isBlocked(anna.identity.peer)).toBe(true);
    expect((await later.peer.logs.pardon('anna', true)).forked).toMatchObject([{ refused: false }]);
    expect(later.peer.isBlocked(anna.identity.peer)).toBe(false);
    await later.peer.logs.accuse(fromBase64Url(await cleo.peer.logs.evidence('anna')));
    expect(later.peer.isBlocked(anna.identity.peer)).toBe(false);
    await later.peer.logs.pardon('anna', false);
    expect(later.peer.isBlocked(anna.identity.peer)).toBe(true);
    await expect(later.peer.logs.accuse(utf8('x'))).rejects.toThrow(code('INVALID_FORMAT'));
    await expect(later.peer.logs.pardon('cleo', true)).rejects.toThrow(code('NOT_FOUND'));
  });

  test('repair a damaged one while its peer runs, and warn one that is behind what it signed', async () => {
    const { world, peers, anna, ben } = await town(2);
    await meet(world, ...peers);
    const room = anna.store.room('ledger');
    const [first] = await Array.fromAsync(room.range('e/', 'e0'));
    await room.commit([room.put(first?.key ?? '')]);
    expect(await anna.peer.books.verify()).toMatchObject({ ok: false, firstBad: { index: 0 } });
    expect(await world.clock.until(anna.peer.logs.repair(live()))).toMatchObject({
      size: 1,
      restored: 1,
      from: ben.identity.peer,
    });
    expect(await anna.peer.books.verify()).toMatchObject({ ok: true, checked: 1 });
    await ask(world, ben, 'echo@anna', 'and on');
    expect(await anna.peer.books.verify()).toMatchObject({ ok: true, checked: 2 });
    // Nobody asks: a log that grew is shown after a while, and says then for whose heads its peer stands.
    await world.clock.advance(61_000);
    const held = async () => (await overview(ben)).copies.find(({ origin }) => origin === anna.identity.peer)?.size;
    await until(world.clock, async () => (await held()) === 3 && (await overview(anna)).own.cosignedSize === 3);
    const [said] = (await anna.peer.books.entries({ from: 2 })).entries;
    expect(said).toMatchObject({ kind: 'checkpoint', checkpoint: { origin: ben.identity.peer } });
    const store = await emptied(world.kill(anna), 'ledger');
    const again = await world.peer('anna', { seed: 1, store });
    started.push(again);
    await until(world.clock, () => again.peer.peers.list().some(({ state }) => state === 'online'));
    await until(world.clock, async () => (await overview(again)).own.closed === 'LEDGER_BEHIND');
    expect((await overview(again)).own).toMatchObject({
      size: 0,
      trouble: expect.stringContaining('3 entries') as string,
    });
    // Nothing was added at the hello, and nothing is: neither now nor by the same peer started alone.
    await ask(world, ben, 'echo@anna', 'while it is behind');
    expect(await sizeOf(again)).toBe(0);
    world.networks.cut(anna.identity.peer, ben.identity.peer);
    const alone = await world.peer('anna', { seed: 1, store: world.kill(again) });
    started.push(alone);
    expect(alone.peer.books.refusal()).toMatchObject({ code: 'LEDGER_BEHIND', details: { seen: 3, size: 0 } });
    expect((await alone.peer.doctor.check()).checks.find(({ id }) => id === 'ledger')).toMatchObject({
      state: 'broken',
      command: 'peerai ledger repair',
    });
    await expect(alone.peer.logs.repair(live())).rejects.toThrow(code('NOT_FOUND'));
    world.networks.heal(anna.identity.peer, ben.identity.peer);
    await until(world.clock, () => alone.peer.peers.list().some(({ state }) => state === 'online'));
    expect(await world.clock.until(alone.peer.logs.repair(live()))).toMatchObject({ size: 3, restored: 3 });
    expect(alone.peer.books.refusal()).toBeUndefined();
    await meet(world, alone, ben);
    expect((await overview(ben)).forked).toEqual([]);
    expect((await overview(alone)).own).toMatchObject({ cosignedSize: 3 });
    expect((await overview(alone)).own.trouble).toBeUndefined();
    await ask(world, ben, 'echo@anna', 'and on again');
    // The receipt of the answer that was given while it was closed is signed again, and stands before this one's.
    await until(world.clock, async () => (await sizeOf(alone)) === 5);
  });

  test('a peer whose log is damaged starts with it closed, says what is wrong, and loses nothing that was acknowledged', async () => {
    const { world, peers, anna, ben } = await town(2);
    await meet(world, ...peers);
    await ask(world, ben, 'echo@anna', 'after the copy');
    const whole = await anna.peer.books.head();
    const store = world.kill(anna);
    const room = store.room('ledger');
    const [first] = await Array.fromAsync(room.range('e/', 'e0'));
    const head = (await room.get('head')) ?? new Uint8Array();
    // One entry that the copy has, and a head whose checkpoint can still be read.
    await room.commit([room.put(first?.key ?? '', first?.value.with(60, 0)), room.put('head', head.with(1, 9))]);
    const again = await world.peer('anna', { seed: 1, store });
    started.push(again);
    expect(again.peer.books.refusal()).toMatchObject({ code: 'LEDGER_DAMAGED' });
    await expect(again.peer.books.head()).rejects.toThrow(code('LEDGER_DAMAGED'));
    await expect(again.peer.books.entries({})).rejects.toThrow(code('LEDGER_DAMAGED'));
    expect((await overview(again)).own).toMatchObject({ closed: 'LEDGER_DAMAGED' });
    const { checks } = await again.peer.doctor.check();
    expect(checks.find(({ id }) => id === 'ledger')).toMatchObject({ command: 'peerai ledger repair' });
    await until(world.clock, () => again.peer.peers.list().some(({ state }) => state === 'online'));
    expect(await world.clock.until(again.peer.logs.repair(live()))).toMatchObject({
      size: 2,
      restored: 1,
      from: ben.identity.peer,
    });
    expect((await again.peer.books.head()).root).toBe(whole.root);
    await ask(world, ben, 'echo@anna', 'and on');
    expect(await again.peer.books.verify()).toMatchObject({ ok: true, checked: 3 });
    // What only follows from the entries needs nobody's copy.
    const lone = world.kill(again);
    const damaged = lone.room('ledger');
    await damaged.commit([damaged.put('head', ((await damaged.get('head')) ?? new Uint8Array()).with(1, 9))]);
    world.networks.cut(anna.identity.peer, ben.identity.peer);
    const third = await world.peer('anna', { seed: 1, store: lone });
    started.push(third);
    expect(await third.peer.logs.repair(live())).toMatchObject({ size: 3, restored: 0, from: anna.identity.peer });
  });
});
