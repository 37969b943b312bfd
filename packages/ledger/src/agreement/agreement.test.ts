import { fromUtf8, type PeerId, toHex } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { createGroup, identityOf, never, payload } from '../../test/members.ts';
import { all, crypto } from '../../test/world.ts';
import {
  type Agreement,
  agreementLimits as limits,
  epochKind,
  leaderOf,
  membersPayload,
  verifyEvidence,
} from './index.ts';
import { decodeBlock } from './block.ts';
import { firstEpoch } from './epoch.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { statementKey } from './rows.ts';
import { decodeStatement } from './statement.ts';

const running: Agreement[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
async function started(count: number, options = {}) {
  const group = createGroup(count, options);
  const members = await group.all();
  running.push(...members.map(({ agreement }) => agreement));
  return { ...group, group, members, until: group.clock.until.bind(group.clock) };
}
const code = (expected: string) => expect.objectContaining({ code: expected });
const heads = (members: readonly { readonly agreement: Agreement }[]): Set<string> =>
  new Set(members.map(({ agreement }) => `${agreement.status().height} ${toHex(agreement.status().head)}`));
/** What the chain says so far. */
const texts = async (agreement: Agreement): Promise<string[]> =>
  (await all(agreement.blocks(1, Infinity))).flatMap((bytes) =>
    decodeBlock(crypto, bytes).entries.map(({ body }) => fromUtf8(body)),
  );
const at = <T>(list: readonly T[], place: number): T => list.at(place) as T;

describe('four members', () => {
  test('decide the same block in three hops, and rest when nobody wants anything', async () => {
    const { members, clock, until, group } = await started(4);
    const startMs = clock.elapsedMs();
    const { block, index } = await until(at(members, 0).agreement.propose(payload('hello'), never));
    expect(clock.elapsedMs() - startMs).toBeLessThanOrEqual(40);
    expect([block.header.height, index]).toEqual([1, 0]);
    await clock.advance(1_000);
    expect(heads(members)).toEqual(new Set([`1 ${toHex(block.hash)}`]));
    const { sent } = group;
    await clock.advance(10_000);
    expect(group.sent).toBe(sent);
    expect(members.map(({ agreement }) => agreement.status().view)).toEqual([1, 1, 1, 1]);
  });

  test('vote a silent leader out, and keep each author’s order', async () => {
    const { members, clock, until, group } = await started(4);
    const silent = at(members, 0).agreement.status().leader;
    group.loses = (from) => from === silent;
    const author = members.find(({ identity }) => identity.peer !== silent)!.agreement;
    const startMs = clock.elapsedMs();
    const [first, second] = await until(
      Promise.all([author.propose(payload('first'), never), author.propose(payload('second'), never)]),
    );
    expect(first.block.certificate.view).toBeGreaterThan(1);
    expect(clock.elapsedMs() - startMs).toBeLessThan(limits.viewTimeoutMs + 500);
    expect(second.block.header.height).toBeGreaterThanOrEqual(first.block.header.height);
    expect(await texts(author)).toEqual(['first', 'second']);
  });

  test('decide though every second message is lost', async () => {
    const { members, until, group, clock } = await started(4);
    let count = 0;
    group.loses = () => (count += 1) % 2 === 0;
    await until(Promise.all(members.map(({ agreement }, place) => agreement.propose(payload(`${place}`), never))));
    group.loses = () => false;
    await clock.advance(limits.idleMs);
    expect(heads(members).size).toBe(1);
  });

  test('do nothing without a quorum, and go on when it is back', async () => {
    const { members, until, group, clock } = await started(4);
    const away = new Set(members.slice(2).map(({ identity }) => identity.peer));
    group.loses = (from, to) => away.has(from) !== away.has(to);
    const stop = new AbortController();
    const hopeless = at(members, 0).agreement.propose(payload('later'), stop.signal);
    await clock.advance(30_000);
    expect(heads(members)).toEqual(new Set([`0 ${toHex(at(members, 0).agreement.group)}`]));
    expect(at(members, 0).agreement.status().view).toBe(1);
    stop.abort();
    await expect(hopeless).rejects.toThrow(code('ABORTED'));
    group.loses = () => false;
    await until(at(members, 3).agreement.propose(payload('now'), never));
    await clock.advance(limits.idleMs);
    expect(heads(members).size).toBe(1);
    expect((await texts(at(members, 3).agreement)).toSorted()).toEqual(['later', 'now']);
  });

  test('leave out what one of them is against, and what most are against never comes', async () => {
    const group = createGroup(4);
    const members = await Promise.all(
      group.identities.map((identity, place) =>
        group.join(identity, { judge: ({ kind }) => kind !== 'taxes' || place === 0 }),
      ),
    );
    for (const { agreement } of members) await group.clock.until(agreement.start());
    running.push(...members.map(({ agreement }) => agreement));
    const [first, second] = [at(members, 0).agreement, at(members, 1).agreement];
    await expect(second.propose({ ...payload('pay'), kind: 'taxes' }, never)).rejects.toThrow(code('REFUSED'));
    const stop = new AbortController();
    const taxes = first.propose({ ...payload('pay'), kind: 'taxes' }, stop.signal);
    const { block } = await group.clock.until(second.propose(payload('other'), never));
    expect(block.entries.map(({ kind }) => kind)).toEqual(['note']);
    stop.abort();
    await expect(taxes).rejects.toThrow(code('ABORTED'));
  });
});

describe('a member', () => {
  test(
    'that was away gets more blocks than one answer holds, each checked, and then takes part',
    { timeout: 60_000 },
    async () => {
      const { members, until, group, clock } = await started(4);
      const late = at(members, 3);
      group.loses = (from, to) => from === late.identity.peer || to === late.identity.peer;
      const count = limits.blocksPerMessageMax + 2;
      for (let height = 1; height <= count; height += 1)
        await until(at(members, height % 3).agreement.propose(payload(`${height}`), never));
      expect(late.agreement.status().height).toBe(0);
      group.loses = () => false;
      await clock.advance(2 * limits.idleMs);
      expect(heads(members).size).toBe(1);
      const { block } = await until(late.agreement.propose(payload('here again'), never));
      expect(block.header.height).toBeGreaterThanOrEqual(count);
    },
  );

  test('that restarts says nothing else than before, and goes on where it was', async () => {
    const { members, until, group, clock } = await started(4);
    await until(at(members, 0).agreement.propose(payload('one'), never));
    const one = at(members, 0);
    group.loses = (from, to) => from !== one.identity.peer && to !== one.identity.peer;
    void one.agreement.propose(payload('two'), never).catch(() => undefined);
    await clock.advance(100);
    const rows = await all(one.store.range('s/', 's0'));
    expect(rows.length).toBeGreaterThan(0);
    await one.agreement.stop();
    const again = await one.open();
    running.push(again);
    const said: string[] = [];
    group.loses = (from, _, bytes) => {
      if (from === one.identity.peer) said.push(...decodeMessage(bytes).votes.map(toHex));
      return false;
    };
    await until(again.start());
    await clock.advance(1);
    for (const { key, value } of rows.filter(({ key }) => !key.endsWith('propose')))
      expect(said, key).toContain(toHex(value));
    const { block } = await until(again.propose(payload('three'), never));
    await clock.advance(1_000);
    expect(block.header.height).toBeGreaterThanOrEqual(2);
    expect(members.flatMap(({ lies }) => lies)).toEqual([]);
  });

  test('sends nothing that is not on its disk, and stops when the disk is broken', async () => {
    const { members, group, clock } = await started(4);
    const leader = members.find(({ identity, agreement }) => agreement.status().leader === identity.peer)!;
    // Others may tell each other that they hear each other.
    let sent = 0;
    group.loses = (from) => {
      sent += from === leader.identity.peer ? 1 : 0;
      return false;
    };
    leader.store.failNextCommit('STORE_BROKEN');
    await expect(leader.agreement.propose(payload('lost'), never)).rejects.toThrow(code('STORE_BROKEN'));
    await clock.advance(1_000);
    expect(sent).toBe(0);
    await expect(leader.agreement.propose(payload('more'), never)).rejects.toThrow(code('ABORTED'));
    await expect(leader.agreement.start()).rejects.toThrow(code('STORE_BROKEN'));
  });

  test('comes and goes by the group’s own decision: the next block is decided by the new ones', async () => {
    const group = createGroup(4);
    const newcomer = identityOf(99);
    const members = await Promise.all(group.identities.map((identity) => group.join(identity)));
    const fifth = await group.join(newcomer);
    running.push(fifth.agreement, ...members.map(({ agreement }) => agreement));
    for (const { agreement } of [...members, fifth]) await group.clock.until(agreement.start());
    await expect(fifth.agreement.propose(payload('me'), never)).rejects.toThrow(code('REFUSED'));
    const [leaving, staying] = [at(members, 3), at(members, 0)];
    const next = [...members.slice(0, 3).map(({ identity }) => identity.peer), newcomer.peer];
    const { block } = await group.clock.until(staying.agreement.propose(membersPayload(next), never));
    expect(block.entries.map(({ kind }) => kind)).toEqual([epochKind]);
    await group.clock.advance(limits.idleMs);
    expect(fifth.agreement.status()).toMatchObject({ isMember: true, height: 1, epoch: { number: 1, fromHeight: 2 } });
    expect(leaving.agreement.status().isMember).toBe(false);
    await expect(leaving.agreement.propose(payload('still me'), never)).rejects.toThrow(code('REFUSED'));
    const decision = await group.clock.until(fifth.agreement.propose(payload('hello'), never));
    expect([decision.block.header.height, decision.block.header.epoch]).toEqual([2, 1]);
    await expect(staying.agreement.propose({ kind: epochKind, body: new Uint8Array(3) }, never)).rejects.toThrow(
      code('INVALID_FORMAT'),
    );
  });

  test('takes as much as a block holds, and nothing above', async () => {
    const { members, until } = await started(1);
    const [{ agreement }] = members as [(typeof members)[0]];
    const of = (bytes: number) => ({ kind: 'k', body: new Uint8Array(bytes) });
    await until(agreement.propose(of(limits.entryBodyBytesMax), never));
    for (const [wrong, expected] of [
      [of(limits.entryBodyBytesMax + 1), 'LIMIT_EXCEEDED'],
      [{ kind: 'k'.repeat(limits.entryKindBytesMax + 1), body: new Uint8Array() }, 'LIMIT_EXCEEDED'],
      [{ kind: '', body: new Uint8Array() }, 'INVALID_FORMAT'],
    ] as const)
      await expect(agreement.propose(wrong, never)).rejects.toThrow(code(expected));
    await until(agreement.propose({ kind: 'k'.repeat(limits.entryKindBytesMax), body: new Uint8Array() }, never));
    const many = Array.from({ length: limits.pendingPerAuthorMax }, () => payload('x'));
    const decisions = await until(agreement.proposeAll(many, never));
    expect(new Set(decisions.map(({ block }) => block.header.height)).size).toBe(1);
    await expect(agreement.proposeAll([...many, payload('x')], never)).rejects.toThrow(code('LIMIT_EXCEEDED'));
    const large = Array.from({ length: 8 }, () => of(limits.entryBodyBytesMax));
    await expect(agreement.proposeAll(large, never)).rejects.toThrow(code('LIMIT_EXCEEDED'));
    await until(agreement.proposeAll(large.slice(1), never));
  });

  test('lets so many of its entries wait', async () => {
    const { members, group } = await started(4);
    group.loses = () => true;
    const { agreement } = at(members, 1);
    const stop = new AbortController();
    const many = Array.from({ length: limits.pendingPerAuthorMax }, () => payload('x'));
    const waiting = agreement.proposeAll(many, stop.signal);
    await expect(agreement.propose(payload('x'), never)).rejects.toThrow(code('LIMIT_REACHED'));
    await agreement.stop();
    await expect(waiting).rejects.toThrow(code('ABORTED'));
    await expect(agreement.propose(payload('x'), never)).rejects.toThrow(code('ABORTED'));
    await agreement.stop();
  });

  test('refuses rows that are not its own program’s', async () => {
    const { members, until } = await started(1);
    const [one] = members as [(typeof members)[0]];
    await until(one.agreement.propose(payload('x'), never));
    await one.agreement.stop();
    const copy = one.store.copy();
    await one.store.commit([one.store.put('place', new Uint8Array(3))]);
    await expect(one.open()).rejects.toThrow(code('LEDGER_DAMAGED'));
    await one.store.commit([
      one.store.put('place', (await copy.get('place')) ?? new Uint8Array()),
      one.store.put('b/00000000000001'),
    ]);
    await expect(one.open()).rejects.toThrow(code('LEDGER_DAMAGED'));
    await copy.commit([copy.put(statementKey(1, 'notarize'), new Uint8Array(9))]);
    await expect(createGroup(1).join(one.identity, {}, copy)).rejects.toThrow(code('LEDGER_DAMAGED'));
  });
});

test('decisions are those that were and those that come, until the caller has enough', async () => {
  const { members, until, clock } = await started(4);
  await until(at(members, 0).agreement.propose(payload('one'), never));
  const stop = new AbortController();
  const heard: string[] = [];
  const listening = (async () => {
    for await (const { entries } of at(members, 2).agreement.decisions(1, stop.signal))
      heard.push(...entries.map(({ body }) => fromUtf8(body)));
  })();
  await until(at(members, 1).agreement.propose(payload('two'), never));
  await clock.advance(50);
  expect(heard).toEqual(['one', 'two']);
  stop.abort();
  await listening;
});

test('a lying leader’s two proposals are never both decided, and both prove that it lied', async () => {
  const { members, until, group, clock } = await started(4);
  const leader = at(members, 0).agreement.status().leader;
  const liar = members.find(({ identity }) => identity.peer === leader)!;
  const honest = members.filter((one) => one !== liar);
  // Its second life knows nothing of the first, and proposes another block for the same place.
  const twin = await group.join(liar.identity);
  running.push(twin.agreement);
  const [left, right] = [at(honest, 0).identity.peer, at(honest, 1).identity.peer] as [PeerId, PeerId];
  const proposals = new Set<string>();
  group.loses = (from, to, bytes) => {
    const { proposal } = decodeMessage(bytes);
    if (from !== leader || proposal === undefined) return false;
    proposals.add(toHex(decodeStatement(proposal).block));
    return proposals.size === 1 ? to !== left : to !== right;
  };
  void liar.agreement.propose(payload('black'), never).catch(() => undefined);
  await clock.advance(1);
  await liar.agreement.stop();
  await until(twin.agreement.start());
  void twin.agreement.propose(payload('white'), never).catch(() => undefined);
  const { block } = await until(at(honest, 0).agreement.propose(payload('grey'), never));
  group.loses = () => false;
  await clock.advance(3 * limits.idleMs);
  expect(proposals.size).toBeGreaterThan(1);
  expect(heads(honest).size).toBe(1);
  expect(block.header.height).toBeGreaterThan(0);
  const proven = honest.flatMap(({ lies }) => lies);
  expect(new Set(proven.map(({ member }) => member))).toEqual(new Set([leader]));
  const kept = (await Promise.all(honest.map(({ agreement }) => agreement.evidence()))).flat();
  expect(kept).toHaveLength(proven.length);
  for (const { bytes, kind } of kept) expect(verifyEvidence(crypto, bytes)).toMatchObject({ member: leader, kind });
  expect(honest.flatMap(({ agreement }) => agreement.status().liars)).toContain(leader);
  for (const { agreement, lies } of honest)
    expect(agreement.status().lies.get(leader) ?? []).toEqual(lies.map(({ kind }) => kind));
});

test('a member tells how far the attempt is: the proposal came, its vote, and that it gave up', async () => {
  const { members, group, clock } = await started(4);
  const leader = members.find(({ identity, agreement }) => agreement.status().leader === identity.peer)!;
  const others = members.filter((one) => one !== leader);
  const phases = () => [leader, ...others].map(({ agreement }) => agreement.status().phase);
  expect(phases()).toEqual([undefined, undefined, undefined, undefined]);
  // Only the leader's words arrive, so nobody has a quorum.
  group.loses = (from) => from !== leader.identity.peer;
  void leader.agreement.propose(payload('x'), never).catch(() => undefined);
  await clock.advance(20);
  expect(phases()).toEqual(['notarize', 'notarize', 'notarize', 'notarize']);
  await clock.advance(limits.viewTimeoutMs);
  expect(phases()).toEqual(['nullify', 'nullify', 'nullify', 'nullify']);
});

test('who agrees to nothing has the proposal, and says no word on it', async () => {
  const group = createGroup(2);
  const leads = leaderOf(firstEpoch(group.genesis), 1, 1);
  const [one, two] = await Promise.all(
    group.identities.map((identity) => group.join(identity, { judge: () => identity.peer === leads })),
  );
  if (one === undefined || two === undefined) throw new Error('nobody');
  for (const { agreement } of [one, two]) await group.clock.until(agreement.start());
  running.push(one.agreement, two.agreement);
  const [leader, other] = one.agreement.status().leader === one.identity.peer ? [one, two] : [two, one];
  void leader.agreement.propose(payload('x'), never).catch(() => undefined);
  await group.clock.advance(20);
  expect([leader.agreement.status().phase, other.agreement.status().phase]).toEqual(['notarize', 'propose']);
});

test('a message is at most as long as the link was told', async () => {
  const { members, clock, group } = await started(4);
  const [one, two] = [at(members, 0), at(members, 1)];
  const where = { height: 9, view: 1, missing: 1, wants: new Uint8Array() };
  const answers = async (from: PeerId, bytes: Uint8Array): Promise<number> => {
    await clock.advance(limits.idleMs);
    const { sent } = group;
    group.link(from).send(one.identity.peer, bytes);
    await clock.advance(15);
    return group.sent - sent - 1;
  };
  const filled = (bytes: number): Uint8Array => {
    const draft = new Uint8Array(
      bytes - encodeMessage({ draft: new Uint8Array(bytes - 64), where }).length + bytes - 64,
    );
    return encodeMessage({ draft, where });
  };
  const longest = filled(limits.messageBytesMax);
  expect(longest).toHaveLength(limits.messageBytesMax);
  expect(await answers(two.identity.peer, longest)).toBe(1);
  expect(await answers(two.identity.peer, filled(limits.messageBytesMax + 1))).toBe(0);
});
