import { compareUtf8, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { someone, testChain, textProposal } from '../../test/governance.ts';
import { crypto } from '../../test/world.ts';
import type { Action } from './action.ts';
import { signConsent } from './consent.ts';
import { type Choice, decodeStatement, encodeStatement, governanceKind } from './entry.ts';
import { type DecidedBlock, foldBlock, type FoldDeps } from './fold.ts';
import { incentivePolicy, seedIncentives } from '../incentives/policy.ts';
import { governanceLimits as limits } from './limits.ts';
import { type PolicyName, policyKeys, policyNames } from './policy.ts';
import { type GovernanceState, initialState, stateDigest } from './state.ts';

const deps: FoldDeps = { crypto, ballots: { verify: async () => false } };
function of<T>(all: readonly T[], index: number): T {
  const found = all[index];
  if (found === undefined) throw new Error('nobody');
  return found;
}
const at = (index: number): PeerId => of(peers, index);
const newcomer = someone();
const forger = someone();
const peers = [...Array.from({ length: 5 }, () => someone().peer).toSorted(compareUtf8), newcomer.peer];
const four = peers.slice(0, 4);
const stranger = at(4);
const code = (expected: string) => expect.objectContaining({ code: expected });

const group = () => testChain(deps, four);
type Group = ReturnType<typeof group>;
const vote = (chain: Group, who: PeerId, on: string, choice: Choice = 'yes', timeMs = 2_000) =>
  chain.say(who, { type: 'vote', on, choice }, timeMs);
const close = (chain: Group, who: PeerId, on: string, timeMs: number) => chain.say(who, { type: 'close', on }, timeMs);
/** Proposed, voted for by all, and closed. */
async function decide(chain: Group, action: Action, timeMs = 1_000) {
  const on = await chain.propose(at(0), textProposal('do it', { action }), timeMs);
  for (const peer of chain.state().members) await vote(chain, peer, on, 'yes', timeMs);
  await close(chain, at(0), on, timeMs);
  return chain.state().decisions.at(-1);
}

describe('a vote', () => {
  test('counts once a member; strangers, repetitions and what is open no more are refused by name', async () => {
    const chain = group();
    const on = await chain.propose(at(0), textProposal('paint it'), 1_000);
    expect(await vote(chain, at(0), on)).toBeUndefined();
    expect(await vote(chain, at(0), on, 'no')).toBe('VOTED');
    expect(await vote(chain, stranger, on)).toBe('NOT_MEMBER');
    expect(await vote(chain, at(1), '00'.repeat(32))).toBe('PROPOSAL_UNKNOWN');
    expect(await close(chain, at(0), on, 2_000)).toBe('TOO_EARLY');
    await vote(chain, at(1), on);
    await vote(chain, at(2), on, 'no');
    // Two of three are yes, and the one that is missing could make it two of four.
    expect(await close(chain, at(0), on, 2_000)).toBe('TOO_EARLY');
    await vote(chain, at(3), on, 'abstain');
    expect(await close(chain, at(0), on, 2_000)).toBeUndefined();
    expect(chain.state().decisions).toMatchObject([
      { id: on, yes: 2, no: 1, abstain: 1, electors: 4, result: 'accepted', height: chain.state().height },
    ]);
    expect(await vote(chain, at(1), on)).toBe('PROPOSAL_CLOSED');
  });

  test.each([
    ['accepted', ['yes', 'yes', 'yes']],
    ['accepted', ['yes', 'abstain']],
    ['rejected', ['no', 'no', 'yes', 'yes']],
    ['rejected', ['abstain', 'abstain']],
    ['no-quorum', ['yes']],
    ['no-quorum', []],
  ] as const)('is %s with %j when the time is over', async (result, choices) => {
    const chain = group();
    const on = await chain.propose(at(0), textProposal('paint it', { openMs: 10_000 }), 1_000);
    for (const [place, choice] of choices.entries()) await vote(chain, at(place), on, choice);
    for (const peer of four) await close(chain, peer, on, 11_000);
    expect(chain.state().decisions).toMatchObject([{ result }]);
  });

  test('ends by the clocks of more members than may lie: one alone neither ends it early nor votes late', async () => {
    const chain = group();
    const on = await chain.propose(at(0), textProposal('paint it', { openMs: 10_000 }), 1_000);
    expect(await close(chain, at(3), on, 9_000_000)).toBe('TOO_EARLY');
    expect(await vote(chain, at(1), on)).toBeUndefined();
    expect(await vote(chain, at(3), on)).toBeUndefined();
    expect(await vote(chain, at(2), on, 'yes', 11_000)).toBe('TOO_LATE');
    expect(await close(chain, at(0), on, 1_000)).toBeUndefined();
    expect(chain.state()).toMatchObject({ timeMs: 11_000, decisions: [{ yes: 2 }] });
  });

  test('that was opened after a long silence has its whole time', async () => {
    const chain = group();
    await chain.propose(at(0), textProposal('first', { openMs: 10_000 }), 1_000);
    const on = await chain.propose(at(1), textProposal('second', { openMs: 10_000 }), 5_000_000);
    expect(chain.state().proposals.get(on)).toMatchObject({ openedMs: 5_000_000, closesMs: 5_010_000 });
    expect(await vote(chain, at(2), on, 'yes', 5_009_999)).toBeUndefined();
  });

  test('takes the rules its proposal was opened with', async () => {
    const chain = group();
    const on = await chain.propose(at(0), textProposal('paint it', { openMs: 90_000 }), 1_000);
    await decide(chain, { type: 'policy', name: 'quorum-percent', value: 100 });
    await vote(chain, at(0), on);
    await vote(chain, at(1), on);
    for (const peer of four) await close(chain, peer, on, 91_000);
    expect(chain.state().decisions.at(-1)).toMatchObject({ id: on, quorumPercent: 50, result: 'accepted' });
  });
});

describe('what was accepted is done at once, on every node alike', () => {
  test('members: a newcomer with its own consent, from the block that begins its epoch; it votes on what is opened then', async () => {
    const chain = group();
    const add = (consent: Uint8Array): Action => ({ type: 'member-add', peer: newcomer.peer, consent });
    const forged = signConsent(forger, chain.state().group);
    const payload = encodeStatement({
      timeMs: 1_000,
      said: { type: 'proposal', proposal: textProposal('x', { action: add(forged) }) },
    });
    expect(await chain.put({ author: at(0), payload })).toMatchObject([{ refused: 'INVALID_SIGNATURE' }]);
    const before = await chain.propose(at(1), textProposal('earlier'), 1_000);
    await decide(chain, add(signConsent(newcomer, chain.state().group)));
    expect(chain.state()).toMatchObject({
      epoch: 0,
      members: four,
      nextMembers: [...four, newcomer.peer].toSorted(compareUtf8),
    });
    expect(await vote(chain, newcomer.peer, before)).toBe('NOT_MEMBER');
    await chain.begin(at(0));
    expect(chain.state()).toMatchObject({ epoch: 1, nextMembers: undefined });
    expect(chain.state().members).toContain(newcomer.peer);
    expect(await vote(chain, newcomer.peer, before)).toBe('NOT_ELECTOR');
    const after = await chain.propose(newcomer.peer, textProposal('later'), 1_000);
    expect(await vote(chain, newcomer.peer, after)).toBeUndefined();
  });

  test('members and rules take two thirds, the rest one half', async () => {
    for (const [action, result] of [
      [{ type: 'member-remove', peer: at(3) }, 'rejected'],
      [{ type: 'policy', name: 'quorum-percent', value: 60 }, 'rejected'],
      [{ type: 'policy', name: 'incentives.node_hour_micro', value: 60 }, 'accepted'],
    ] as const) {
      const chain = group();
      const on = await chain.propose(at(0), textProposal('x', { action, openMs: 10_000 }), 1_000);
      // Three of five would be enough for one half; two of three are not more than 66 percent of these three.
      for (const [place, choice] of (['yes', 'yes', 'no'] as const).entries()) await vote(chain, at(place), on, choice);
      await vote(
        chain,
        at(3),
        on,
        action.type === 'policy' && action.name === 'incentives.node_hour_micro' ? 'abstain' : 'no',
      );
      await close(chain, at(0), on, 2_000);
      expect(chain.state().decisions).toMatchObject([{ result }]);
    }
  });

  test('policy, blacklist, relays, points and checkpoints', async () => {
    const chain = group();
    const hash = new Uint8Array(32).fill(7);
    await decide(chain, { type: 'policy', name: 'incentives.node_hour_micro', value: 750_000 });
    await decide(chain, { type: 'blacklist-add', peer: stranger, reason: 'forged receipts' });
    await decide(chain, { type: 'relays', addresses: ['/dns/relay.example/tcp/4100/ws'] });
    await decide(chain, { type: 'points', to: at(2), amountMicro: 5n, reason: 'night shift' });
    await decide(chain, { type: 'points', to: at(2), amountMicro: 2_000_000n, reason: 'again' });
    await decide(chain, { type: 'checkpoint', name: 'nano', hash });
    const state = chain.state();
    expect(state.policy['incentives.node_hour_micro']).toBe(750_000);
    expect(state.blacklist.get(stranger)).toMatchObject({ reason: 'forged receipts' });
    expect(state.relays).toEqual(['/dns/relay.example/tcp/4100/ws']);
    expect([state.points.get(at(2)), state.pointsIssued]).toEqual([2_000_005n, 2_000_005n]);
    expect(state.checkpoints).toMatchObject([{ name: 'nano', hash: '07'.repeat(32) }]);
    await decide(chain, { type: 'blacklist-remove', peer: stranger });
    expect(chain.state().blacklist.size).toBe(0);
  });

  test('what can have no effect is refused, and void when it had one while the vote was open', async () => {
    const chain = group();
    const refused = async (action: Action) =>
      chain.say(at(0), { type: 'proposal', proposal: textProposal('x', { action }) }, 1_000);
    expect(await refused({ type: 'blacklist-remove', peer: stranger })).toBe('NO_EFFECT');
    expect(await refused({ type: 'member-remove', peer: stranger })).toBe('NO_EFFECT');
    expect(await refused({ type: 'blacklist-add', peer: at(1), reason: '' })).toBe('NO_EFFECT');
    expect(await refused({ type: 'policy', name: 'incentives.bonus_permille', value: 100 })).toBe('NO_EFFECT');
    const action: Action = { type: 'blacklist-add', peer: stranger, reason: '' };
    const on = await chain.propose(at(1), textProposal('first', { action }), 1_000);
    await decide(chain, action);
    for (const peer of four) await vote(chain, peer, on);
    await close(chain, at(0), on, 2_000);
    expect(chain.state().decisions.at(-1)).toMatchObject({ id: on, yes: 4, result: 'void' });
  });

  test('the last member stays', async () => {
    const alone = testChain(deps, [at(0)]);
    const proposal = textProposal('x', { action: { type: 'member-remove', peer: at(0) } });
    expect(await alone.say(at(0), { type: 'proposal', proposal }, 1)).toBe('NO_EFFECT');
  });
});

describe('the same chain', () => {
  /** Any votes and closings of any six peers at any time upon two proposals of a group of four. */
  const steps = fc.array(
    fc.record({
      who: fc.nat(5),
      what: fc.constantFrom('yes' as const, 'no' as const, 'abstain' as const, 'close' as const, 'again' as const),
      on: fc.nat(1),
      laterMs: fc.nat(8_000),
    }),
    { maxLength: 24 },
  );
  async function play(all: typeof steps extends fc.Arbitrary<infer T> ? T : never) {
    const chain = group();
    const open = { openMs: 10_000 };
    const ids = [
      await chain.propose(at(0), textProposal('a', open), 0),
      await chain.propose(at(1), textProposal('b', open), 0),
    ];
    // What must come of it, counted the plain way: each member's first vote before the second-latest clock passed the end.
    const clocks = new Map<PeerId, number>([
      [at(0), 0],
      [at(1), 0],
    ]);
    const votes = [new Map<PeerId, Choice>(), new Map<PeerId, Choice>()] as const;
    const over = new Set<number>();
    let timeMs = 0;
    for (const { who, what, on, laterMs } of all) {
      timeMs += laterMs;
      const peer = at(who);
      const refused =
        what === 'close'
          ? await close(chain, peer, of(ids, on), timeMs)
          : await vote(chain, peer, of(ids, on), what === 'again' ? 'yes' : what, timeMs);
      if (!four.includes(peer)) {
        expect(refused).toBe('NOT_MEMBER');
        continue;
      }
      clocks.set(peer, timeMs);
      const isEnded = ([...clocks.values()].toSorted((a, b) => b - a)[1] ?? 0) >= 10_000;
      const cast = of(votes, on);
      if (over.has(on)) expect(refused).toBe('PROPOSAL_CLOSED');
      else if (what === 'close') {
        if (refused === undefined) over.add(on);
        else expect([refused, isEnded, cast.size === 4]).toEqual(['TOO_EARLY', false, false]);
      } else if (isEnded) expect(refused).toBe('TOO_LATE');
      else if (cast.has(peer)) expect(refused).toBe('VOTED');
      else {
        expect(refused).toBeUndefined();
        cast.set(peer, what === 'again' ? 'yes' : what);
      }
    }
    return { chain, votes, ids };
  }

  test('gives the same state in whatever order its blocks arrive, and each member’s first vote in time is what counts', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(steps, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), async (all, luck) => {
        const { chain, votes, ids } = await play(all);
        for (const { id, yes, no, abstain, result } of chain.state().decisions) {
          const cast = [...(votes[ids.indexOf(id)] ?? []).values()];
          expect([yes, no, abstain]).toEqual(
            (['yes', 'no', 'abstain'] as const).map((choice) => cast.filter((one) => one === choice).length),
          );
          expect(result).toBe(cast.length < 2 ? 'no-quorum' : yes > no ? 'accepted' : 'rejected');
          seen.add(result);
        }
        // Blocks come shuffled, and each twice: one that is not the next waits.
        let again: GovernanceState = initialState('ab'.repeat(32), { name: 'group', members: four.toReversed() });
        let waiting = [...chain.blocks, ...chain.blocks]
          .map((block) => [luck.next().value as number, block] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, block]) => block);
        while (again.height < chain.blocks.length) {
          const later: DecidedBlock[] = [];
          for (const block of waiting) {
            if (block.header.height === again.height + 1) again = (await foldBlock(deps, again, block)).state;
            else {
              await expect(foldBlock(deps, again, block)).rejects.toThrow(code('NOT_IN_LOG'));
              later.push(block);
            }
          }
          waiting = later;
        }
        expect(stateDigest(crypto, again)).toBe(stateDigest(crypto, chain.state()));
      }),
      { numRuns: 60, seed: 9 },
    );
    expect([...seen].toSorted()).toEqual(['accepted', 'no-quorum', 'rejected']);
  });

  test('has another digest with one vote changed', async () => {
    const digests = await Promise.all(
      (['yes', 'no'] as const).map(async (choice) => {
        const chain = group();
        await vote(chain, at(1), await chain.propose(at(0), textProposal('x'), 1_000), choice);
        return stateDigest(crypto, chain.state());
      }),
    );
    expect(new Set(digests).size).toBe(2);
  });
});

describe('limits', () => {
  const said =
    (more: Parameters<typeof textProposal>[1], title = 't') =>
    () =>
      encodeStatement({ timeMs: 0, said: { type: 'proposal', proposal: textProposal(title, more) } });
  const policy = (name: PolicyName, value: number) => said({ action: { type: 'policy', name, value } });
  const points = (amountMicro: bigint) => said({ action: { type: 'points', to: at(0), amountMicro, reason: '' } });
  const relays = (count: number, length = 9) =>
    said({ action: { type: 'relays', addresses: Array.from({ length: count }, () => '/'.repeat(length)) } });

  test('are taken, and refused one past them, before anything is sent', () => {
    for (const [make, max] of [
      [(count: number) => said({}, 'x'.repeat(count)), limits.titleCharsMax],
      [(count: number) => said({ text: '€'.repeat(count) }), limits.textCharsMax],
      [(count: number) => said({ openMs: count }), limits.openMsMax],
      [(count: number) => said({ ballotKey: new Uint8Array(count) }), limits.ballotKeyBytesMax],
      [(count: number) => relays(count), limits.relaysMax],
      [(count: number) => relays(1, count), limits.addressCharsMax],
      [
        (count: number) => said({ action: { type: 'blacklist-add', peer: at(4), reason: 'x'.repeat(count) } }),
        limits.reasonCharsMax,
      ],
      [
        (count: number) => said({ action: { type: 'checkpoint', name: 'x'.repeat(count), hash: new Uint8Array(32) } }),
        limits.nameCharsMax,
      ],
      [(count: number) => points(limits.pointsMicroMax + BigInt(count)), 0],
    ] as const) {
      expect(make(max)).not.toThrow();
      expect(make(max + 1)).toThrow(code('LIMIT_EXCEEDED'));
    }
    expect(said({ openMs: limits.openMsMin })).not.toThrow();
    expect(said({ openMs: limits.openMsMin - 1 })).toThrow(code('LIMIT_EXCEEDED'));
    for (const name of policyNames) {
      const { min, max } = policyKeys[name];
      for (const value of [min, max]) expect(policy(name, value)).not.toThrow();
      for (const value of [min - 1, max + 1, min + 0.5]) expect(policy(name, value)).toThrow(code('LIMIT_EXCEEDED'));
    }
    for (const wrong of [said({}, ' '), points(0n), said({ action: { type: 'relays', addresses: ['a b'] } })])
      expect(wrong).toThrow(code('INVALID_FORMAT'));
  });

  test('of open proposals hold: so many of one member, so many of all', async () => {
    const chain = testChain(deps, peers);
    for (let count = 0; count < limits.openOfOneMax; count += 1)
      await chain.propose(at(0), textProposal(`${count}`), 0);
    const proposal = textProposal('one more');
    expect(await chain.say(at(0), { type: 'proposal', proposal }, 0)).toBe('LIMIT_REACHED');
    const many = testChain(
      deps,
      Array.from({ length: 9 }, () => someone().peer),
    );
    for (let count = 0; count < limits.openProposalsMax; count += 1)
      await many.propose(of(many.state().members, count % 8), textProposal(`${count}`), 0);
    expect(await many.say(of(many.state().members, 8), { type: 'proposal', proposal }, 0)).toBe('LIMIT_REACHED');
  });
});

test('10,000 mutated statements: read or refused by code, none slow, and none stops the chain', async () => {
  const random = seededRandom(5);
  const action: Action = { type: 'points', to: at(2), amountMicro: 5n, reason: 'night' };
  const { body } = encodeStatement({ timeMs: 3, said: { type: 'proposal', proposal: textProposal('x', { action }) } });
  const bodies = Array.from({ length: 10_000 }, () => mutated(body, random));
  for (const one of bodies) {
    try {
      decodeStatement(one);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
  }
  const chain = group();
  for (const one of bodies.slice(0, 200))
    await chain.put({ author: at(0), payload: { kind: governanceKind, body: one } });
  expect(await chain.put({ author: at(0), payload: { kind: 'note', body: utf8('x') } })).toMatchObject([
    { refused: 'UNKNOWN_KIND' },
  ]);
  expect(chain.state().height).toBe(201);
});

test('what a group sets is what the incentives read', async () => {
  const chain = group();
  expect(incentivePolicy(chain.state().policy)).toEqual(seedIncentives);
  await decide(chain, { type: 'policy', name: 'incentives.bonus_permille', value: 250 });
  expect(incentivePolicy(chain.state().policy)).toEqual({ ...seedIncentives, bonusPermille: 250 });
});
