import { afterEach, describe, expect, test } from 'vitest';
import type { TestPeer } from '../testing/peers.ts';
import { live, until } from '../testing/steps.ts';
import { acquaint, propose, show, type Village, village, voteAll } from '../testing/village.ts';
import { governanceVerifySchema } from './governance.schema.ts';

const villages: Village[] = [];
afterEach(async () => {
  for (const one of villages.splice(0)) await one.stop();
});
const group = async (count: number): Promise<Village> => {
  const made = await village(count);
  villages.push(made);
  return made;
};
/** What its own log says this group decided. */
const decisionsIn = async ({ peer }: TestPeer) =>
  (await peer.books.entries({ limit: 500 })).entries.flatMap(({ decision }) => decision ?? []);
const sayTheSame = async (all: readonly TestPeer[]): Promise<boolean> =>
  new Set((await Promise.all(all.map(decisionsIn))).map((said) => JSON.stringify(said))).size === 1;
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a group of devices', () => {
  test('decides by its members’ votes, and all of them have the same chain and state', async () => {
    const { world, at } = await group(4);
    const action = { type: 'policy', name: 'incentives.node_hour_micro', value: 750_000 } as const;
    const id = await propose(world, at(1), { action });
    // Three yes of four can't be turned by the fourth: then nobody waits for it.
    await voteAll(world, [at(0), at(1), at(2)], id);
    const all = [0, 1, 2, 3].map(at);
    for (const one of all) await until(world.clock, async () => (await show(one)).decisions.length === 1);
    const views = await Promise.all(all.map(show));
    expect(views[0]?.decisions).toMatchObject([{ id, result: 'accepted', yes: 3, electors: 4 }]);
    expect(new Set(views.map(({ digest }) => digest)).size).toBe(1);
    await until(world.clock, () => sayTheSame(all));
    const heights = (await decisionsIn(at(0))).map(({ height }) => height);
    expect(heights).toEqual(heights.map((_, place) => place + 1));
    expect(heights.length).toBeGreaterThan(2);
    expect(await at(0).peer.books.verify()).toMatchObject({ ok: true });
    expect(at(3).peer.governance.policy()?.['incentives.node_hour_micro']).toBe(750_000);
    const verified = await at(2).peer.governance.verify('village');
    // Nothing beside the schema: what a response can't carry would end as an internal error.
    expect(governanceVerifySchema.strict().parse(verified)).toMatchObject({ ok: true, matches: true, problem: null });
    await expect(world.clock.until(at(0).peer.governance.vote('village', id, 'yes', live()))).rejects.toThrow(
      code('PROPOSAL_UNKNOWN'),
    );
  });

  test('goes on where it stood when a member is killed and comes back, and that one has what it missed', async () => {
    const { world, at, peer } = await group(4);
    const store = world.kill(at(3));
    const id = await propose(world, at(0));
    await voteAll(world, [at(0), at(1), at(2)], id);
    await until(world.clock, async () => (await show(at(0))).decisions.length === 1);
    await peer('p3', { seed: 4, store, engine: false });
    await until(world.clock, async () => (await show(at(3))).digest === (await show(at(0))).digest);
    expect((await show(at(3))).decisions).toMatchObject([{ id, result: 'accepted' }]);
    await until(world.clock, () => sayTheSame([at(0), at(3)]));
  });

  test('refuses a peer that it put on its blacklist, at every member', async () => {
    const { world, at, peer: another } = await group(2);
    const outsider = await another('p9', { seed: 9, engine: false });
    await acquaint(world, at(1), outsider);
    const { peer } = outsider.identity;
    expect(at(1).peer.isBlocked(peer)).toBe(false);
    const id = await propose(world, at(0), { action: { type: 'blacklist-add', peer, reason: 'forged receipts' } });
    await voteAll(world, [at(0), at(1)], id);
    for (const one of [at(0), at(1)]) await until(world.clock, () => one.peer.isBlocked(peer));
    expect((await show(at(1))).blacklist).toMatchObject([{ peerId: peer, reason: 'forged receipts' }]);
  });

  test('takes somebody in who said yes, after a vote, and who then decides with it', async () => {
    const { world, at, peer } = await group(2);
    const late = await peer('p9', { seed: 9, engine: false });
    for (const one of [at(0), at(1)]) await acquaint(world, one, late);
    await world.clock.until(at(0).peer.governance.invite('village', 'p9'));
    await until(world.clock, async () => (await late.peer.governance.list()).groups.length === 1);
    expect((await late.peer.governance.join('village')).group.state).toBe('waiting');
    await until(world.clock, async () => (await show(at(0))).proposals.length === 1);
    const [open] = (await show(at(0))).proposals;
    expect(open).toMatchObject({ action: { type: 'member-add', peerId: late.identity.peer }, majorityPercent: 66 });
    await voteAll(world, [at(0), at(1)], open?.id ?? '');
    await until(world.clock, async () => (await show(late)).group.state === 'member');
    const id = await propose(world, late, { title: 'hello' });
    await voteAll(world, [late, at(0)], id);
    await until(world.clock, async () => (await show(at(1))).decisions.length === 2);
    expect((await show(at(1))).group).toMatchObject({ epoch: 1, members: [{}, {}, {}] });
  });
});
