import type { Store } from '@peerai/core-protocol';
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
      then();
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
    for (const { peer } of peers) expect(await peer.books.verify()).toMatchObject({ ok: true, size: rounds, rounds });
  });

  test.each([
    ['before an entry is on the disk', false],
    ['between an entry and the state it led to', true],
  ])('has each round once after kill -9 %s', async (_, isThere) => {
    let town: TrainingTown | undefined;
    let back: Promise<TestPeer> | undefined;
    // The dead one waits for its commit for ever, so it writes nothing more anywhere.
    const disk = beforeDisk(3, isThere, () => (back = town?.again(1)));
    town = await trainingTown(2, ['chat', 'train'], (index) => (index === 1 ? { disk } : {}));
    const { world, at } = town;
    await begin(world, at(0), { rounds });
    await join(world, at(1));
    const one = await untilTrained(world.clock, () => back);
    expect((await stated(one)).length).toBe(isThere ? 3 : 2);
    await untilTrained(world.clock, () => areDone(at(0), one));
    const [host, member] = [await stated(at(0)), await stated(one)];
    expect(member.map(({ round }) => round)).toEqual(Array.from({ length: rounds }, (_, round) => round));
    expect(member.map(({ after }) => after)).toEqual(host.map(({ after }) => after));
    expect(await one.peer.books.verify()).toMatchObject({ ok: true, rounds });
  });
});
