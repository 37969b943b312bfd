import { PeerAiError, type Store } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import type { TestPeer } from '../testing/peers.ts';
import {
  areDone,
  begin,
  join,
  latest,
  type TrainingTown,
  trainingTown,
  untilTrained,
} from '../testing/training-town.ts';

const rounds = 5;

/** What a peer's log says of rounds, oldest first. */
const stated = async ({ peer }: TestPeer) =>
  (await peer.books.entries({ limit: 500 })).entries.flatMap(({ training }) =>
    training === undefined ? [] : [training],
  );

const kindsOf = async ({ peer }: TestPeer) =>
  (await peer.books.entries({ limit: 500 })).entries.map(({ kind }) => kind);
const wholeRound = ['training-commit', 'training-reveal', 'training-round'];

/** Calls `then` in place of what follows the commit of one entry in the log, counted from 1; it is on the disk already or not. */
function beforeDisk(nth: number, isThere: boolean, then: () => unknown) {
  let seen = 0;
  const wrapped = (store: Store, name: string): Store => ({
    get: (key) => store.get(key),
    range: (from, to, options) => store.range(from, to, options),
    put: (key, value) => store.put(key, value),
    room: (inner) => wrapped(store.room(inner), inner),
    async commit(changes) {
      if (name === 'ledger') seen += 1;
      if (name !== 'ledger' || seen !== nth) return store.commit(changes);
      if (isThere) await store.commit(changes);
      await then();
      await new Promise(() => undefined);
    },
  });
  return (store: Store): Store => wrapped(store, '');
}

describe('the log of a member', { timeout: 60_000 }, () => {
  test('has an entry for each round whose result it took, and all members state the same', async () => {
    const { world, peers, at } = await trainingTown(3);
    const { id } = await begin(world, at(0), { rounds, membersMin: 3 });
    await join(world, at(1));
    await join(world, at(2));
    await untilTrained(world.clock, () => areDone(...peers));
    const [host = [], ...others] = await Promise.all(peers.map(stated));
    expect(host.map(({ run, round, counted, refused }) => ({ run, round, counted, refused }))).toEqual(
      Array.from({ length: rounds }, (_, round) => ({ run: id, round, counted: 3, refused: 0 })),
    );
    host.slice(1).forEach(({ before }, index) => expect(before).toBe(host[index]?.after));
    expect(host.at(-1)?.after).toBe((await latest(at(0))).hash);
    const shared = (list: typeof host) => list.map((one) => ({ ...one, own: null }));
    for (const other of others) expect(shared(other)).toEqual(shared(host));
    const own = [host, ...others].flatMap((list) => list.map((one) => one.own));
    expect(new Set(own).size).toBe(3 * rounds);
    expect(own).not.toContain(null);
    for (const one of peers) {
      expect(await one.peer.books.verify()).toMatchObject({ ok: true, size: 3 * rounds, rounds });
      expect(await kindsOf(one)).toEqual(Array.from({ length: rounds }, () => wholeRound).flat());
    }
  });

  test('commits to an update before anybody can see it, and a run that is begun again says what it takes the place of', async () => {
    const { world, peers, at } = await trainingTown(2);
    const { id } = await begin(world, at(0), { rounds: 2 });
    await join(world, at(1));
    await untilTrained(world.clock, () => areDone(...peers));
    for (const one of peers) await one.peer.training.remove(id);
    await begin(world, at(0), { rounds: 2 });
    await join(world, at(1));
    await untilTrained(world.clock, () => areDone(...peers));
    for (const one of peers) {
      expect(await one.peer.books.verify()).toMatchObject({ ok: true, rounds: 4 });
      expect(await kindsOf(one)).toEqual(Array.from({ length: 4 }, () => wholeRound).flat());
    }
  });

  test('of a sealed run states the very commitments that the round was opened with', async () => {
    const { world, peers, at } = await trainingTown(2);
    const { terms } = await begin(world, at(0), { rounds: 2, sealed: true });
    expect(terms).toMatchObject({ kind: 'open', sealed: true });
    await join(world, at(1));
    await untilTrained(world.clock, () => areDone(...peers));
    for (const one of peers) {
      expect(await one.peer.books.verify()).toMatchObject({ ok: true, size: 6, rounds: 2 });
      const { entries } = await one.peer.books.entries({ limit: 50 });
      const claims = entries.flatMap(({ trainingClaim }) => trainingClaim ?? []);
      expect(claims.map(({ kind, round }) => [kind, round])).toEqual([
        ['commit', 0],
        ['reveal', 0],
        ['commit', 1],
        ['reveal', 1],
      ]);
      for (const index of [0, 2]) expect(claims[index]?.commitment).toBe(claims[index + 1]?.commitment);
    }
  });

  test('lets no update leave that its log refuses to commit to', async () => {
    const refused = new PeerAiError('LEDGER_DAMAGED', 'the log is closed');
    const disk = beforeDisk(3, false, () => Promise.reject(refused));
    const town = await trainingTown(2, ['chat', 'train'], (index) => (index === 1 ? { disk } : {}));
    const { world, at } = town;
    await begin(world, at(0), { rounds });
    await join(world, at(1));
    await untilTrained(world.clock, async () => (await latest(at(1))).state === 'failed');
    expect(await latest(at(1))).toMatchObject({ round: 1, code: 'LEDGER_DAMAGED' });
    // The other one, which may still be at its own steps, has all of the round but this member's update.
    await untilTrained(world.clock, async () => (await latest(at(0))).received > 0);
    expect(await latest(at(0))).toMatchObject({ round: 1, received: 1 });
    expect(await stated(at(0))).toHaveLength(1);
  });

  test.each([
    ['before a commitment is on the disk', 5, false, 2],
    ['between a commitment and its update', 5, true, 2],
    ['before a result is on the disk', 6, false, 2],
    ['between a result and the state it led to', 6, true, 3],
  ])('has each round once after kill -9 %s', async (_, nth, isThere, known) => {
    let town: TrainingTown | undefined;
    let back: Promise<TestPeer> | undefined;
    // The dead one waits for its commit for ever, so it writes nothing more anywhere.
    const disk = beforeDisk(nth, isThere, () => (back = town?.again(1)));
    town = await trainingTown(2, ['chat', 'train'], (index) => (index === 1 ? { disk } : {}));
    const { world, at } = town;
    await begin(world, at(0), { rounds });
    await join(world, at(1));
    const one = await untilTrained(world.clock, () => back);
    expect((await stated(one)).length).toBe(known);
    await untilTrained(world.clock, () => areDone(at(0), one));
    const [host, member] = [await stated(at(0)), await stated(one)];
    expect(member.map(({ round }) => round)).toEqual(Array.from({ length: rounds }, (_, round) => round));
    expect(member.map(({ after }) => after)).toEqual(host.map(({ after }) => after));
    expect(await one.peer.books.verify()).toMatchObject({ ok: true, rounds });
  });
});
