import { compareUtf8, toHex } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { headOf, line, linked, stopAll } from '../../test/linked.ts';
import { createGroup, never, payload } from '../../test/members.ts';
import { agreementLimits as limits } from './index.ts';
import { encodeChainEntry, signEntry } from './entry.ts';
import { groupIdOf } from './epoch.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { hears } from './reach.ts';
import { decodeStatement, encodeStatement, noBlock, signStatement } from './statement.ts';

afterEach(stopAll);
const at = <T>(list: readonly T[], place: number): T => list.at(place) as T;

describe('members in a line', () => {
  test('decide what any of them wants, in the first view, and each statement goes over a link once', async () => {
    const { group, peers, start, until, clock, isLinked } = linked(4, line(4));
    const members = await start([0, 1, 2, 3]);
    const carried = new Map<string, number>();
    group.loses = (from, to, bytes) => {
      const { proposal, votes } = decodeMessage(bytes);
      for (const one of [proposal, ...votes].flatMap((bytes) => (bytes === undefined ? [] : decodeStatement(bytes)))) {
        const way = `${peers.indexOf(from)}>${peers.indexOf(to)} ${one.kind} ${one.height} ${one.view} ${one.signer}`;
        if (one.signer !== from && isLinked(from, to)) carried.set(way, (carried.get(way) ?? 0) + 1);
      }
      return !isLinked(from, to);
    };
    for (const [at, one] of members.entries()) {
      const { block } = await until(one.propose(payload(`of ${at}`), never));
      expect([block.header.height, block.certificate.view]).toEqual([at + 1, 1]);
    }
    await clock.advance(1_000);
    expect(new Set(members.map(headOf)).size).toBe(1);
    expect(carried.size).toBeGreaterThan(20);
    expect(new Set(carried.values())).toEqual(new Set([1]));
  });

  test('bring one that comes late to where they are, through its only neighbour, and its word to all', async () => {
    const { start, until, clock } = linked(4, line(4));
    const first = await start([0, 1, 2]);
    for (const text of ['one', 'two']) await until(at(first, 0).propose(payload(text), never));
    const late = at(await start([3]), 0);
    await clock.advance(1_000);
    expect(headOf(late)).toBe(headOf(at(first, 0)));
    await until(late.propose(payload('three'), never));
    await clock.advance(1_000);
    expect(headOf(at(first, 0))).toBe(headOf(late));
  });

  test('know through whom each other is reached, and of one that is gone no more after four minutes', async () => {
    const { start, clock, peers } = linked(4, line(4));
    const members = await start([0, 1, 2, 3]);
    const [first, last] = [at(members, 0), at(members, 3)];
    await clock.advance(3 * limits.idleMs);
    const via = (place: number) => first.status().ways.get(at(peers, place))?.via;
    expect([...first.status().ways.keys()].toSorted(compareUtf8)).toEqual(peers.slice(1).toSorted(compareUtf8));
    expect([via(1), via(2), via(3)]).toEqual([undefined, peers[1], peers[1]]);
    await last.stop();
    await clock.advance(240_000 + 2 * limits.idleMs);
    expect(first.status().ways.has(at(peers, 3))).toBe(false);
    expect(via(2)).toBe(peers[1]);
  });
});

test('where all are linked nothing is handed on', async () => {
  const { group, start, until, clock } = linked(4, [...line(4), [0, 2], [0, 3], [1, 3]]);
  const members = await start([0, 1, 2, 3]);
  const foreign: string[] = [];
  group.loses = (from, _, bytes) => {
    const { proposal, votes } = decodeMessage(bytes);
    for (const one of [proposal, ...votes])
      if (one !== undefined && decodeStatement(one).signer !== from) foreign.push(decodeStatement(one).kind);
    return false;
  };
  for (const one of members) await until(one.propose(payload('x'), never));
  await clock.advance(2_000);
  expect(foreign).toEqual([]);
});

/** The first of four speaks for itself; the second and the third, which are too few to decide, are linked with each other, and the second with the first. */
async function carriers() {
  const world = linked(4, line(3));
  const [author, carrier, end] = world.identities;
  await world.start([1, 2]);
  const hearsAll = { hears: Uint8Array.of(0b1111), has: noBlock, pending: [], ages: noBlock };
  const where = { height: 0, view: 1, missing: 1, wants: noBlock };
  const tell = (parts: Parameters<typeof encodeMessage>[0]) =>
    world.link(author!.peer).send(carrier!.peer, encodeMessage({ ...parts, where, reach: hearsAll }));
  const got = { entries: [] as string[], votes: [] as string[] };
  const { isLinked, group } = world;
  group.loses = (from, to, bytes) => {
    const { entries, votes } = decodeMessage(bytes);
    if (from === carrier!.peer && to === end!.peer) {
      got.entries.push(...entries.map(toHex));
      for (const one of votes) if (decodeStatement(one).signer === author!.peer) got.votes.push(toHex(one));
    }
    return !isLinked(from, to);
  };
  return { ...world, author: author!, tell, got };
}

test('of an author that signs its place again and again, so many entries are handed on at one height and no more', async () => {
  const { author, tell, got, genesis, crypto, clock } = await carriers();
  const id = groupIdOf(crypto, genesis);
  const entry = (at: number) => encodeChainEntry(signEntry(author, id, 1, payload(`version ${at}`)));
  const versions = Array.from({ length: limits.carriedPerAuthorMax + 1 }, (_, at) => entry(at));
  // By turns: each is the newest again, and was handed on before.
  for (let time = 0; time < 3; time += 1) for (const one of versions.slice(0, 2)) tell({ entries: [one] });
  for (const one of versions.slice(2, -1)) tell({ entries: [one] });
  await clock.advance(100);
  expect(got.entries).toEqual(versions.slice(0, limits.carriedPerAuthorMax).map(toHex));
  tell({ entries: versions.slice(-1) });
  await clock.advance(100);
  expect(got.entries).toHaveLength(limits.carriedPerAuthorMax);
});

test('what its author did not sign is not handed on, and what it did once', async () => {
  const { author, tell, got, genesis, crypto, clock, identities } = await carriers();
  const group = groupIdOf(crypto, genesis);
  const place = { group, epoch: 0, height: 1, view: 1, parent: 0, block: crypto.sha256(noBlock) };
  const right = signStatement(author, { ...place, kind: 'notarize' });
  const forged = { ...signStatement(at(identities, 1), { ...place, kind: 'finalize' }), signer: author.peer };
  const entry = signEntry(author, group, 1, payload('mine'));
  const changed = encodeChainEntry({ ...entry, body: payload('thine').body });
  for (let time = 0; time < 2; time += 1) tell({ votes: [forged, right].map(encodeStatement), entries: [changed] });
  await clock.advance(100);
  expect(got.votes).toEqual([toHex(encodeStatement(right))]);
  expect(got.entries).toEqual([]);
});

test('a member counts as heard as long as it may have missed so many of its turns to speak', () => {
  const { identities } = createGroup(2);
  const [self, other] = identities;
  const times = { viewTimeoutMs: 1, viewTimeoutMsMax: 1, resendMs: 500, idleMs: 15_000 };
  const isHeard = (afterMs: number, busyMs?: number): boolean => {
    const state = { heard: new Map([[other!.peer, 0]]), busyMs } as unknown as Parameters<typeof hears>[0]['state'];
    return hears({ state, parts: { identity: self!, times }, nowMs: afterMs }, other!.peer);
  };
  const soonMs = limits.missedTalks * times.resendMs;
  const restMs = 2 * times.idleMs + soonMs;
  expect([isHeard(restMs), isHeard(restMs + 1)]).toEqual([true, false]);
  // Something to decide for long: then each says something twice a second.
  expect([isHeard(soonMs, -soonMs - 1), isHeard(soonMs + 1, -soonMs - 1)]).toEqual([true, false]);
  expect(isHeard(soonMs + 1, 1)).toBe(true);
});
