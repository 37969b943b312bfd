import { afterEach, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, until } from '../testing/steps.ts';
import { acquaint, propose, show, voteAll } from '../testing/village.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});

/** Peers of which each is paired with the one before and the one after alone, and which gossip of nothing. */
async function lineOf(count: number) {
  const world = testWorld();
  const peers: TestPeer[] = [];
  const up = async (index: number, more: object = {}): Promise<TestPeer> => {
    const one = await world.peer(`p${index}`, {
      seed: index + 1,
      engine: false,
      settings: { groupTopics: 'off' },
      ...more,
    });
    // Its room is loaded: that takes real time, of which the test's clock knows nothing.
    await one.peer.governance.list();
    peers[index] = one;
    started.push(one);
    return one;
  };
  for (let index = 0; index < count; index += 1) await up(index);
  let before: TestPeer | undefined;
  for (const one of peers) {
    if (before !== undefined) await acquaint(world, before, one);
    before = one;
  }
  const isAsked = (one: TestPeer) =>
    until(world.clock, async () => (await one.peer.governance.list()).groups.length === 1);
  const join = async (one: TestPeer): Promise<void> => {
    await isAsked(one);
    await world.clock.until(one.peer.governance.join('village'));
  };
  return { world, peers, up, join };
}

test('four members in a line propose, vote and decide; one is taken in by its only neighbour, and catches up through it', async () => {
  const { world, peers, up, join } = await lineOf(4);
  const [a, b, c, d] = peers as [TestPeer, TestPeer, TestPeer, TestPeer];
  await world.clock.until(b.peer.governance.create('village', ['p0', 'p2']));
  for (const one of [a, c]) await join(one);

  // The ends are paired with nobody but their neighbour.
  await world.clock.until(c.peer.governance.invite('village', 'p3'));
  await join(d);
  await until(world.clock, async () => (await show(a)).proposals.length === 1);
  await voteAll(world, [a, b], (await show(a)).proposals[0]?.id ?? '');
  await until(world.clock, async () => (await show(d)).group.state === 'member');
  expect((await show(d)).group.members).toHaveLength(4);

  const first = await propose(world, d, { title: 'from one end' });
  await voteAll(world, [a, b, d], first);
  for (const one of [a, b, c, d])
    await until(world.clock, async () => (await show(one)).decisions.some(({ id }) => id === first));
  const far = (await show(a)).group.members.find(({ peerId }) => peerId === d.identity.peer);
  expect(far).toMatchObject({ online: false, heard: false, via: { peerId: b.identity.peer, name: 'p1' } });
  const near = (await show(a)).group.members.find(({ peerId }) => peerId === b.identity.peer);
  expect(near).toMatchObject({ online: true, heard: true, via: null });

  const store = world.kill(d);
  const second = await propose(world, a, { title: 'from the other' });
  await voteAll(world, [a, b, c], second);
  await until(world.clock, async () => (await show(a)).decisions.some(({ id }) => id === second));
  const back = await up(3, { store });
  await until(world.clock, async () => (await show(back)).digest === (await show(a)).digest);
  expect((await show(back)).decisions.map(({ id }) => id)).toContain(second);
  const verified = await back.peer.governance.verify('village');
  expect(verified).toMatchObject({ ok: true, matches: true });
});

test('who was asked in by one that was asked in itself, and is paired with no other, gets the chain from it and decides', async () => {
  const { world, peers, join } = await lineOf(3);
  const [a, b, c] = peers as [TestPeer, TestPeer, TestPeer];
  await world.clock.until(a.peer.governance.create('village', []));
  for (const [asker, name, asked, voters] of [
    [a, 'p1', b, [a]],
    [b, 'p2', c, [a, b]],
  ] as const) {
    await world.clock.until(asker.peer.governance.invite('village', name));
    await join(asked);
    for (const one of voters) await until(world.clock, async () => (await show(one)).proposals.length === 1);
    await voteAll(world, voters, (await show(a)).proposals[0]?.id ?? '');
    await until(world.clock, async () => (await show(asked)).group.state === 'member');
  }
  const id = await propose(world, c, { title: 'from the newest' });
  await voteAll(world, [a, c], id);
  for (const one of [a, b, c])
    await until(world.clock, async () => (await show(one)).decisions.some((decision) => decision.id === id));
  expect((await c.peer.governance.verify('village')).matches).toBe(true);
});

test('ballots reach the chain where no two voters but neighbours are paired, and who asked for one has it', async () => {
  const { world, peers, join } = await lineOf(3);
  const [a, b, c] = peers as [TestPeer, TestPeer, TestPeer];
  await world.clock.until(b.peer.governance.create('village', ['p0', 'p2']));
  for (const one of [a, c]) await join(one);
  const openMs = 20_000;
  // The registrar is at one end, a voter at the other.
  const id = await propose(world, a, { title: 'who leads', secret: true, openMs });
  for (const one of [b, c]) {
    await until(world.clock, async () => (await show(one)).proposals.length === 1);
    await world.clock.until(one.peer.governance.vote('village', id, 'yes', live()));
  }
  const open = async (one: TestPeer) => (await show(one)).proposals[0];
  const steps = async (look: () => Promise<boolean>): Promise<void> => {
    for (let step = 0; step < openMs / 2; step += 1) {
      if (await look()) return;
      await world.clock.advance(1);
    }
    throw new Error('never');
  };
  await steps(async () => (await open(c))?.issued === 2);
  await world.clock.advance(((await open(a))?.castFromMs ?? 0) - world.clock.nowMs());
  await steps(async () => (await open(a))?.yes === 2);
  await world.clock.advance(((await open(a))?.closesMs ?? 0) - world.clock.nowMs());
  await steps(async () => (await show(c)).decisions.length === 1);
  expect((await show(c)).decisions).toMatchObject([{ id, yes: 2, no: 0, result: 'accepted' }]);
}, 60_000);
