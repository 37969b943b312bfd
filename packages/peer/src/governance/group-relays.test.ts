import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { memoryWorld, seededRandom } from '@peerai/core-protocol/testing';
import { createMailboxKeeper, mailboxLimits } from '@peerai/messaging/mailbox';
import { afterEach, expect, test } from 'vitest';
import { type PeerOptions, testWorld } from '../testing/peers.ts';
import { until } from '../testing/steps.ts';
import { propose, show, type Village, village, voteAll } from '../testing/village.ts';

const villages: Village[] = [];
afterEach(async () => {
  for (const one of villages.splice(0)) await one.stop();
});
const addressOf = (seed: number): string =>
  `/dns4/relay${seed}.example/tcp/4100/p2p/${createIdentity(nobleCrypto, seededRandom(seed).bytes(32)).peer}`;
const first = addressOf(901);
const second = addressOf(902);

/** What a member's node was told to use; it keeps what it can. */
function node(canKeep: (address: string) => boolean = () => true) {
  const calls: (readonly string[])[] = [];
  const useRelays = (addresses: readonly string[]) => {
    calls.push(addresses);
    return addresses.map((address) => ({
      address,
      ...(canKeep(address) ? {} : { leftOut: 'TOO_MANY_RELAYS' as const }),
    }));
  };
  return { calls, useRelays };
}
async function decide(options: readonly PeerOptions[], addresses: string[]): Promise<Village> {
  const made = await village(options.length, (index) => options[index] ?? {});
  villages.push(made);
  await vote(made, options.length, addresses, 1);
  return made;
}
async function vote(made: Village, count: number, addresses: string[], decisions: number): Promise<void> {
  const { world, at } = made;
  const all = Array.from({ length: count }, (_, index) => at(index));
  const id = await propose(world, at(0), { action: { type: 'relays', addresses } });
  // Two yes of three can't be turned by the third.
  await voteAll(world, all.slice(0, 2), id);
  for (const one of all) await until(world.clock, async () => (await show(one)).decisions.length === decisions);
}

test('relays that a group decides are used by every member once, but by one that only shows them', async () => {
  const nodes = [node(), node((address) => address === first), node()] as const;
  const shows = { useRelays: nodes[2].useRelays, settings: { groupRelays: 'show' } } as const;
  const made = await decide([nodes[0], nodes[1], shows], [first, second]);
  const { world, at } = made;
  // A decision can be seen a moment before it is carried out.
  await until(world.clock, async () => nodes[0].calls.length + nodes[1].calls.length === 2);
  expect(nodes.map(({ calls }) => calls)).toEqual([[[first, second]], [[first, second]], []]);
  const [all, some, none] = await Promise.all([0, 1, 2].map(async (index) => (await show(at(index))).relays));
  expect(all).toMatchObject({ addresses: [first, second], mode: 'follow', used: [first, second], command: null });
  const codes = (view: typeof all) => view?.reasons.map(({ address, code }) => [address, code]);
  expect(codes(all)).toEqual([
    [first, 'RELAY_AWAY'],
    [second, 'RELAY_AWAY'],
  ]);
  expect(codes(some)).toEqual([
    [first, 'RELAY_AWAY'],
    [second, 'TOO_MANY_RELAYS'],
  ]);
  expect(codes(none)).toEqual([
    [first, 'RELAYS_SHOWN_ONLY'],
    [second, 'RELAYS_SHOWN_ONLY'],
  ]);
  expect(some).toMatchObject({ mode: 'follow', used: [first], command: null });
  expect(none).toMatchObject({ mode: 'show', used: [], command: expect.stringContaining('config set network.relays') });
  expect(at(1).peer.paths.net().relays).toMatchObject([{ address: first, from: 'group', state: 'unreachable' }]);
  expect(at(2).peer.paths.net().relays).toEqual([]);

  // What has nothing to do with relays calls nobody again.
  const id = await propose(world, at(0));
  await voteAll(world, [at(0), at(1)], id);
  await until(world.clock, async () => (await show(at(0))).decisions.length === 2);

  // Who comes back uses them at once, and nothing of what was decided before.
  await vote(made, 3, [second], 3);
  await until(world.clock, async () => nodes[0].calls.length > 1);
  expect(nodes[0].calls).toEqual([[first, second], [second]]);
  const store = world.kill(at(0));
  const again = node();
  const { peer } = await made.peer('p0', { seed: 1, store, engine: false, useRelays: again.useRelays });
  expect(again.calls).toEqual([[second]]);
  await world.clock.until(peer.governance.leave('village'));
  expect(again.calls).toEqual([[second], []]);
  expect(peer.paths.net().relays).toEqual([]);
}, 30_000);

test('letters for a member lie at a relay that its group has named, until a later decision drops it', async () => {
  const world = testWorld();
  const relay = memoryWorld({ seed: 90, clock: world.clock, networks: world.networks });
  const keeper = await createMailboxKeeper(relay);
  const address = `/memory/0/p2p/${relay.identity.peer}`;
  const nodes = [node(), node()] as const;
  const made = await village(2, (index) => ({ useRelays: nodes[index]?.useRelays ?? node().useRelays }), world);
  villages.push(made);
  const boxes = async (): Promise<readonly number[]> =>
    Promise.all([0, 1].map(async (index) => (await made.at(index).peer.messages.counts()).mailboxes));
  await vote(made, 2, [address], 1);
  await world.clock.advance(mailboxLimits.lookEveryMs);
  expect([keeper.stats().registrations, await boxes()]).toEqual([2, [1, 1]]);
  await vote(made, 2, [], 2);
  expect(await boxes()).toEqual([0, 0]);
}, 30_000);

test('own relays stay first and are not named again; a peer whose node takes none says so', async () => {
  const own = node();
  const settings = { relays: [second] };
  const { world, at } = await decide([{}, { useRelays: own.useRelays, settings }], [second, first]);
  await until(world.clock, async () => own.calls.length > 0);
  expect(own.calls).toEqual([[first]]);
  expect(at(1).peer.paths.net().relays).toMatchObject([
    { address: second, from: 'settings' },
    { address: first, from: 'group' },
  ]);
  expect((await show(at(1))).relays).toMatchObject({ used: [second, first], command: null });
  const unable = [second, first].map((address) => expect.objectContaining({ address, code: 'RELAYS_UNABLE' }));
  const shown = (await show(at(0))).relays;
  expect(shown).toMatchObject({ mode: 'unable', used: [], reasons: unable, command: expect.any(String) });
}, 30_000);
