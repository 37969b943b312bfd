import type { Topics } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { until } from '../testing/steps.ts';
import { acquaint, propose, show, voteAll } from '../testing/village.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
const code = (expected: string) => expect.objectContaining({ code: expected });

/** Four members of which three are paired with the first alone, who is gone by now: what is left has no channel at all. */
async function strangers(groupTopics: 'join' | 'off', gossip = (topics: Topics): Topics => topics) {
  const world = testWorld();
  const up = async (index: number, more: object = {}): Promise<TestPeer> => {
    const one = await world.peer(`p${index}`, {
      seed: index + 1,
      engine: false,
      settings: { groupTopics },
      gossip,
      ...more,
    });
    await one.peer.governance.list();
    started.push(one);
    return one;
  };
  /** Nobody waits for the end of what was killed. */
  const kill = (one: TestPeer) => {
    started.splice(started.indexOf(one), 1);
    return world.kill(one);
  };
  const all: TestPeer[] = [];
  for (let index = 0; index < 4; index += 1) all.push(await up(index));
  const [hub, ...others] = all as [TestPeer, TestPeer, TestPeer, TestPeer];
  for (const one of others) await acquaint(world, hub, one);
  await world.clock.until(hub.peer.governance.create('village', ['p1', 'p2', 'p3']));
  for (const one of others) {
    await until(world.clock, async () => (await one.peer.governance.list()).groups.length === 1);
    await world.clock.until(one.peer.governance.join('village'));
  }
  // They have heard each other, each way there is.
  await world.clock.advance(1_000);
  kill(hub);
  return { world, hub, others, up, kill };
}

test('members without a channel to anybody propose, vote and decide over their topic, and one that comes back catches up there', async () => {
  const { world, hub, others, up, kill } = await strangers('join');
  const [a, b, c] = others;
  const first = await propose(world, a);
  await voteAll(world, others, first);
  for (const one of others)
    await until(world.clock, async () => (await show(one)).decisions.some(({ id }) => id === first));
  const seen = (await show(a)).group.members.map(({ peerId, topic, via }) => [peerId, topic, via]);
  const wanted = [hub, a, b, c].map(({ identity }) => [
    identity.peer,
    identity !== a.identity && identity !== hub.identity,
    null,
  ]);
  expect(Object.fromEntries(seen.map(([peer, ...way]) => [peer, way]))).toEqual(
    Object.fromEntries(wanted.map(([peer, ...way]) => [peer, way])),
  );

  const store = kill(c);
  await world.clock.advance(60_000);
  const back = await up(3, { store });
  await until(world.clock, async () => (await show(back)).digest === (await show(a)).digest);
  const second = await propose(world, back);
  await voteAll(world, [a, b, back], second);
  await until(world.clock, async () => (await show(b)).decisions.some(({ id }) => id === second));
  expect(await back.peer.governance.verify('village')).toMatchObject({ ok: true, matches: true });
});

test('without their topic the same members decide nothing', async () => {
  const { world, others } = await strangers('off');
  const [a] = others;
  await expect(propose(world, a)).rejects.toThrow(code('NO_DECISION'));
  expect(await Promise.all(others.map(async (one) => (await show(one)).proposals.length))).toEqual([0, 0, 0]);
});

test('of what they say on it two in five messages are lost, and they decide all the same', async () => {
  const random = seededRandom(5);
  let lost = 0;
  const { world, others } = await strangers('join', (topics) => ({
    ...topics,
    async publish(topic, message) {
      const [chance = 0] = random.bytes(1);
      if (chance < 102) lost += 1;
      else await topics.publish(topic, message);
    },
  }));
  const [a] = others;
  const id = await propose(world, a);
  await voteAll(world, others, id);
  for (const one of others)
    await until(world.clock, async () => (await show(one)).decisions.some((decision) => decision.id === id));
  expect(lost).toBeGreaterThan(20);
});

test('one that joins no topic is heard by those that do through a member it has a channel to, and hears them', async () => {
  const world = testWorld();
  const up = async (index: number, groupTopics: 'join' | 'off'): Promise<TestPeer> => {
    const one = await world.peer(`p${index}`, { seed: index + 1, engine: false, settings: { groupTopics } });
    await one.peer.governance.list();
    started.push(one);
    return one;
  };
  const between = await up(0, 'join');
  const silent = await up(1, 'off');
  const far = [await up(2, 'join'), await up(3, 'join')];
  for (const one of [silent, ...far]) await acquaint(world, between, one);
  await world.clock.until(between.peer.governance.create('village', ['p1', 'p2', 'p3']));
  for (const one of [silent, ...far]) {
    await until(world.clock, async () => (await one.peer.governance.list()).groups.length === 1);
    await world.clock.until(one.peer.governance.join('village'));
  }
  for (const { identity } of far) await world.clock.until(between.peer.peers.remove(identity.peer));
  const id = await propose(world, silent);
  // Three of four: without the silent one's vote the two that are far decide nothing.
  await voteAll(world, [silent, ...far], id);
  for (const one of [between, silent, ...far])
    await until(world.clock, async () => (await show(one)).decisions.some((decision) => decision.id === id));
  const wayTo = async (from: TestPeer, to: TestPeer) =>
    (await show(from)).group.members.find(({ peerId }) => peerId === to.identity.peer);
  const [one] = far as [TestPeer];
  expect(await wayTo(one, silent)).toMatchObject({ topic: false, via: { peerId: between.identity.peer } });
  expect(await wayTo(one, between)).toMatchObject({ topic: true, via: null });
  expect(await wayTo(silent, one)).toMatchObject({ topic: false, via: { peerId: between.identity.peer } });
});
