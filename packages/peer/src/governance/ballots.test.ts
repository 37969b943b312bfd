import { createIdentity, fromBase64Url, nobleCrypto, type Store, toHex } from '@peerai/core-protocol';
import { decodeGenesis, groupIdOf } from '@peerai/ledger/agreement';
import { createBallotBooth, type GovernanceVerification, verifyGovernance } from '@peerai/ledger/governance';
import { afterEach, expect, test } from 'vitest';
import type { TestPeer } from '../testing/peers.ts';
import { live } from '../testing/steps.ts';
import { propose, show, type Village, village, voteAll } from '../testing/village.ts';
import type { BallotRow } from './rows.ts';

const villages: Village[] = [];
afterEach(async () => {
  for (const one of villages.splice(0)) await one.stop();
});
const code = (expected: string, details?: object) =>
  expect.objectContaining(details === undefined ? { code: expected } : { code: expected, details });

/** Everything that was ever on this disk, also what went later. */
function recorded(store: Store, values: Buffer[]): Store {
  return {
    get: (key) => store.get(key),
    range: (from, to, options) => store.range(from, to, options),
    put: (key, value) => store.put(key, value),
    room: (name) => recorded(store.room(name), values),
    async commit(changes) {
      for (const { value } of changes) if (value !== undefined) values.push(Buffer.from(value));
      await store.commit(changes);
    },
  };
}

/** What somebody finds who has the chain's bytes and the group's id, and knows no member. */
async function outsider({ peer }: TestPeer, id: string): Promise<GovernanceVerification & { readonly raw: Buffer[] }> {
  const raw: Buffer[] = [];
  let genesis = '';
  for (let from: number | null = 1; from !== null;) {
    const page = await peer.governance.chain('village', from);
    genesis = page.genesis;
    raw.push(...page.blocks.map((one) => Buffer.from(fromBase64Url(one))));
    from = page.next;
  }
  const read = decodeGenesis(fromBase64Url(genesis));
  expect(toHex(groupIdOf(nobleCrypto, read))).toBe(id);
  const blocks = async function* () {
    yield* raw;
  };
  const deps = { crypto: nobleCrypto, ballots: createBallotBooth() };
  return { ...(await verifyGovernance(deps, read, blocks())), raw };
}

test('a running group votes by ballots: anybody can count them, each member has one, and nothing that is kept says whose is whose', async () => {
  const disks = [0, 1, 2, 3].map((): Buffer[] => []);
  const made = await village(4, (index) => ({ disk: (store) => recorded(store, disks[index] ?? []) }));
  villages.push(made);
  const { world, at, id: group } = made;
  const all = [0, 1, 2, 3].map(at);
  const openMs = 20_000;
  /** In steps of a millisecond: RSA takes real time in other threads, and half of the vote's time is far more of these than it needs. */
  const until = async (look: () => Promise<boolean>): Promise<void> => {
    for (let step = 0; step < openMs / 2; step += 1) {
      if (await look()) return;
      await world.clock.advance(1);
    }
    throw new Error('never');
  };
  const openOf = async (one: TestPeer) => (await show(one)).proposals[0];

  const id = await propose(world, at(1), { title: 'who leads', secret: true, openMs });
  const choiceOf = (index: number): 'yes' | 'no' => (index === 2 ? 'no' : 'yes');
  await voteAll(world, all, id, choiceOf);
  await until(async () => (await openOf(at(0)))?.issued === 4);
  // What each ballot is made of, from its voter's own disk: this is what a thief would look for.
  const rows = await Promise.all(
    all.map(async ({ store }) => {
      const bytes = await store.room('governance').get(`ballot/${group}/${id}`);
      return JSON.parse(Buffer.from(bytes ?? []).toString()) as BallotRow;
    }),
  );
  const castMs = (await openOf(at(0)))?.castFromMs ?? 0;
  await world.clock.advance(castMs - world.clock.nowMs());
  await until(async () => (await Promise.all(all.map(openOf))).every((one) => one?.yes === 3 && one.no === 1));

  // A ballot that was cast stays as it is, and there is no second one.
  const again = at(2).peer.governance.vote('village', id, 'yes', live());
  await expect(again).rejects.toThrow(code('VOTE_REFUSED', { why: 'VOTED' }));
  const closesMs = (await openOf(at(0)))?.closesMs ?? 0;
  await world.clock.advance(closesMs - world.clock.nowMs());
  await until(async () => (await Promise.all(all.map(show))).every(({ decisions }) => decisions.length === 1));

  const found = await outsider(at(3), group);
  expect(found).toMatchObject({ ok: true, problem: null });
  const tally = { id, yes: 3, no: 1, abstain: 0, electors: 4, isSecret: true, result: 'accepted' };
  expect(found.state.decisions).toMatchObject([tally]);

  const lines = (await at(0).peer.governance.log('village')).lines.filter(({ what }) => what === 'ballot');
  expect(lines.filter(({ refused }) => refused === null)).toHaveLength(4);
  // Who brought it is chance, so it may be its voter at times; that nobody brings its own before another had it is in the test of hops.
  for (const { seed } of rows) {
    const token = createIdentity(nobleCrypto, fromBase64Url(seed)).publicKey;
    const height = found.raw.findIndex((block) => block.includes(Buffer.from(token))) + 1;
    expect(lines.find((line) => line.height === height)).toBeDefined();
  }

  for (const [index, { seed, inverse = '' }] of rows.entries()) {
    const others = [...disks.flatMap((values, place) => (place === index ? [] : values)), ...found.raw];
    expect(disks[index]?.some((value) => value.includes(inverse))).toBe(true);
    for (const secret of [seed, inverse])
      for (const form of [Buffer.from(secret), Buffer.from(fromBase64Url(secret))])
        expect(others.some((value) => value.includes(form))).toBe(false);
  }
  // And its own disk can't say it any more either; nor can the author's, which has no key left.
  for (const { store } of all)
    for (const prefix of ['ballot', 'key'])
      for await (const { key } of store.room('governance').range(`${prefix}/`, `${prefix}0`)) expect.unreachable(key);
}, 60_000);
