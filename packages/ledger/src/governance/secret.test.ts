import { constants, privateDecrypt } from 'node:crypto';
import { compareUtf8, createIdentity, type PeerId, utf8 } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { someone, testChain, textProposal } from '../../test/governance.ts';
import { crypto } from '../../test/world.ts';
import { type BallotKeys, createBallotBooth } from './booth.ts';
import type { Ballot, Choice } from './entry.ts';
import { sealBallot, tokenMessage } from './secret.ts';

const booth = createBallotBooth();
const random = seededRandom(3);
const peers = Array.from({ length: 4 }, () => someone().peer).toSorted(compareUtf8);
const at = (index: number): PeerId => peers[index] as PeerId;
let keys: BallotKeys;
beforeAll(async () => {
  keys = await booth.makeKeys();
});

/** What `booth.sign` does, by OpenSSL: the same bytes, a hundred times as fast. */
const sign = (blinded: Uint8Array): Uint8Array => {
  const key = { key: Buffer.from(keys.privateKey), format: 'der', type: 'pkcs8' } as const;
  return new Uint8Array(privateDecrypt({ ...key, padding: constants.RSA_NO_PADDING }, blinded));
};

/** A vote of 10 s by ballots, opened at 0 by the first member. */
async function poll() {
  const chain = testChain({ crypto, ballots: booth }, peers);
  const on = await chain.propose(at(0), textProposal('who leads', { openMs: 10_000, ballotKey: keys.publicKey }), 0);
  const ask = (member: PeerId, blinded: Uint8Array, timeMs = 1_000) =>
    chain.say(member, { type: 'ask', on, blinded }, timeMs);
  const issue = (by: PeerId, member: PeerId, signature: Uint8Array) =>
    chain.say(by, { type: 'issue', on, member, signature }, 1_000);
  const cast = (ballot: Ballot, timeMs = 6_000) => chain.say(at(1), { type: 'ballot', on, ballot }, timeMs);
  /** What a member that asks and is answered can put together. */
  const credential = async (member: PeerId) => {
    const token = createIdentity(crypto, random.bytes(32));
    const message = tokenMessage({ on, token: token.publicKey });
    const asked = await booth.blind(keys.publicKey, message);
    const refused = await ask(member, asked.blinded);
    if (refused !== undefined) throw new Error(refused);
    const answer = sign(asked.blinded);
    await issue(at(0), member, answer);
    const signature = await booth.finish(keys.publicKey, message, asked, answer);
    return (choice: Choice): Ballot => sealBallot(token, { on, choice, prefix: asked.prefix, signature });
  };
  /** More than one clock says so: one of four may lie. */
  const passTo = async (timeMs: number) => {
    for (const peer of peers.slice(2)) await chain.say(peer, { type: 'close', on }, timeMs);
  };
  return { chain, on, ask, issue, cast, credential, passTo };
}

describe('votes by ballot', () => {
  test('count, once each, and no ballot in the chain says whose it is', async () => {
    const { chain, on, cast, credential, passTo } = await poll();
    const [one, two] = [await credential(at(2)), await credential(at(3))];
    expect(await cast(one('yes'), 4_000)).toBe('TOO_EARLY');
    await passTo(5_000);
    expect(await cast(two('no'))).toBeUndefined();
    expect(await cast(one('yes'))).toBeUndefined();
    expect(await cast(one('no'))).toBe('VOTED');
    const secret = chain.state().proposals.get(on)?.secret;
    expect([...(secret?.cast.values() ?? [])]).toEqual(['no', 'yes']);
    await passTo(10_000);
    expect(chain.state().decisions).toMatchObject([{ yes: 1, no: 1, result: 'rejected', isSecret: true }]);
  });

  test('nobody can change a ballot on its way, make one, or bring more than were asked for', async () => {
    const { chain, on, cast, credential, passTo } = await poll();
    const mine = (await credential(at(2)))('yes');
    await passTo(5_000);
    expect(await cast({ ...mine, choice: 'no' })).toBe('INVALID_SIGNATURE');
    const thief = createIdentity(crypto, random.bytes(32));
    expect(await cast(sealBallot(thief, { ...mine, choice: 'no' }))).toBe('INVALID_SIGNATURE');
    // The author signs a token of its own: it takes the place of the one that was asked for, which then shows.
    const message = tokenMessage({ on, token: thief.publicKey });
    const asked = await booth.blind(keys.publicKey, message);
    const signature = await booth.finish(keys.publicKey, message, asked, sign(asked.blinded));
    expect(await cast(sealBallot(thief, { on, choice: 'no', prefix: asked.prefix, signature }))).toBeUndefined();
    expect(await cast(mine)).toBe('BALLOT_SURPLUS');
    expect(chain.state().proposals.get(on)?.secret?.cast.size).toBe(1);
  });

  test('are asked for once, in the first half, by members; answered by the author, once', async () => {
    const { chain, on, ask, issue, passTo } = await poll();
    const blank = new Uint8Array(256);
    expect(await ask(someone().peer, blank)).toBe('NOT_MEMBER');
    expect(await issue(at(0), at(2), blank)).toBe('NOT_ELECTOR');
    expect(await ask(at(2), blank)).toBeUndefined();
    expect(await ask(at(2), blank)).toBe('VOTED');
    expect(await issue(at(1), at(2), blank)).toBe('NOT_MEMBER');
    expect(await issue(at(0), at(2), blank)).toBeUndefined();
    expect(await issue(at(0), at(2), blank)).toBe('VOTED');
    expect(await chain.say(at(1), { type: 'vote', on, choice: 'yes' }, 1_000)).toBe('WRONG_BALLOT');
    await passTo(5_000);
    expect(await ask(at(1), blank, 5_000)).toBe('TOO_LATE');
    const named = await chain.propose(at(0), textProposal('by name'), 5_000);
    expect(await chain.say(at(1), { type: 'ask', on: named, blinded: blank }, 5_000)).toBe('WRONG_BALLOT');
  });

  test('of a key that is none count nothing', async () => {
    const chain = testChain({ crypto, ballots: booth }, peers);
    const on = await chain.propose(at(0), textProposal('x', { openMs: 10_000, ballotKey: utf8('no key') }), 0);
    await chain.say(at(2), { type: 'ask', on, blinded: new Uint8Array(256) }, 0);
    await chain.say(at(0), { type: 'issue', on, member: at(2), signature: new Uint8Array(256) }, 0);
    for (const peer of peers.slice(2)) await chain.say(peer, { type: 'close', on }, 5_000);
    const token = createIdentity(crypto, random.bytes(32));
    const ballot = sealBallot(token, { on, choice: 'yes', prefix: new Uint8Array(32), signature: new Uint8Array(256) });
    expect(await chain.say(at(1), { type: 'ballot', on, ballot }, 6_000)).toBe('INVALID_SIGNATURE');
  });
});
