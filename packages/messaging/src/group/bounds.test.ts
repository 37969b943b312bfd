import { callMethod, createIdentity, type Messenger, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryStore, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { groupWorld } from '../../test/group-world.ts';
import { place } from '../../test/world.ts';
import { collect, under } from '../rows.ts';
import { createBook } from './book.ts';
import { limits } from './limits.ts';
import { createMls, headOf, type Mls, membersOf } from './mls.ts';
import { openPost } from './post.ts';
import { keyPackageMethod } from './protocol.ts';
import { parkCodec } from './rows.ts';

const random = seededRandom(15);
function member(seed: number): { readonly peer: PeerId; readonly mls: Mls } {
  const identity = createIdentity(nodeCrypto, new Uint8Array(32).fill(seed));
  return { peer: identity.peer, mls: createMls({ crypto: nodeCrypto, random, identity }) };
}

test('letters of one sender wait up to so many bytes, and not one byte more', async () => {
  const [own, sender] = [member(1), member(2)];
  const group = '0'.repeat(32);
  const quarter = limits.parkedBytesPerSenderMax / 4;
  // A row that waits counts with what it says about itself, the one that comes with its letter alone.
  const around = parkCodec.encode({ data: new Uint8Array(quarter), place: 1, atMs: 1 }).length - quarter;
  const waiting = async (lastBytes: number): Promise<number> => {
    const book = createBook(new MemoryStore(), own.mls);
    const park = (at: number, bytes: number) =>
      book.park(group, 1n, { sender: sender.peer, place: at, data: new Uint8Array(bytes) }, 1);
    for (const at of [1, 2, 3]) await park(at, quarter);
    await park(4, lastBytes);
    return (await book.parked(group)).length;
  };
  const room = quarter - 3 * around;
  expect(await waiting(room)).toBe(4);
  await expect(waiting(room + 1)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a message is read as many changes later as epochs are kept, and not one more', async () => {
  const [a, b] = [member(1), member(2)];
  const founded = await a.mls.found(new Uint8Array(16).fill(7), { name: 'team', committer: a.peer });
  const keys = await b.mls.keyPackage();
  const made = await a.mls.commit(founded, { add: [{ peer: b.peer, keyPackage: keys.message }] });
  let [atA, atB] = [made.state, await b.mls.join(made.welcome ?? new Uint8Array(), keys)];
  const early = await a.mls.seal(atA, utf8('early'));
  const change = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1) {
      const commit = await a.mls.commit(atA, {});
      const opened = await b.mls.open(atB, commit.commit);
      [atA, atB] = [commit.state, opened.state];
    }
  };
  await change(limits.epochsKept);
  expect(await b.mls.open(atB, early.message)).toMatchObject({ kind: 'application' });
  await change(1);
  await expect(b.mls.open(atB, early.message)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('so many key packages of one peer are kept, the oldest is forgotten; another peer has its own', async () => {
  const here = place();
  const [a, b, c] = [await groupWorld(1, here), await groupWorld(2, here), await groupWorld(3, here)];
  const signal = new AbortController().signal;
  const rows = async (of: PeerId): Promise<string[]> =>
    (await collect(a.store.room('groups').range(...under(`keys/${of}`)))).map(({ key }) => key);
  const ask = (from: typeof b) => callMethod(from, a.identity.peer, keyPackageMethod, {}, { signal });
  await ask(b);
  const [first] = await rows(b.identity.peer);
  for (let count = 1; count < limits.keyPackagesPerPeerMax; count += 1) {
    await here.clock.advance(1);
    await ask(b);
  }
  expect(await rows(b.identity.peer)).toHaveLength(limits.keyPackagesPerPeerMax);
  expect(await rows(b.identity.peer)).toContain(first);
  await ask(c);
  await ask(b);
  expect(await rows(b.identity.peer)).toHaveLength(limits.keyPackagesPerPeerMax);
  expect(await rows(b.identity.peer)).not.toContain(first);
  expect(await rows(c.identity.peer)).toHaveLength(1);
  for (const world of [a, b, c]) await world.stop();
});

/** A founded the group, B is in it. */
async function pair() {
  const [a, b] = [member(1), member(2)];
  const founded = await a.mls.found(new Uint8Array(16).fill(7), { name: 'team', committer: a.peer });
  const keys = await b.mls.keyPackage();
  const made = await a.mls.commit(founded, { add: [{ peer: b.peer, keyPackage: keys.message }] });
  return { a, b, atA: made.state, atB: await b.mls.join(made.welcome ?? new Uint8Array(), keys) };
}

test('of skipped messages so many can still be read, and not one before them', async () => {
  const { a, b, atA, atB } = await pair();
  let at = atA;
  const messages: Uint8Array[] = [];
  for (let count = 0; count < limits.keysKept + 2; count += 1) {
    const sealed = await a.mls.seal(at, utf8(String(count)));
    [at] = [sealed.state, messages.push(sealed.message)];
  }
  const last = await b.mls.open(atB, messages.at(-1) ?? new Uint8Array());
  const [lost, oldest, ...others] = messages.slice(0, -1);
  expect(others).toHaveLength(limits.keysKept - 1);
  for (const message of [oldest, ...others]) {
    expect(await b.mls.open(last.state, message ?? new Uint8Array())).toMatchObject({ kind: 'application' });
  }
  await expect(b.mls.open(last.state, lost ?? new Uint8Array())).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a sender may have got so many messages ahead, and not one more', async () => {
  const { a, b, atA, atB } = await pair();
  let at = atA;
  for (let count = 0; count < limits.ratchetStepsMax; count += 1) at = (await a.mls.seal(at, utf8('lost'))).state;
  const most = await a.mls.seal(at, utf8('most'));
  expect(await b.mls.open(atB, most.message)).toMatchObject({ kind: 'application', plain: utf8('most') });
  const more = await a.mls.seal(most.state, utf8('more'));
  await expect(b.mls.open(atB, more.message)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a key package, and any MLS, is read up to so many bytes, and not one more', async () => {
  const { a, b, atA } = await pair();
  const added = (bytes: number) => a.mls.commit(atA, { add: [{ peer: b.peer, keyPackage: new Uint8Array(bytes) }] });
  await expect(added(limits.keyPackageBytesMax)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  await expect(added(limits.keyPackageBytesMax + 1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  const head = (bytes: number) => () => headOf(new Uint8Array(bytes));
  expect(head(limits.mlsBytesMax)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  expect(head(limits.mlsBytesMax + 1)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
});

test('another program may make a group as large as the limit; who is in it, or comes in, takes no larger one', async () => {
  const [a, b, ...others] = Array.from({ length: limits.membersMax + 1 }, (_, seed) => member(seed + 1));
  if (a === undefined || b === undefined) throw new Error('nobody');
  const founded = await a.mls.found(new Uint8Array(16).fill(7), { name: 'team', committer: a.peer });
  const late = others.pop() ?? b;
  const packages = await Promise.all(
    [b, ...others].map(async ({ peer, mls }) => ({ peer, keys: await mls.keyPackage() })),
  );
  const add = packages.map(({ peer, keys }) => ({ peer, keyPackage: keys.message }));
  // The last but one of them comes in by a change of its own, so that B takes the limit as a change too.
  const [most, last] = [await a.mls.commit(founded, { add: add.slice(0, -1) }), add.slice(-1)];
  const [bKeys] = packages;
  if (bKeys === undefined) throw new Error('no keys');
  const joined = await b.mls.join(most.welcome ?? new Uint8Array(), bKeys.keys);
  const full = await a.mls.commit(most.state, { add: last });
  const atB = await b.mls.open(joined, full.commit);
  expect(membersOf(atB.state)).toHaveLength(limits.membersMax);
  const lastKeys = packages.at(-1) ?? bKeys;
  const lastMls = others.at(-1)?.mls ?? b.mls;
  expect(membersOf(await lastMls.join(full.welcome ?? new Uint8Array(), lastKeys.keys))).toHaveLength(
    limits.membersMax,
  );
  const lateKeys = await late.mls.keyPackage();
  const over = await a.mls.commit(full.state, { add: [{ peer: late.peer, keyPackage: lateKeys.message }] });
  await expect(b.mls.open(atB.state, over.commit)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  await expect(late.mls.join(over.welcome ?? new Uint8Array(), lateKeys)).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  });
});

test('a peer can be brought into as many groups as it may be in, and into none more', async () => {
  const here = place();
  const signal = new AbortController().signal;
  const [a, b] = [await groupWorld(1, here), await groupWorld(2, here)];
  for (let count = 1; count < limits.groupsMax; count += 1) await b.groups.create(`own ${count}`);
  const bring = async (name: string): Promise<void> => {
    const { id } = await a.groups.create(name);
    const adding = a.groups.add(id, [b.identity.peer], signal);
    await here.clock.advance(100);
    await adding;
    await here.clock.advance(1_000);
  };
  const names = async (): Promise<readonly string[]> => (await b.groups.list()).map(({ name }) => name);
  await bring('the last');
  expect(await names()).toHaveLength(limits.groupsMax);
  expect(await names()).toContain('the last');
  await bring('one more');
  expect(await names()).toHaveLength(limits.groupsMax);
  for (const world of [a, b]) await world.stop();
});

test('letters that could not be handed over are tried again after waits that double up to the longest', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const triesMs: number[] = [];
  const send: Messenger['send'] = async () => {
    triesMs.push(clock.elapsedMs());
    throw new PeerAiError('STORE_FULL', 'the disk is full');
  };
  const post = await openPost({ store, clock, logger: silentLogger, messenger: { send } as Messenger });
  const row = {
    group: '0'.repeat(32),
    place: 0,
    type: 'mls' as const,
    data: new Uint8Array(1),
    to: ['p'],
    message: undefined,
  };
  await store.commit([post.put(row)]);
  const ending = new AbortController();
  await post.start(ending.signal);
  post.kick();
  await clock.advance(4 * limits.againMsMax);
  ending.abort();
  await post.idle();
  const waits = triesMs.slice(1).map((ms, place) => ms - (triesMs[place] ?? 0));
  expect(waits.slice(0, 8)).toEqual(
    [1, 2, 4, 8, 16, 32, 60, 60].map((times) => Math.min(limits.againMsMin * times, limits.againMsMax)),
  );
});
