import { threadMs } from '@peerai/config/thread-time';
import {
  callMethod,
  createIdentity,
  nobleCrypto,
  PeerAiError,
  serveMethod,
  streamMethod,
  toHex,
} from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { memoryLimits, signForget } from '@peerai/nn-engine/memory';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import {
  memoryMethod,
  type MemoryQuestion,
  memoryQuestion,
  type MemoryReply,
  memoryReply,
  plainQuestion,
} from './memory-protocol.ts';
import { readHit } from './others.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
async function two() {
  const world = testWorld();
  const [a, b] = [await world.peer('a', { seed: 1 }), await world.peer('b', { seed: 2 })];
  started.push(a, b);
  await pair(world, a, b, ['chat', 'memory']);
  return { world, a, b };
}
const remember = async ({ peer }: TestPeer, text: string, level: 'personal' | 'behavioral' | 'public') =>
  (await peer.memory.add({ text, level }, live())).capsule;
const share = (world: TestWorld, from: TestPeer, id: string, to: string) =>
  world.clock.until(from.peer.memory.share(id, to, live()));
const summaries = async ({ peer }: TestPeer) => (await peer.memory.list({})).capsules.map(({ summary }) => summary);
const searchAt = async (world: TestWorld, { peer }: TestPeer, at: string, limit = 10) =>
  (await world.clock.until(peer.memory.search({ text: 'the roof', peer: at, limit }, live()))).hits;

test('a capsule goes to a paired peer, is told of once, and a personal one to nobody', async () => {
  const { world, a, b } = await two();
  const roof = await remember(a, 'the roof leaks', 'behavioral');
  const secret = await remember(a, 'the roof hides money', 'personal');
  expect(await share(world, a, roof.id, 'b')).toMatchObject({ peerName: 'b', outcome: 'taken' });
  expect(await share(world, a, roof.id, 'b')).toMatchObject({ outcome: 'known' });
  await expect(share(world, a, secret.id, 'b')).rejects.toMatchObject({ code: 'CAPSULE_PERSONAL' });
  expect((await b.peer.memory.list({})).capsules).toMatchObject([
    { id: roof.id, mine: false, authorName: 'a', level: 'behavioral' },
  ]);
  await expect(share(world, b, roof.id, 'a')).rejects.toMatchObject({ code: 'REFUSED' });
  await expect(share(world, a, roof.id, 'nobody')).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
});

test('what its author forgets goes from the peers that have it, also from one that was away', async () => {
  const { world, a, b } = await two();
  const [first, second] = [await remember(a, 'one', 'public'), await remember(a, 'two', 'public')];
  await share(world, a, first.id, 'b');
  await share(world, a, second.id, 'b');
  await a.peer.memory.forget(first.id);
  await until(world.clock, async () => (await summaries(b)).join() === 'two');
  world.networks.cut(a.identity.peer, b.identity.peer);
  await a.peer.memory.forget(second.id);
  await world.clock.advance(1_000);
  expect(await summaries(b)).toEqual(['two']);
  world.networks.heal(a.identity.peer, b.identity.peer);
  await until(world.clock, async () => (await summaries(b)).length === 0);
});

test('a paired peer finds what is behavioral and public, never what is personal or a third one’s', async () => {
  const { world, a, b } = await two();
  await remember(a, 'the roof leaks', 'behavioral');
  await remember(a, 'the roof is red', 'public');
  await remember(a, 'the roof hides money', 'personal');
  const own = await remember(b, 'the roof of b', 'behavioral');
  const hits = await searchAt(world, b, 'a');
  expect(hits.map(({ capsule }) => capsule.summary).toSorted()).toEqual(['the roof is red', 'the roof leaks']);
  expect(hits[0]).toMatchObject({ peerName: 'a', kind: 'lexical', capsule: { mine: false, authorName: 'a' } });
  // Asking keeps nothing.
  expect(await summaries(b)).toEqual(['the roof of b']);
  const all = await world.clock.until(b.peer.memory.search({ text: 'the roof', everywhere: true }, live()));
  expect([all.hits.length, all.asked]).toEqual([3, [{ peerId: a.identity.peer, name: 'a', hits: 2 }]]);
  await share(world, b, own.id, 'a');
  const c = await world.peer('c', { seed: 3 });
  started.push(c);
  await pair(world, a, c, ['chat', 'memory']);
  expect((await searchAt(world, c, 'a')).map(({ capsule }) => capsule.summary)).not.toContain('the roof of b');
});

test('a hit can be read whole where it is, by those that may have it', async () => {
  const { world, a, b } = await two();
  const long = `the roof ${'leaks '.repeat(400)}`;
  const [shown, hidden] = [
    await remember(a, long, 'behavioral'),
    await remember(a, 'the roof hides money', 'personal'),
  ];
  const theirs = await remember(b, 'the roof of b', 'behavioral');
  await share(world, b, theirs.id, 'a');
  const read = ({ peer }: TestPeer, id: string) => world.clock.until(peer.memory.readAt(id, 'a', live()));
  expect(await read(b, shown.id)).toMatchObject({ id: shown.id, text: long, peerName: 'a', mine: false });
  expect(await summaries(b)).toEqual(['the roof of b']);
  for (const id of [hidden.id, '0'.repeat(64), 'x'])
    await expect(read(b, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const c = await world.peer('c', { seed: 3 });
  started.push(c);
  await pair(world, a, c, ['chat', 'memory']);
  await expect(read(c, theirs.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await a.peer.peers.change('b', { allow: ['chat'] });
  await expect(read(b, shown.id)).rejects.toMatchObject({ code: 'NOT_GRANTED' });
});

test('a search at another peer asks for one level, and leaves out the others of a program that does not know levels', async () => {
  const { world, a, b } = await two();
  await remember(a, 'the roof leaks', 'behavioral');
  await remember(a, 'the roof is red', 'public');
  const c = await world.peer('c', { seed: 3 });
  started.push(c);
  await pair(world, a, c, ['chat', 'memory']);
  const network = world.networks.join(c.identity.peer);
  const found = async (question: Partial<MemoryQuestion>) => {
    const replies: MemoryReply[] = [];
    const asked = { ...plainQuestion, kind: 'search' as const, text: 'the roof', ...question };
    const asking = async () => {
      for await (const reply of streamMethod({ network, clock: world.clock }, a.identity.peer, memoryMethod, asked, {
        signal: live(),
      }))
        replies.push(reply);
    };
    await world.clock.until(asking());
    return replies;
  };
  expect(await found({ level: 'public' })).toHaveLength(1);
  const all = await found({});
  expect(all).toHaveLength(2);
  await world.clock.until(a.peer.stop());
  const older = world.networks.join(a.identity.peer, { isGranted: () => true });
  serveMethod(
    older,
    memoryMethod,
    async function* answer() {
      yield* all;
    },
    world,
  );
  const { hits } = await world.clock.until(
    b.peer.memory.search({ text: 'the roof', peer: 'a', level: 'public', limit: 2 }, live()),
  );
  expect(hits.map(({ capsule }) => capsule.summary)).toEqual(['the roof is red']);
});

test('who has no right is refused, and a stranger is not heard', async () => {
  const { world, a, b } = await two();
  await a.peer.peers.change('b', { allow: ['chat', 'tasks', 'train', 'route'] });
  await remember(a, 'the roof', 'public');
  const mine = await remember(b, 'from b', 'public');
  await expect(searchAt(world, b, 'a')).rejects.toMatchObject({ code: 'NOT_GRANTED' });
  await expect(share(world, b, mine.id, 'a')).rejects.toMatchObject({ code: 'NOT_GRANTED' });
  const network = world.networks.join(createIdentity(nobleCrypto, seededRandom(77).bytes(32)).peer);
  const question = { ...plainQuestion, kind: 'search' as const, text: 'the roof' };
  const asking = callMethod({ network, clock: world.clock }, a.identity.peer, memoryMethod, question, {
    signal: live(),
  });
  await expect(world.clock.until(asking)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('one peer is given so many hits and no more, and nothing foreign is larger than the largest capsule', async () => {
  const { world, a, b } = await two();
  for (let count = 0; count < limits.memorySharedHitsMax; count += 1) await remember(a, `the roof ${count}`, 'public');
  expect(await searchAt(world, b, 'a', limits.memorySharedHitsMax + 1)).toHaveLength(limits.memorySharedHitsMax);
  await remember(a, 'one roof more', 'public');
  expect(await searchAt(world, b, 'a', limits.memorySharedHitsMax + 1)).toHaveLength(limits.memorySharedHitsMax);
  const deps = { network: world.networks.join(b.identity.peer), clock: world.clock };
  const put = (question: Partial<MemoryQuestion> & Pick<MemoryQuestion, 'kind'>) =>
    world.clock.until(
      callMethod(deps, a.identity.peer, memoryMethod, { ...plainQuestion, ...question }, { signal: live() }),
    );
  const send = (bytes: number) => put({ kind: 'share', signed: new Uint8Array(bytes) });
  const long = 'x'.repeat(limits.memoryQuestionCharsMax);
  expect(await put({ kind: 'search', text: long })).toMatchObject({ outcome: 'hit' });
  await expect(put({ kind: 'search', text: `${long}x` })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  // It comes over, and is no capsule.
  await expect(send(memoryLimits.capsuleBytesMax)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  await expect(send(limits.memoryMessageBytesMax + 1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
});

test('ten thousand mutated questions and hits: nothing but PeerAiError, nothing slow', async () => {
  const { world, a, b } = await two();
  await remember(a, 'the roof leaks', 'public');
  const author = a.identity;
  const hex = toHex(seededRandom(5).bytes(32));
  const word = signForget(author, hex, 1);
  const network = world.networks.join(b.identity.peer);
  const question = { ...plainQuestion, kind: 'search' as const, text: 'the roof' };
  const hit = await world.clock.until(
    callMethod({ network, clock: world.clock }, author.peer, memoryMethod, question, { signal: live() }),
  );
  const names = { self: b.identity.peer, isOwn: () => false, nameOf: () => 'x', crypto: nodeCrypto };
  const decoders: (readonly [Uint8Array, (bytes: Uint8Array) => unknown])[] = [
    [
      memoryQuestion.encode({
        ...plainQuestion,
        kind: 'search',
        text: 'roof',
        tags: ['x'],
        limit: 3,
        qualityMin: 0.5,
        level: 'public',
        id: hex,
        signed: word,
      }),
      (bytes) => memoryQuestion.decode(bytes),
    ],
    [memoryReply.encode(hit), (bytes) => readHit(names, author.peer, 'a', memoryReply.decode(bytes))],
  ];
  for (const [valid, decode] of decoders) {
    expect(() => decode(valid)).not.toThrow();
    const random = seededRandom(valid.length);
    let [refused, slowestMs] = [0, 0];
    for (let turn = 0; turn < 10_000; turn += 1) {
      const input = mutated(valid, random);
      const startMs = threadMs();
      try {
        decode(input);
      } catch (error) {
        refused += 1;
        if (!PeerAiError.is(error)) throw error;
      }
      slowestMs = Math.max(slowestMs, threadMs() - startMs);
    }
    expect(slowestMs).toBeLessThan(250);
    expect(refused).toBeGreaterThan(500);
  }
});
