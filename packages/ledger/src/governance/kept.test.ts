import type { PeerId } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { someone, testChain, textProposal } from '../../test/governance.ts';
import { crypto } from '../../test/world.ts';
import type { Action } from './action.ts';
import { type Ballot, encodeStatement, type Said } from './entry.ts';
import { execute } from './execute.ts';
import { governanceLimits as limits } from './limits.ts';
import { type GovernanceState, initialState } from './state.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const [member, other] = [someone().peer, someone().peer];
const empty = initialState('ab'.repeat(32), { name: 'group', members: [member] });
const places = (count: number): number[] => Array.from({ length: count }, (_, place) => place);
const peer = (place: number): PeerId => `peer-${place}` as PeerId;

test('so many peers are on the blacklist; one more has no effect until one is taken off', () => {
  const blacklist = new Map(places(limits.blacklistMax - 1).map((place) => [peer(place), { reason: '', height: 1 }]));
  const add = (state: GovernanceState, one: PeerId) => execute(state, { type: 'blacklist-add', peer: one, reason: '' });
  const full = add({ ...empty, blacklist }, peer(5_000)) ?? empty;
  expect(full.blacklist.size).toBe(limits.blacklistMax);
  expect(add(full, peer(5_001))).toBeUndefined();
  const less = execute(full, { type: 'blacklist-remove', peer: peer(0) }) ?? empty;
  expect(add(less, peer(5_001))?.blacklist.size).toBe(limits.blacklistMax);
});

test('so many checkpoints are at hand, the newest', () => {
  const name = (place: number): Action => ({ type: 'checkpoint', name: `${place}`, hash: new Uint8Array(32) });
  let state = empty;
  for (const place of places(limits.checkpointsKept)) state = execute(state, name(place)) ?? empty;
  expect(state.checkpoints).toHaveLength(limits.checkpointsKept);
  const { checkpoints } = execute(state, name(limits.checkpointsKept)) ?? empty;
  expect(checkpoints).toHaveLength(limits.checkpointsKept);
  expect([checkpoints[0]?.name, checkpoints.at(-1)?.name]).toEqual(['1', `${limits.checkpointsKept}`]);
});

test('of points so many are issued in all', () => {
  const issue = (amountMicro: bigint, pointsIssued: bigint) =>
    execute({ ...empty, pointsIssued }, { type: 'points', to: other, amountMicro, reason: '' });
  const before = limits.pointsTotalMicroMax - 5n;
  expect(issue(5n, before)?.pointsIssued).toBe(limits.pointsTotalMicroMax);
  expect(issue(6n, before)).toBeUndefined();
});

test('so many decisions are at hand, the newest', async () => {
  const chain = testChain({ crypto, ballots: { verify: async () => false } }, [member]);
  const decide = async (title: string): Promise<void> => {
    const on = await chain.propose(member, textProposal(title), 1);
    await chain.say(member, { type: 'vote', on, choice: 'yes' }, 1);
    await chain.say(member, { type: 'close', on }, 1);
  };
  await decide('0');
  // As hundreds of votes would have left it.
  const decisions = chain.state().decisions as GovernanceState['decisions'][number][];
  const [first] = decisions;
  for (const place of places(limits.decisionsKept - 1).slice(1))
    if (first !== undefined) decisions.push({ ...first, title: `${place}` });
  for (const title of ['last', 'one more']) {
    await decide(title);
    expect(chain.state().decisions).toHaveLength(limits.decisionsKept);
    expect(chain.state().decisions[0]?.title).toBe(title === 'last' ? '0' : '1');
  }
});

test.each<[string, number, (bytes: Uint8Array) => Said]>([
  ['a blinded ballot', limits.ballotSignatureBytes, (blinded) => ({ type: 'ask', on: 'ab'.repeat(32), blinded })],
  ['an issued signature', limits.ballotSignatureBytes, (signature) => ({ ...issue, signature })],
  ['a signature', limits.ballotSignatureBytes, (signature) => ballot({ signature })],
  ['a token', limits.ballotTokenBytes, (token) => ballot({ token })],
  ['a prefix', limits.ballotTokenBytes, (prefix) => ballot({ prefix })],
])('%s has %i bytes, no fewer and no more', (_, bytes, said) => {
  const make = (length: number) => () => encodeStatement({ timeMs: 0, said: said(new Uint8Array(length)) });
  expect(make(bytes)).not.toThrow();
  for (const length of [bytes - 1, bytes + 1]) expect(make(length)).toThrow(code('INVALID_FORMAT'));
});

const issue = { type: 'issue', on: 'ab'.repeat(32), member } as const;
function ballot(parts: Partial<Ballot>): Said {
  const bytes = (length: number) => new Uint8Array(length);
  const whole: Ballot = {
    on: 'ab'.repeat(32),
    choice: 'yes',
    token: bytes(limits.ballotTokenBytes),
    prefix: bytes(limits.ballotTokenBytes),
    signature: bytes(limits.ballotSignatureBytes),
    seal: bytes(64),
  };
  return { type: 'ballot', on: whole.on, ballot: { ...whole, ...parts } };
}
