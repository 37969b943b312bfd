import { compareUtf8, type PeerId } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { headOf, line, linked, mesh, stopAll } from '../../test/linked.ts';
import { identityOf, never, payload } from '../../test/members.ts';
import { type Agreement, agreementLimits as limits, membersPayload } from './index.ts';
import { encodeChainEntry, signEntry } from './entry.ts';
import { groupIdOf } from './epoch.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { noBlock } from './statement.ts';

afterEach(stopAll);
const at = <T>(list: readonly T[], place: number): T => list.at(place) as T;

/**
 * Four members at 0 to 3, and others from 4 to 6 who come while the first leave, so many blocks before each change. The one at 3 is away from the
 * beginning; in the end nobody but it is left of the first four, and the one at 6 came with the last block.
 */
async function replacedWithout(blocksBetween: number) {
  const world = linked(4, mesh([0, 1, 2, 4, 5, 6]), 3);
  const { peers, start, until, clock } = world;
  const all = await start([0, 1, 2, 4, 5, 6]);
  let height = 0;
  const decide = async (by: Agreement, entry = payload(`${height}`)): Promise<void> => {
    const { block } = await until(by.propose(entry, never));
    height = block.header.height;
    while (all.some((one) => one.status().isMember && one.status().height < height)) await clock.advance(10);
  };
  const changes = [
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5],
    [2, 3, 4, 5],
    [3, 4, 5, 6],
  ];
  for (const places of changes) {
    const speaker = all.find((one) => one.status().isMember) as Agreement;
    for (let count = 0; count < blocksBetween; count += 1) await decide(speaker);
    await decide(speaker, membersPayload(places.map((place) => at(peers, place))));
  }
  for (const one of all) await one.stop();
  return { ...world, height, epoch: changes.length };
}

test('a member that was away while all others were replaced catches up in a line, over a neighbour that only the newest block names', async () => {
  // More blocks than one answer holds; and of what was said in them its neighbours, which start anew, have nothing but the blocks on their disks.
  const { relink, start, until, clock, peers, height, epoch } = await replacedWithout(13);
  expect(height).toBeGreaterThan(limits.blocksPerMessageMax);
  relink(line(7).slice(4));
  const newer = await start([4, 5, 6]);
  const [late] = (await start([3])) as [Agreement];
  relink([...line(7).slice(4), [6, 3]]);
  // Until a neighbour at rest says where it is.
  for (let passedMs = 0; passedMs < 2 * limits.idleMs && late.status().height === 0; passedMs += limits.answerMs)
    await clock.advance(limits.answerMs);
  // Each answer is followed by the next question, before anybody says again where it is.
  await clock.advance(limits.answerMs);
  for (const one of newer) expect(headOf(one)).toBe(headOf(late));
  expect(late.status()).toMatchObject({ isMember: true, height, epoch: { number: epoch } });
  expect(late.status().epoch.members).toEqual(peers.slice(3).toSorted(compareUtf8));
  // Three of four are a quorum: with one of the others gone nothing is decided without it, and its own word is.
  await at(newer, 0).stop();
  const { block } = await until(late.propose(payload('here again'), never));
  expect(block.header.height).toBe(height + 1);
  await clock.advance(1_000);
  expect(headOf(at(newer, 1))).toBe(headOf(late));
});

test('a newcomer that is linked with another newcomer alone gets the chain through it', async () => {
  const { peers, start, until, clock } = linked(3, [...mesh([0, 1, 2]), [0, 3], [3, 4]], 2);
  const [first, , , inviter, newcomer] = (await start([0, 1, 2, 3, 4])) as [
    Agreement,
    Agreement,
    Agreement,
    Agreement,
    Agreement,
  ];
  await until(first.propose(membersPayload(peers.slice(0, 4)), never));
  await clock.advance(limits.idleMs);
  await until(inviter.propose(membersPayload(peers), never));
  await clock.advance(limits.idleMs);
  expect(newcomer.status()).toMatchObject({ isMember: true, height: 2 });
  await until(newcomer.propose(payload('hello'), never));
  await clock.advance(1_000);
  expect(headOf(first)).toBe(headOf(newcomer));
});

/** A member that hears others of whom its chain knows nothing. */
async function alone() {
  const world = linked(4, []);
  const [member] = (await world.start([0])) as [Agreement];
  const self = at(world.peers, 0);
  const asked: PeerId[] = [];
  world.group.loses = (from, to, bytes) => {
    if (from === self && !world.peers.includes(to)) {
      // Its height, and no more of it.
      const { height = -1 } = decodeMessage(bytes).where ?? {};
      expect(bytes).toEqual(encodeMessage({ where: { ...place, height } }));
      asked.push(to);
    }
    return to !== self;
  };
  const place = { height: 9, view: 1, missing: 1, wants: noBlock };
  const say = async (from: PeerId, parts: Parameters<typeof encodeMessage>[0]): Promise<void> => {
    world.link(from).send(self, encodeMessage(parts));
    await world.clock.advance(10);
  };
  return { ...world, member, asked, say, place };
}

test('who is unknown is asked where it says that it is ahead, and of all else that it says nothing counts', async () => {
  const { member, asked, say, place, genesis, crypto, identities } = await alone();
  const stranger = identityOf(77);
  await say(stranger.peer, { where: { ...place, height: 0 } });
  const entry = signEntry(at(identities, 1), groupIdOf(crypto, genesis), 1, payload('a member’s, but who brings it?'));
  await say(stranger.peer, { entries: [encodeChainEntry(entry)] });
  expect(asked).toEqual([]);
  expect(member.status()).toMatchObject({ pending: 0, height: 0 });
  expect(member.status().heard.size).toBe(0);
  await say(stranger.peer, { where: place });
  expect(asked).toEqual([stranger.peer]);
});

test('of who is unknown one answer is read for each question, and a block in it only with the certificate of its members', async () => {
  const chain = linked(4, mesh([0, 1, 2, 3]));
  const [one] = (await chain.start([0, 1, 2, 3])) as [Agreement];
  await chain.until(one.propose(payload('x'), never));
  await chain.until(one.propose(payload('y'), never));
  const [first, second] = (await Array.fromAsync(one.blocks(1, 3))) as [Uint8Array, Uint8Array];
  const { member, asked, say, place, clock } = await alone();
  const stranger = identityOf(77).peer;
  await say(stranger, { blocks: [first] });
  expect(member.status().height).toBe(0);
  await say(stranger, { where: place });
  // The last bytes are its certificate's.
  const forged = first.with(first.length - 1, (first.at(-1) ?? 0) ^ 1);
  await say(stranger, { blocks: [forged] });
  expect(member.status().height).toBe(0);
  // That was its answer.
  await say(stranger, { blocks: [first] });
  expect(member.status().height).toBe(0);
  await clock.advance(limits.answerMs);
  await say(stranger, { where: place });
  await say(stranger, { blocks: [first, second] });
  expect(member.status().height).toBe(2);
  // It was asked for more; where it is behind, it gets none.
  expect(asked).toHaveLength(3);
  await clock.advance(limits.answerMs);
  await say(stranger, { where: { ...place, height: 0 } });
  expect(asked).toHaveLength(3);
});

test('so many that are unknown are asked at once, and each again when an answer could have come', async () => {
  const { asked, say, place, clock, link, peers } = await alone();
  const strangers = Array.from({ length: limits.unknownAskedMax + 1 }, (_, seed) => identityOf(500 + seed).peer);
  const sayAll = (): Promise<void> => {
    for (const one of strangers) link(one).send(at(peers, 0), encodeMessage({ where: place }));
    return clock.advance(10);
  };
  await sayAll();
  expect(asked).toEqual(strangers.slice(0, limits.unknownAskedMax));
  await sayAll();
  expect(asked).toHaveLength(limits.unknownAskedMax);
  await clock.advance(limits.answerMs);
  await say(at(strangers, -1), { where: place });
  expect(asked.at(-1)).toBe(strangers.at(-1));
});
