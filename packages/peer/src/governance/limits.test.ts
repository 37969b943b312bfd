import {
  type Channel,
  createIdentity,
  type Link,
  type Network,
  PeerAiError,
  type PeerId,
  toBase64Url,
  toHex,
} from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryStore, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { agreementLimits, createAgreement, encodeGenesis, type Genesis, groupIdOf } from '@peerai/ledger/agreement';
import type { Outcome, Said } from '@peerai/ledger/governance';
import { expect, test } from 'vitest';
import { testWorld } from '../testing/peers.ts';
import { live } from '../testing/steps.ts';
import { village } from '../testing/village.ts';
import { createDuties } from './duties.ts';
import { governanceProposeSchema } from './governance.schema.ts';
import { agreementProtocol, lineFrame } from './governance-protocol.ts';
import { type GroupDeps, type RunningGroup, runGroup } from './group.ts';
import { createKeptOutcomes } from './kept-outcomes.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { createLines } from './lines.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

test('a peer is in as many groups as the limit allows; one more is refused, made or invited to, until it leaves one', async () => {
  const world = testWorld();
  const { peer } = await world.peer('p0', { engine: false });
  // Its room is loaded: that takes real time, of which the test's clock knows nothing.
  await peer.governance.list();
  for (let count = 0; count < limits.groupsMax; count += 1)
    await world.clock.until(peer.governance.create(`group ${count}`, []));
  await expect(world.clock.until(peer.governance.create('one more', []))).rejects.toThrow(code('LIMIT_REACHED'));
  await peer.governance.leave('group 3');
  await world.clock.until(peer.governance.create('one more', []));
  expect((await peer.governance.list()).groups).toHaveLength(limits.groupsMax);
  await peer.stop();
});

test('a page of the chain has as many blocks as the limit allows, and names the next when there is one', async () => {
  const made = await village(1);
  const { governance } = made.at(0).peer;
  const wish = governanceProposeSchema.parse({ title: 'x', action: { type: 'text' } });
  // What the group refuses, as too many are open, is in the chain too.
  const say = () => made.world.clock.until(governance.propose('village', wish, live()).catch(() => undefined));
  const heightOf = async () => (await governance.show('village')).group.height;
  while ((await heightOf()) < limits.blocksPageMax - 1) await say();
  const before = await governance.chain('village', 1);
  expect([before.blocks.length, before.next]).toEqual([limits.blocksPageMax - 1, null]);
  while ((await heightOf()) < limits.blocksPageMax + 1) await say();
  const page = await governance.chain('village', 1);
  expect([page.blocks.length, page.next]).toEqual([limits.blocksPageMax, limits.blocksPageMax + 1]);
  expect((await governance.chain('village', limits.blocksPageMax + 1)).blocks.length).toBeGreaterThan(0);
  await made.stop();
});

test('as many messages wait for a member’s channel as the limit allows; then the oldest goes', async () => {
  const sent: number[] = [];
  const opening = Promise.withResolvers<Channel>();
  const stopping = new AbortController();
  const network: Pick<Network, 'open' | 'self'> = { self: 'me' as PeerId, open: () => opening.promise };
  const lines = createLines({ network, clock: new ManualClock(), stopping: stopping.signal }, agreementProtocol);
  const link = lines.link('ab'.repeat(32));
  for (let count = 0; count < limits.lineWaitingMax + 1; count += 1)
    link.send('other' as PeerId, Uint8Array.of(count >> 8, count & 255));
  const channel: Channel = {
    link: { peer: 'other' as PeerId, address: '', path: 'direct', direction: 'out', state: 'up' } as unknown as Link,
    async *[Symbol.asyncIterator]() {
      yield* [];
    },
    signal: stopping.signal,
    async send(bytes: Uint8Array) {
      const { group, message } = lineFrame.decode(bytes);
      expect(toHex(group)).toBe('ab'.repeat(32));
      sent.push(((message[0] ?? 0) << 8) | (message[1] ?? 0));
    },
    close: async () => undefined,
  };
  opening.resolve(channel);
  for (let turn = 0; turn < 2 * limits.lineWaitingMax; turn += 1) await Promise.resolve();
  stopping.abort();
  expect(sent.length).toBe(limits.lineWaitingMax);
  expect([sent[0], sent.at(-1)]).toEqual([1, limits.lineWaitingMax]);
});

test('a channel to a member opens in time or not; who was not reached is left alone, twice as long each time, until it says hello', async () => {
  const clock = new ManualClock();
  const opened: number[] = [];
  let isSilent = true;
  const open = (_peer: PeerId, _protocol: unknown, { signal }: { readonly signal: AbortSignal }) => {
    opened.push(clock.elapsedMs());
    return new Promise<Channel>((_, reject) => {
      const away = () => reject(new PeerAiError('PEER_UNREACHABLE', 'away'));
      if (isSilent) signal.addEventListener('abort', away);
      else away();
    });
  };
  const network = { self: 'me' as PeerId, open } as Pick<Network, 'open' | 'self'>;
  const lines = createLines({ network, clock, stopping: live() }, agreementProtocol);
  const other = 'other' as PeerId;
  const link = lines.link('ab'.repeat(32));
  const say = async (): Promise<number> => {
    link.send(other, Uint8Array.of(1));
    await clock.advance(0);
    return opened.length;
  };
  expect(await say()).toBe(1);
  await clock.advance(limits.lineOpenMs - 1);
  await say();
  expect(opened).toHaveLength(1);
  await clock.advance(1);
  isSilent = false;
  const doubled = Array.from({ length: 6 }, (_, times) => limits.lineRetryMs * 2 ** times);
  expect(doubled.at(-1)).toBeLessThan(limits.lineRetryMsMax);
  for (const waitMs of [...doubled, limits.lineRetryMsMax, limits.lineRetryMsMax]) {
    const before = opened.length;
    await clock.advance(waitMs - 1);
    expect(await say()).toBe(before);
    await clock.advance(1);
    expect(await say()).toBe(before + 1);
  }
  lines.met(other);
  const before = opened.length;
  expect(await say()).toBe(before + 1);
  await clock.advance(limits.lineRetryMs);
  expect(await say()).toBe(before + 2);
});

/** A group of this peer and others that say nothing; so many entries are in its chain from before. */
async function groupWith(silent: number, before = 0) {
  const identities = Array.from({ length: 1 + silent }, (_, seed) =>
    createIdentity(nodeCrypto, seededRandom(seed + 1).bytes(32)),
  );
  const [identity] = identities;
  if (identity === undefined) throw new Error('nobody');
  const [clock, store, crypto, logger] = [new ManualClock(), new MemoryStore(), nodeCrypto, silentLogger];
  const members = identities.map(({ peer }) => peer);
  const genesis: Genesis = { version: 1, name: 'quiet', members, nonce: new Uint8Array(16) };
  const nothing = () => undefined;
  const link = { send: nothing, broadcast: nothing, receive: () => nothing };
  const room = store.room(`agreement-${toHex(groupIdOf(crypto, genesis)).slice(0, 32)}`);
  const chain = await createAgreement({ store: room, crypto, identity, clock, link, judge: () => true }, { genesis });
  await chain.start();
  for (let left = before; left > 0; left -= agreementLimits.pendingPerAuthorMax) {
    const count = Math.min(left, agreementLimits.pendingPerAuthorMax);
    const payloads = Array.from({ length: count }, () => ({ kind: 'note', body: Uint8Array.of(1) }));
    await clock.until(chain.proposeAll(payloads, live()));
  }
  await chain.stop();
  const deps = {
    identity,
    clock,
    crypto,
    random: seededRandom(3),
    logger,
    store,
    link: () => link,
    changed: nothing,
    decided: async () => undefined,
    ended: async () => undefined,
  } as unknown as GroupDeps;
  return { clock, group: await runGroup(deps, toBase64Url(encodeGenesis(genesis))) };
}
const proposal = (title: string): Said => ({
  type: 'proposal',
  proposal: { title, text: '', action: { type: 'text' }, openMs: 60_000 },
});

test('so many lines of a group’s log are at hand, the newest', async () => {
  const { clock, group } = await groupWith(0, limits.logKept - 1);
  const say = () => clock.until(group.say(proposal('x'), live()));
  await say();
  expect(group.log()).toHaveLength(limits.logKept);
  const second = group.log()[1];
  await say();
  expect(group.log()).toHaveLength(limits.logKept);
  expect(group.log()[0]).toBe(second);
  await group.stop();
});

test('a decision is waited for as long as the limit says', async () => {
  const { clock, group } = await groupWith(3);
  let ended: unknown;
  group.say(proposal('x'), live()).catch((error: unknown) => (ended = error));
  await clock.advance(limits.decideMs - 1);
  expect(ended).toBeUndefined();
  await clock.advance(1);
  expect(ended).toEqual(code('NO_DECISION'));
  await group.stop();
});

test('what became of the entries is kept for so many blocks, the newest', () => {
  const kept = createKeptOutcomes();
  const outcome = (height: number) => ({ on: `${height}` }) as unknown as Outcome;
  for (let height = 1; height <= limits.outcomesKept; height += 1) kept.take(height, [outcome(height)]);
  expect([kept.at(1, 0), kept.at(1, 1)]).toEqual([outcome(1), undefined]);
  kept.take(limits.outcomesKept + 1, [outcome(limits.outcomesKept + 1)]);
  expect([1, 2, limits.outcomesKept + 1].map((height) => kept.at(height, 0))).toEqual([
    undefined,
    outcome(2),
    outcome(limits.outcomesKept + 1),
  ]);
});

test('members decide on who said yes as long as on any proposal that says no time', () => {
  const plain = governanceProposeSchema.parse({ title: 'x', action: { type: 'text' } });
  expect(plain.openMs).toBe(limits.memberOpenMs);
});

test('a vote that is over is closed at the next look, `lookMs` after the last one', async () => {
  const made = await village(1);
  const { clock } = made.world;
  const decided = async () => (await made.at(0).peer.governance.show('village')).decisions.length;
  // A look is at each whole multiple of `lookMs` since the room was opened: at which time that was, a first vote tells.
  const say = async (openMs: number) => {
    const action = { type: 'text' } as const;
    const wish = governanceProposeSchema.parse({ title: 'x', action, openMs });
    await clock.until(made.at(0).peer.governance.propose('village', wish, live()));
  };
  const closes = async (before: number, msMax: number): Promise<number> => {
    for (let ms = 0; ms <= msMax; ms += 1) {
      if ((await decided()) > before) return ms;
      await clock.advance(1);
    }
    throw new Error('it was not closed');
  };
  await say(1_000);
  await clock.advance(999);
  await closes(0, limits.lookMs + 1);
  // This is a look: what ends a millisecond after the next one waits for the one after that.
  await say(1_000 + 1);
  await clock.advance(1_000);
  expect(await closes(1, limits.lookMs + 1)).toBe(limits.lookMs);
  await made.stop();
});

test('the second member in turn does what the first left undone, a turn later', async () => {
  const clock = new ManualClock();
  const identity = createIdentity(nodeCrypto, seededRandom(1).bytes(32));
  const said: number[] = [];
  const id = '00'.repeat(32);
  const open = { id, closesMs: 1, electors: [], votes: new Map(), secret: undefined };
  const state = {
    members: ['another', identity.peer],
    nextMembers: undefined,
    epoch: 0,
    timeMs: 1,
    clocks: new Map(),
    proposals: new Map([[id, open]]),
  };
  const group = {
    id: 'ab'.repeat(32),
    state: () => state,
    status: () => ({ isMember: true }),
    say: async () => void said.push(clock.elapsedMs()),
  } as unknown as RunningGroup;
  const deps = { identity, clock, crypto: nodeCrypto, store: new MemoryStore(), logger: silentLogger };
  const duties = createDuties(deps as unknown as Parameters<typeof createDuties>[0], live());
  for (const [ms, times] of [
    [0, 0],
    [limits.turnMs - 1, 0],
    [1, 1],
  ] as const) {
    await clock.advance(ms);
    duties.look(group);
    await clock.advance(0);
    expect(said).toHaveLength(times);
  }
});
