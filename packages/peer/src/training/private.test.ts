import { describe, expect, test } from 'vitest';
import type { TestPeer } from '../testing/peers.ts';
import { live } from '../testing/steps.ts';
import {
  areDone,
  begin,
  join,
  latest,
  readIn,
  signs,
  trainingTown,
  untilTrained,
  whileTimeGoes,
} from '../testing/training-town.ts';
import { trainingJoinSchema, trainingLinkRequestSchema } from './training.schema.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
/** A private run of all who may train. */
const hidden = { compression: undefined, private: {}, rounds: 1 } as const;

async function unmaskedAt({ store }: TestPeer): Promise<number> {
  let count = 0;
  for await (const _ of store.room('training').range('unmasked/', 'unmasked0')) count += 1;
  return count;
}

describe('a private run', { timeout: 60_000 }, () => {
  test('is told as one before joining, and teaches three devices the same model from sums alone', async () => {
    const { world, peers, at } = await trainingTown(3);
    const begun = await begin(world, at(0), hidden);
    expect(begun).toMatchObject({
      needed: 3,
      terms: { kind: 'private', aggregation: 'masked-sum', compression: 'none' },
    });
    const { offers } = await whileTimeGoes(world.clock, at(1).peer.training.offers(live()));
    expect(offers[0]?.invited.map(({ name }) => name).toSorted()).toEqual(['peer-0', 'peer-1', 'peer-2']);
    const visible = offers[0]?.asks.visible.join(' ');
    expect(visible).toContain('Nothing stops a bad update');
    expect(visible).not.toContain('sees each of your updates');
    await join(world, at(1));
    await join(world, at(2), 'signs', signs(120, 3));
    await untilTrained(world.clock, () => areDone(...peers));
    const runs = await Promise.all(peers.map(latest));
    expect(new Set(runs.map(({ file }) => file?.sha256)).size).toBe(1);
    for (const run of runs) expect(run.now?.loss).toBeLessThan(run.first?.loss ?? 0);
    for (const one of peers) {
      const { rounds } = await one.peer.training.get(begun.id);
      expect(rounds.map(({ members }) => members.map(({ loss }) => loss))).toEqual([[null, null, null]]);
      expect(rounds.every(({ loss }) => loss !== null)).toBe(true);
      expect(await one.peer.books.verify()).toMatchObject({ ok: true, rounds: 1 });
      // Kept for who comes back to the run, gone with it.
      expect(await unmaskedAt(one)).toBe(1);
      await one.peer.training.remove('signs');
      expect(await unmaskedAt(one)).toBe(0);
    }
  });

  test('is offered to those invited alone, and asks for nothing that an open one has', async () => {
    const { world, at } = await trainingTown(4);
    await expect(begin(world, at(0), { ...hidden, compression: 'int8', liars: 1 })).rejects.toThrow(
      'has no liars, no compression',
    );
    await expect(begin(world, at(0), { ...hidden, private: { invite: ['peer-1', 'peer-1'] } })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: 'a private run needs 3 devices, this one among them; 2 may train here',
    });
    await at(0).peer.peers.change('peer-3', { allow: ['chat'] });
    await expect(begin(world, at(0), { ...hidden, private: { invite: ['peer-1', 'peer-3'] } })).rejects.toThrow(
      code('NOT_GRANTED'),
    );
    await at(0).peer.peers.change('peer-3', { allow: ['chat', 'train'] });
    await begin(world, at(0), { ...hidden, private: { invite: ['peer-1', 'peer-2'] } });
    const seen = async (index: number) =>
      (await whileTimeGoes(world.clock, at(index).peer.training.offers(live()))).offers.length;
    expect([await seen(1), await seen(2), await seen(3)]).toEqual([1, 1, 0]);
    await expect(join(world, at(3))).rejects.toThrow(code('OFFER_UNKNOWN'));
    const link = at(0).peer.training.link('signs', trainingLinkRequestSchema.parse({}));
    await expect(link).rejects.toThrow(code('REFUSED'));
    await whileTimeGoes(world.clock, at(0).peer.training.stop('signs'));
  });
});

describe('a privacy budget', { timeout: 60_000 }, () => {
  const table = signs(120, 7);
  test('is shown as it is spent, kept over a restart, and refuses when it is', async () => {
    const { world, at, again } = await trainingTown(1);
    const data = () => readIn(at(0), table);
    const privacy = { epsilon: 4 };
    const begun = await begin(world, at(0), { data: await data(), membersMin: 1, rounds: 4, privacy });
    expect(begun.privacy).toMatchObject({ epsilon: 0, epsilonMax: 4, steps: 0, delta: 1e-5, clip: 1 });
    await untilTrained(world.clock, () => areDone(at(0)));
    const { privacy: spent } = await latest(at(0));
    expect(spent?.steps).toBe(4);
    expect(spent?.epsilon).toBeGreaterThan(3.9);
    expect(spent?.epsilon).toBeLessThanOrEqual(4);
    const { rounds } = await at(0).peer.training.get('signs');
    expect(rounds.map(({ loss }) => loss)).toEqual([null, null, null, null]);
    const back = await again(0);
    // The file read in again is the same data; without noise its budget would be passed.
    const same = await readIn(back, table);
    const more = { name: 'more', data: same, membersMin: 1, rounds: 4 };
    await expect(begin(world, back, { ...more, privacy })).rejects.toThrow(code('PRIVACY_SPENT'));
    await expect(begin(world, back, { ...more, privacy: { epsilon: 40 } })).rejects.toThrow(code('PRIVACY_SPENT'));
    await expect(begin(world, back, more)).rejects.toThrow('an update without noise would pass it');
    await begin(world, back, { ...more, data: await readIn(back, signs(120, 8)) });
    await untilTrained(world.clock, async () => (await latest(back)).state === 'done');
  });

  test('is each member’s own: who joins with one has noise, and says no loss', async () => {
    const { world, at } = await trainingTown(2);
    await begin(world, at(0), { rounds: 2 });
    const data = await readIn(at(1), table);
    const little = trainingJoinSchema.parse({ data, accept: true, privacy: { epsilon: 1, noise: 0.1 } });
    await expect(whileTimeGoes(world.clock, at(1).peer.training.join('signs', little, live()))).rejects.toThrow(
      code('PRIVACY_SPENT'),
    );
    const enough = trainingJoinSchema.parse({ data, accept: true, privacy: { epsilon: 8, clip: 0.5 } });
    await whileTimeGoes(world.clock, at(1).peer.training.join('signs', enough, live()));
    await untilTrained(world.clock, () => areDone(at(0), at(1)));
    expect((await latest(at(0))).privacy).toBeNull();
    expect((await latest(at(1))).privacy).toMatchObject({ steps: 2, clip: 0.5 });
    const { rounds } = await at(0).peer.training.get('signs');
    for (const { members } of rounds)
      expect(members.map(({ name, loss }) => [name, loss === null])).toEqual(
        members.map(({ name }) => [name, name === 'peer-1']),
      );
  });
});
