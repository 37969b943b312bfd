import { fromBase64Url, nobleCrypto, type PeerId, type Store } from '@peerai/core-protocol';
import { MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { openCheckpoint } from '@peerai/ledger';
import { verifyChainHead } from '@peerai/ledger/chain/heads';
import { afterEach, expect, test } from 'vitest';
import type { TestPeer, TestWorld } from '../testing/peers.ts';
import { until } from '../testing/steps.ts';
import { propose, show, type Village, village, voteAll } from '../testing/village.ts';
import { headKeyStore } from './head-key-store.ts';

const villages: Village[] = [];
afterEach(async () => {
  for (const one of villages.splice(0)) await one.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const group = async (...given: Parameters<typeof village>): Promise<Village> => {
  const made = await village(...given);
  villages.push(made);
  return made;
};
/** For a minute of the test's clock: another attempt at a key waits before it begins. */
async function eventually({ clock }: TestWorld, look: () => Promise<boolean>): Promise<void> {
  for (let step = 0; step < 600; step += 1) {
    if (await look()) return;
    await clock.advance(100);
  }
  throw new Error('never within a minute');
}
const signedOf = async (one: TestPeer) => (await show(one)).signed;
/** Waits until each of them has a signed head over its whole chain. */
const allSigned = async ({ world }: Village, all: readonly TestPeer[]): Promise<void> =>
  eventually(world, async () => {
    const views = await Promise.all(all.map(show));
    return views.every(({ signed, group: { height } }) => height > 0 && signed.size === height);
  });
async function* blocksOf({ peer }: TestPeer): AsyncIterable<Uint8Array> {
  for (const one of (await peer.governance.chain('village', 1)).blocks) yield fromBase64Url(one);
}

const settled = (made: Village, all: readonly TestPeer[]) =>
  until(made.world.clock, async () => (await Promise.all(all.map(signedOf))).every(({ problem }) => problem === null));

test('members make a key that none of them has and sign each head; who knows that key alone checks a head and its chain', async () => {
  const made = await group(4);
  const { world, at } = made;
  const all = [0, 1, 2, 3].map(at);
  await allSigned(made, all);
  await settled(made, all);
  const views = await Promise.all(all.map(signedOf));
  expect(views[0]).toMatchObject({ epoch: 0, threshold: 3, members: 4, failed: [], former: [] });
  expect(new Set(views.map(({ key }) => key)).size).toBe(1);
  const key = views[0]?.key as PeerId;
  const { note } = await at(2).peer.governance.head('village');
  expect(openCheckpoint(nobleCrypto, note)).toMatchObject({ origin: key });
  const check = (text: string, blocks: AsyncIterable<Uint8Array>, by = key) =>
    verifyChainHead(nobleCrypto, by, text, blocks);
  expect(await check(note, blocksOf(at(3)))).toMatchObject({ size: BigInt(views[2]?.size ?? 0) });
  await expect(check(note, blocksOf(at(3)), at(3).identity.peer)).rejects.toThrow(code('NOT_OUR_LOG'));
  const taller = note.replace(/^\d+$/mu, (count) => `${Number(count) + 1}`);
  await expect(check(taller, blocksOf(at(3)))).rejects.toThrow(code('INVALID_SIGNATURE'));
  const without = async function* () {
    let place = 0;
    for await (const block of blocksOf(at(3))) if ((place += 1) !== 2) yield block;
  };
  await expect(check(note, without())).rejects.toThrow(code('BLOCK_WRONG'));

  // One is away: the other three sign what is decided meanwhile.
  world.kill(at(3));
  const three = [0, 1, 2].map(at);
  await voteAll(world, three, await propose(world, at(0)));
  await until(world.clock, async () => (await show(at(0))).decisions.length === 1);
  await allSigned(made, three);
  expect(await at(1).peer.governance.verify('village')).toMatchObject({
    ok: true,
    signed: { key, ok: true, problem: null },
  });
}, 60_000);

test('a share lies sealed under its owner’s key and signs after a restart; without enough of them the group says so', async () => {
  const made = await group(4);
  const { world, at, peer, id } = made;
  const all = [0, 1, 2, 3].map(at);
  await allSigned(made, all);
  const stores = [2, 3].map((place) => world.kill(at(place)));
  const [older = new MemoryStore(), younger = new MemoryStore()] = stores;
  const random = seededRandom(1);
  const kept = (one: TestPeer) =>
    headKeyStore({ store: younger.room('governance'), crypto: nobleCrypto, random }, one.identity, id).share();
  expect((await kept(at(3)))?.key.group).toBe((await signedOf(at(0))).key);
  await expect(kept(at(0))).rejects.toThrow(code('DECRYPTION_FAILED'));

  // p2's disk was lost but for the chain: with p3 back there are three shares, which is enough.
  const rows = older.room('governance');
  await rows.commit([rows.put(`head-share/${id}`)]);
  await peer('p2', { seed: 3, store: older, engine: false });
  await peer('p3', { seed: 4, store: younger, engine: false });
  await voteAll(world, [0, 1, 3].map(at), await propose(world, at(0)));
  await until(world.clock, async () => (await show(at(0))).decisions.length === 1);
  await allSigned(made, [0, 1, 3].map(at));
  expect((await signedOf(at(2))).problem).toMatchObject({ why: 'no-share' });

  // Now another share is lost: blocks are decided, and nobody signs for three.
  const lost = world.kill(at(3)).room('governance');
  await lost.commit([lost.put(`head-share/${id}`)]);
  await peer('p3', { seed: 4, store: younger.reopen(), engine: false });
  const before = await signedOf(at(0));
  await voteAll(world, [0, 1, 3].map(at), await propose(world, at(0)));
  await until(world.clock, async () => (await show(at(0))).decisions.length === 2);
  for (let step = 0; step < 60 && (await signedOf(at(0))).problem === null; step += 1) await world.clock.advance(500);
  const after = await signedOf(at(0));
  expect(after.problem?.why).toBe('too-few-sign');
  expect(after.problem?.peers.map(({ name }) => name).toSorted()).toEqual(['p2', 'p3']);
  expect(after.size).toBe(before.size);
}, 60_000);

test('other members make another key, and the share of the one before is forgotten', async () => {
  const made = await group(3);
  const { world, at, id } = made;
  const all = [0, 1, 2].map(at);
  await allSigned(made, all);
  const { key } = await signedOf(at(0));
  const action = { type: 'member-remove' as const, peer: at(2).identity.peer };
  const left = [0, 1].map(at);
  await voteAll(world, left, await propose(world, at(0), { action }));
  await until(world.clock, async () => (await Promise.all(left.map(signedOf))).every(({ epoch }) => epoch === 1));
  await allSigned(made, left);
  const now = await signedOf(at(1));
  expect(now).toMatchObject({ threshold: 2, members: 2, former: [{ key, epoch: 0 }] });
  expect(now.key).not.toBe(key);
  await until(world.clock, async () => {
    const row = await at(2).store.room('governance').get(`head-share/${id}`);
    return row === undefined;
  });
  expect(await at(0).peer.governance.verify('village')).toMatchObject({ ok: true, signed: { key: now.key, ok: true } });
}, 60_000);

test('who crashed while the key was made says so, and the members make another one', async () => {
  /** Nothing that has a share in it reaches these disks. */
  const broken = (store: Store): Store => ({
    get: (key) => store.get(key),
    range: (from, to, options) => store.range(from, to, options),
    put: (key, value) => store.put(key, value),
    room: (name) => broken(store.room(name)),
    commit: (changes) =>
      changes.some(({ key }) => key.includes('head-share/')) ? new Promise(() => undefined) : store.commit(changes),
  });
  const made = await group(4, (index) => (index < 2 ? {} : { disk: broken }));
  const { world, at, peer, id } = made;
  const isBegun = async (one: TestPeer) => (await one.store.room('governance').get(`head-begun/${id}`)) !== undefined;
  await until(
    world.clock,
    async () => (await signedOf(at(0))).problem?.why === 'making-key' && (await isBegun(at(2))) && isBegun(at(3)),
  );
  for (const place of [2, 3]) {
    const store = world.kill(at(place));
    await peer(`p${place}`, { seed: place + 1, store, engine: false });
  }
  const all = [0, 1, 2, 3].map(at);
  await allSigned(made, all);
  const { failed, key } = await signedOf(at(0));
  expect(failed.map(({ attempt }) => attempt)).toEqual([0]);
  expect(['p2', 'p3']).toContain(failed[0]?.by.name);
  expect(new Set((await Promise.all(all.map(signedOf))).map((one) => one.key))).toEqual(new Set([key]));
}, 60_000);
