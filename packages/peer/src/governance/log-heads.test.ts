import { createIdentity, type Identity, nobleCrypto, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { openLedger, type OwnLedger } from '@peerai/ledger';
import {
  encodeStatement,
  foldBlock,
  type GovernanceState,
  initialState,
  logHeadCodec,
  type LogHeadWord,
  type Said,
  signLogHead,
} from '@peerai/ledger/governance';
import { verifyEquivocation } from '@peerai/ledger/witness';
import { expect, test } from 'vitest';
import { decisionEntry } from '../ledger/decision-statement.ts';
import type { LogLine, RunningGroup } from './group.ts';
import { governanceRoomLimits as limits } from './limits.ts';
import { accuseForks, createGroupLogHeads, type GroupLogHeads } from './log-heads.ts';

const crypto = nobleCrypto;
const never = new AbortController().signal;
const id = 'ab'.repeat(32);
const hourMs = 3_600_000;
const entry = (kind = 'note') => ({ kind, body: utf8('x') });

interface Member {
  readonly identity: Identity;
  readonly ledger: OwnLedger;
  readonly feed: GroupLogHeads;
}
/** What a member does with a question for its word, instead of answering it. */
type Answers = (asked: PeerId, by: PeerId) => Promise<Uint8Array | undefined> | 'as it is';

/** Members of one group without an agreement: what one says is decided at once, and stated in every log as a peer does. */
async function members(count: number, answers: Answers = () => 'as it is', options: { readonly off?: number } = {}) {
  const clock = new ManualClock();
  const identities = Array.from({ length: count }, (_, at) =>
    createIdentity(crypto, new Uint8Array(32).fill(at + 1)),
  ).toSorted((a, b) => (a.peer < b.peer ? -1 : 1));
  const peers = identities.map(({ peer }) => peer);
  let state: GovernanceState = initialState(id, { name: 'x', members: peers });
  const lines: LogLine[] = [];
  const away = new Set<PeerId>();
  const accused: Uint8Array[] = [];
  const ledgers = new Map<PeerId, OwnLedger>();
  const fold = async (author: PeerId, said: Said) => {
    const before = state;
    const height = before.height + 1;
    const body = { author, number: height, ...encodeStatement({ timeMs: clock.nowMs(), said }) };
    const folded = await foldBlock({ crypto, ballots: { verify: async () => false } }, before, {
      header: { height },
      entries: [body],
    });
    state = folded.state;
    const [outcome] = folded.outcomes;
    if (outcome === undefined) throw new Error('no outcome');
    lines.push({ ...outcome, height, blockMs: clock.nowMs(), isEpoch: false });
    accuseForks(
      { crypto, logger: silentLogger, logs: { accuse: async (one: Uint8Array) => accused.push(one) } as never },
      before,
      state,
    );
    for (const ledger of ledgers.values())
      await ledger.append([decisionEntry({ group: id, height, block: '00'.repeat(32) })]).catch(() => undefined);
    return outcome;
  };
  const groupOf = (self: PeerId): RunningGroup =>
    ({
      id,
      state: () => state,
      status: () => ({ isMember: true, ways: new Map() }),
      log: () => lines,
      say: (said: Said) => fold(self, said),
    }) as unknown as RunningGroup;
  const all: Member[] = [];
  for (const [at, identity] of identities.entries()) {
    const ledger = await openLedger({ crypto, clock, identity, store: new MemoryStore().room('ledger') });
    ledgers.set(identity.peer, ledger);
    const feed = createGroupLogHeads({
      identity,
      clock,
      crypto,
      ledger,
      logger: silentLogger,
      isOnline: (peer) => !away.has(peer),
      saysLogHead: options.off !== at,
      stopping: never,
      logs: { saw: async () => undefined },
      async ask(peer) {
        const answer = answers(peer, identity.peer);
        if (answer !== 'as it is') return answer;
        const other = all.find((one) => one.identity.peer === peer);
        const word = await other?.feed.word(groupOf(peer));
        return word && logHeadCodec.encode(word);
      },
    });
    all.push({ identity, ledger, feed });
  }
  return {
    clock,
    all,
    away,
    accused,
    at: (index: number): Member => {
      const found = all[index];
      if (found === undefined) throw new Error('nobody');
      return found;
    },
    state: () => state,
    /** Blocks of heads: whose, each. */
    said: () =>
      lines.flatMap(({ said }) =>
        said?.type === 'log-heads' ? [said.heads.map(({ origin }) => peers.indexOf(origin))] : [],
      ),
    say: (by: number, said: Said) => fold(peers[by] as PeerId, said),
    /** As many looks as a running peer has in this time, but for the hours in which nothing can be due. */
    pass: async (ms: number) => {
      for (let left = ms; left > 0; left -= limits.turnMs) {
        await clock.advance(Math.min(left, limits.turnMs));
        for (const { feed, identity } of all) {
          feed.look(groupOf(identity.peer));
          await clock.advance(0);
        }
      }
      for (let step = 0; step < 4; step += 1) await clock.advance(0);
    },
  };
}

test('several members’ heads go into one block, an hour apart, and a group at rest makes no more of them', async () => {
  const { at, pass, said, state } = await members(4);
  for (const index of [0, 2, 3]) await at(index).ledger.append([entry(), entry()]);
  await pass(2 * hourMs - limits.turnMs);
  expect(said()).toEqual([]);
  await pass(6 * limits.turnMs);
  expect(said()).toHaveLength(1);
  expect(said()[0]?.toSorted((a, b) => a - b)).toEqual([0, 2, 3]);
  const held = state().logHeads.heads;
  expect(held.get(at(0).identity.peer)).toMatchObject({ size: 2n, height: 1 });
  // That this block was decided is in all logs now, which is no news.
  await pass(3 * hourMs);
  expect(said()).toHaveLength(1);
  await at(1).ledger.append([entry()]);
  await at(0).ledger.append([entry()]);
  await pass(5 * limits.turnMs);
  expect(said()).toHaveLength(2);
  await at(1).ledger.append([entry()]);
  await pass(hourMs - 6 * limits.turnMs);
  expect(said()).toHaveLength(2);
  await pass(12 * limits.turnMs);
  expect(said()).toHaveLength(3);
});

test('what stands elsewhere already is said from the limit on, not before', async () => {
  const { at, pass, said } = await members(1);
  const decided = Array.from({ length: limits.quietEntriesMax - 1 }, (_, height) =>
    decisionEntry({ group: id, height: height + 1, block: '00'.repeat(32) }),
  );
  await at(0).ledger.append(decided);
  await pass(2 * hourMs + 60_000);
  expect(said()).toEqual([]);
  await at(0).ledger.append(decided.slice(0, 1));
  await pass(2 * hourMs + 60_000);
  expect(said()).toEqual([[0]]);
});

test('who is switched off says nothing and is asked in vain; a group that wants no heads has none', async () => {
  const { at, pass, said, say, state, all } = await members(2, undefined, { off: 1 });
  for (const { ledger } of all) await ledger.append([entry()]);
  await pass(3 * hourMs);
  expect(said()).toEqual([[0]]);
  const group = { id, state: () => ({ policy: { 'log-heads.every_minutes': 60 } }) } as never;
  expect(at(1).feed.problem(group)).toBe('off');
  const action = { type: 'policy', name: 'log-heads.every_minutes', value: 0 } as const;
  await say(0, { type: 'proposal', proposal: { title: 'none', text: '', action, openMs: 60_000 } });
  const [on = ''] = state().proposals.keys();
  for (const by of [0, 1]) await say(by, { type: 'vote', on, choice: 'yes' });
  await say(0, { type: 'close', on });
  expect(state().policy['log-heads.every_minutes']).toBe(0);
  await at(0).ledger.append([entry()]);
  await pass(3 * hourMs);
  expect(said()).toEqual([[0]]);
});

/** A word that its log's own key signed for what is not so. */
async function lieOf(identity: Identity, from: number, size: number): Promise<Uint8Array> {
  const ledger = await openLedger({ crypto, clock: new ManualClock(), identity, store: new MemoryStore().room('x') });
  await ledger.append(Array.from({ length: size }, () => entry('lie')));
  const { note } = await ledger.checkpoint();
  const path = from > 0 && from < size ? await ledger.proveConsistency(BigInt(from), BigInt(size)) : [];
  const word: LogHeadWord = signLogHead({ crypto, identity }, id, { note, from: BigInt(from), path });
  return logHeadCodec.encode(word);
}

test('a member that tells another history is named, once, and the others’ heads go on; one that forked at one size is proven', async () => {
  let lie: Uint8Array | undefined;
  const world = await members(4, (asked) => (asked === liar && lie !== undefined ? Promise.resolve(lie) : 'as it is'));
  const { at, pass, said, state, accused } = world;
  const liar: PeerId = at(3).identity.peer;
  for (const { ledger } of world.all) await ledger.append([entry(), entry()]);
  await pass(2 * hourMs + 30_000);
  expect(said().map((heads) => heads.toSorted((a, b) => a - b))).toEqual([[0, 1, 2, 3]]);
  const size = Number(state().logHeads.heads.get(liar)?.size);
  const held = state().logHeads.heads.get(liar);
  // Its own program would say the truth; what it is asked for is the lie.
  for (const [kind, from, to] of [
    ['rollback', size, size - 1],
    ['inconsistent', size, size + 3],
    ['forked', size, size],
  ] as const) {
    lie = await lieOf(at(3).identity, from, to);
    await at(0).ledger.append([entry()]);
    await pass(hourMs + 30_000);
    expect(state().logHeads.faults.at(-1)).toMatchObject({ origin: liar, kind, said: { size: BigInt(to) } });
    // Told again it is passed over: no block for it.
    await pass(hourMs + 30_000);
  }
  expect(state().logHeads.faults).toHaveLength(3);
  expect(state().logHeads.heads.get(liar)).toEqual(held);
  expect(state().logHeads.heads.get(at(0).identity.peer)?.size).toBeGreaterThan(2n);
  expect(accused.map((one) => verifyEquivocation(crypto, one))).toMatchObject([{ origin: liar, kind: 'size' }]);
});

test('who is silent, answers with noise or in another’s name does no harm', async () => {
  const noise = seededRandom(3);
  const world = await members(4, (asked) => {
    if (asked === world.at(1).identity.peer) return Promise.reject(new PeerAiError('TIMEOUT', 'silent'));
    if (asked === world.at(2).identity.peer) return Promise.resolve(noise.bytes(300));
    return asked === world.at(3).identity.peer ? lieOf(world.at(0).identity, 0, 1) : 'as it is';
  });
  await world.at(0).ledger.append([entry()]);
  await world.pass(2 * hourMs + 30_000);
  expect(world.said()).toEqual([[0]]);
  expect(world.state().logHeads.faults).toEqual([]);
});

test('who is left out of what others bring brings its own after twice the time; without a quorum nobody does', async () => {
  const world = await members(4, (asked, by) =>
    by === world.at(0).identity.peer && asked !== by ? Promise.resolve(undefined) : 'as it is',
  );
  const { at, pass, said, away, clock } = world;
  for (const one of world.all.slice(2)) away.add(one.identity.peer);
  await at(1).ledger.append([entry()]);
  await pass(3 * hourMs);
  expect(said()).toEqual([]);
  away.clear();
  await pass(60_000);
  expect(said()).toEqual([[1]]);
  // The liar says something of its own each hour, before anybody's turn, and so the hour begins again for all.
  await at(1).ledger.append([entry()]);
  const startMs = clock.elapsedMs();
  while (said().filter((heads) => heads.includes(1)).length < 2 && clock.elapsedMs() - startMs < 3 * hourMs) {
    await at(0).ledger.append([entry()]);
    const word = await at(0).feed.word({ id, state: world.state } as RunningGroup);
    if (word !== undefined) await world.say(0, { type: 'log-heads', heads: [word] });
    await pass(hourMs / 2);
  }
  expect(said().filter((heads) => heads.includes(1))).toHaveLength(2);
  expect(clock.elapsedMs() - startMs).toBeLessThan(3 * hourMs);
});

test('a log that was put back as it was before sees in the chain what it lacks, and says nothing', async () => {
  const { at, pass, said, state, clock } = await members(1);
  await at(0).ledger.append([entry(), entry()]);
  await pass(2 * hourMs + 30_000);
  expect(said()).toEqual([[0]]);
  const { identity } = at(0);
  const older = await openLedger({ crypto, clock, identity, store: new MemoryStore().room('older') });
  await older.append([entry()]);
  const seen: string[] = [];
  const feed = createGroupLogHeads({
    identity,
    clock,
    crypto,
    ledger: older,
    logger: silentLogger,
    isOnline: () => true,
    saysLogHead: true,
    stopping: never,
    logs: { saw: async (note) => void seen.push(note) },
    ask: async () => undefined,
  });
  const group = { id, state, status: () => ({ isMember: true }), log: () => [] } as unknown as RunningGroup;
  expect(feed.problem(group)).toBe('behind');
  feed.look(group);
  await clock.advance(0);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatch(new RegExp(`^${identity.peer}\n2\n`, 'u'));
  expect(await feed.word(group)).toBeUndefined();
  // Its owner goes on without them: another history, of which the chain is told nothing.
  await older.append([entry('other'), entry('other')]);
  expect(await feed.word(group)).toBeUndefined();
  expect(feed.problem(group)).toBe('other-history');
});
