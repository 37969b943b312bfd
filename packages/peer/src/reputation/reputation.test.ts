import { peerIdFromPublicKey, serveMethod } from '@peerai/core-protocol';
import { type Refusal, reputationLimits, signOpinion, standingOf } from '@peerai/ledger/reputation';
import { afterEach, expect, test } from 'vitest';
import { records } from '../store/records.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { ask, pair, until } from '../testing/steps.ts';
import { reputationMethod } from './reputation-protocol.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
async function peerOf(world: TestWorld, name: string, options: PeerOptions = {}): Promise<TestPeer> {
  const one = await world.peer(name, options);
  started.push(one);
  return one;
}
async function two() {
  const world = testWorld();
  const [a, b] = [await peerOf(world, 'a'), await peerOf(world, 'b')];
  await pair(world, a, b);
  return { world, a, b };
}
const of = async ({ peer }: TestPeer, name: string) => (await peer.reputation.get(name)).reputation;
const scoreIs = async (world: TestWorld, at: TestPeer, name: string, score: number): Promise<void> =>
  void (await until(world.clock, async () => Math.abs((await of(at, name)).score - score) < 1e-5));
/** As if it had served well for two months: what is kept of that, from before anybody asks. */
async function befriended({ store }: TestPeer, other: TestPeer, world: TestWorld): Promise<void> {
  const days = Array.from({ length: 480 }, (_, id) => ({
    id: `${id}`,
    deed: 'answered' as const,
    timeMs: world.clock.nowMs() - (id % 60) * dayMs,
  }));
  const room = store.room('reputation');
  await room.commit([records(room, 'peer').put(other.identity.peer, { standing: standingOf(days) })]);
}

test('an answer that both signed raises each in the eyes of the other, line by line, and after a restart too', async () => {
  const { world, a, b } = await two();
  expect(await of(b, 'a')).toMatchObject({ score: 0.3, lines: [{ reason: 'stranger' }], refused: null });
  await ask(world, b, 'echo@a', 'hello');
  await scoreIs(world, b, 'a', 4 / 11);
  await scoreIs(world, a, 'b', 3.5 / 10.5);
  const { lines, score } = await of(b, 'a');
  expect(lines).toMatchObject([
    { reason: 'stranger', text: 'where everybody begins', contribution: 0.3, times: null },
    { reason: 'answered', text: '1 answer it gave, signed by both', times: 1 },
  ]);
  expect(lines.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(score, 12);
  const store = world.kill(b);
  started.splice(1);
  const again = await peerOf(world, 'b', { seed: 2, store });
  expect(again.peer.reputation.now(a.identity.peer)).toBeCloseTo(4 / 11, 3);
});

test('an answer that fails lowers who gave it; who is away, or praises itself, stays where it was', async () => {
  const { world, a, b } = await two();
  await ask(world, b, 'fail@a', 'hello');
  await until(world.clock, async () => (await of(b, 'a')).score < 0.3);
  expect((await of(b, 'a')).lines).toMatchObject([{}, { reason: 'undelivered', times: 1 }]);
  const { score } = await of(b, 'a');
  a.peer.reputation.note(a.identity.peer, 'answered', 'x');
  await a.peer.stop();
  await ask(world, b, 'echo@a', 'hello');
  expect((await of(b, 'a')).score).toBeCloseTo(score, 6);
  expect((await a.peer.reputation.scores())(a.identity.peer)).toBe(1);
  expect((await a.peer.reputation.list()).peers.map(({ name }) => name)).toEqual(['b']);
});

test('who is proven to lie gets no link and no answer, for longer each time, unless the owner lets it in', async () => {
  const { world, a, b } = await two();
  const liar = b.identity.peer;
  const refusedUntil = async () => (await of(a, 'b')).refused;
  expect(a.peer.isBlocked(liar)).toBe(false);
  a.peer.reputation.note(liar, 'equivocation', 'proof 1');
  const first = await until(world.clock, async () => (await refusedUntil()) ?? undefined);
  expect(first).toMatchObject({ deed: 'equivocation', strikes: 1 });
  expect([a.peer.isBlocked(liar), a.peer.isGranted(liar, '/peerai/chat/1')]).toEqual([true, false]);
  await until(world.clock, () => a.peer.peers.view(liar).state === 'offline');
  expect((await ask(world, a, 'echo@b', 'hello')).at(-1)).toMatchObject({ type: 'error', code: 'REFUSED' });
  expect((await ask(world, b, 'echo@a', 'hello')).at(-1)).toMatchObject({ type: 'error', code: 'PEER_BLOCKED' });
  // Told again, the proof changes nothing; the refusal is there after a restart.
  a.peer.reputation.note(liar, 'equivocation', 'proof 1');
  const store = world.kill(a);
  started.splice(0, 1);
  const again = await peerOf(world, 'a', { seed: 1, store });
  expect(again.peer.isBlocked(liar)).toBe(true);
  expect((await of(again, 'b')).refused).toMatchObject({ strikes: 1, sinceMs: first.sinceMs });
});

test('a refusal ends by itself, the next is twice as long, and the owner may end it', async () => {
  const { world, a, b } = await two();
  const [liar, nowMs] = [b.identity.peer, world.clock.nowMs()];
  const room = a.store.room('reputation');
  const standing = standingOf([{ id: 'proof', deed: 'lie', timeMs: nowMs - hourMs }]);
  const refusal: Refusal = { deed: 'lie', strikes: 1, sinceMs: nowMs - hourMs, untilMs: nowMs + 500 };
  await room.commit([records(room, 'peer').put(liar, { standing, refusal })]);
  expect((await of(a, 'b')).refused?.leftMs).toBe(500);
  expect(a.peer.isBlocked(liar)).toBe(true);
  await world.clock.advance(500);
  expect(a.peer.isBlocked(liar)).toBe(false);
  // One more bad deed of a peer below the mark.
  a.peer.reputation.note(liar, 'timed-out', 'late');
  const second = await until(world.clock, async () => (await of(a, 'b')).refused ?? undefined);
  expect([second.strikes, second.untilMs - second.sinceMs]).toEqual([2, 2 * hourMs]);
  expect((await a.peer.reputation.letIn('b')).reputation.refused).toBeNull();
  expect(a.peer.isBlocked(liar)).toBe(false);
  // It may come again; what it did is not forgotten.
  await until(world.clock, () => a.peer.peers.view(liar).state === 'online');
  expect((await ask(world, b, 'echo@a', 'hello')).at(-1)?.type).not.toBe('error');
  expect((await of(a, 'b')).score).toBeLessThan(reputationLimits.refuseBelow);
});

test('a question is routed to the better name of two', async () => {
  for (const good of ['a', 'b']) {
    const world = testWorld();
    const [a, b, c] = [await peerOf(world, 'a'), await peerOf(world, 'b'), await peerOf(world, 'c', { engine: false })];
    await pair(world, a, c);
    await pair(world, b, c);
    await befriended(c, good === 'a' ? a : b, world);
    await c.peer.reputation.scores();
    const [start] = await ask(world, c, 'echo', 'hello');
    expect(start).toMatchObject({ type: 'start', servedBy: { name: good } });
  }
});

test('the owner’s block is a deed too, and the block itself stays the owner’s', async () => {
  const { world, a } = await two();
  await a.peer.peers.change('b', { blocked: true });
  await until(world.clock, async () => (await of(a, 'b')).lines.some(({ reason }) => reason === 'blocked'));
  expect((await of(a, 'b')).refused).toBeNull();
  await a.peer.peers.change('b', { blocked: false });
  expect((await of(a, 'b')).score).toBeCloseTo(3 / 15, 6);
});

test('a trusted device’s word moves a score a little; whose word weighs nothing is not asked', async () => {
  const world = testWorld();
  const [a, b, third] = [await peerOf(world, 'a'), await peerOf(world, 'b'), await peerOf(world, 'third')];
  await pair(world, a, b);
  await pair(world, a, third);
  await pair(world, b, third);
  for (let time = 0; time < 8; time += 1) b.peer.reputation.note(third.identity.peer, 'wrong-work', `${time}`);
  await until(world.clock, async () => (await of(b, 'third')).score < 0.1);
  await befriended(a, b, world);
  await a.peer.reputation.scores();
  for (const one of [b, third]) a.peer.reputation.met(one.identity.peer);
  const { lines, score } = await until(world.clock, async () => {
    const seen = await of(a, 'third');
    return seen.lines.length > 1 && seen;
  });
  expect(lines[1]).toMatchObject({ reason: 'said', text: 'what b says of it' });
  expect(score).toBeCloseTo(0.3 - reputationLimits.tellerShiftMax, 6);
  // Of itself it says nothing, and the third was not asked.
  expect((await of(a, 'b')).lines.map(({ reason }) => reason)).toEqual(['stranger', 'answered']);
});

test('who signs an opinion with a key that is not its own is refused; another’s opinion is left out', async () => {
  const world = testWorld();
  const [a, b, third] = [await peerOf(world, 'a'), await peerOf(world, 'b'), await peerOf(world, 'third')];
  const friend = await peerOf(world, 'friend');
  for (const one of [b, third, friend]) await pair(world, a, one);
  for (const one of [b, friend]) await befriended(a, one, world);
  await a.peer.reputation.scores();
  const nowMs = world.clock.nowMs();
  const said = { subject: third.identity.peer, score: 0, good: 0, bad: 99, timeMs: nowMs };
  const forged = signOpinion(b.identity, said);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const about = (subject: TestPeer) => ({ ...said, subject: subject.identity.peer });
  const opinions = [
    signOpinion(third.identity, about(b)),
    signOpinion(friend.identity, said),
    signOpinion(b.identity, about(a)),
    forged,
  ];
  await b.peer.stop();
  started.splice(1, 1);
  const network = world.networks.join(b.identity.peer, { isGranted: () => true });
  const questions: string[][] = [];
  serveMethod(
    network,
    reputationMethod,
    async ({ subjects }) => {
      questions.push(subjects.map((key) => peerIdFromPublicKey(key)));
      return { opinions };
    },
    world,
  );
  a.peer.reputation.met(b.identity.peer);
  await until(world.clock, async () => (await of(a, 'b')).refused !== null);
  expect(questions).toEqual([[third.identity.peer, friend.identity.peer]]);
  expect((await of(a, 'b')).refused).toMatchObject({ deed: 'forgery' });
  expect((await of(a, 'third')).lines).toHaveLength(1);
  expect((await a.peer.reputation.list()).peers.map(({ name }) => name)).toEqual(['b', 'third', 'friend']);
});
