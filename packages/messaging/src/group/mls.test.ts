import { createIdentity, type PeerId, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createMls, epochOf, factsOf, type GroupState, type Mls, membersOf } from './mls.ts';

function member(seed: number): { readonly peer: PeerId; readonly mls: Mls } {
  const random = seededRandom(seed);
  const identity = createIdentity(nodeCrypto, random.bytes(32));
  return { peer: identity.peer, mls: createMls({ crypto: nodeCrypto, random, identity }) };
}

/** A founds the group, B is added. */
async function pair() {
  const [a, b] = [member(1), member(2)];
  const founded = await a.mls.found(new Uint8Array(16).fill(7), { name: 'team', committer: a.peer });
  const keys = await b.mls.keyPackage();
  const made = await a.mls.commit(founded, { add: [{ peer: b.peer, keyPackage: keys.message }] });
  const joined = await b.mls.join(made.welcome ?? new Uint8Array(), keys);
  return { a, b, atA: made.state, atB: joined, founded };
}
const plainOf = async (mls: Mls, state: GroupState, message: Uint8Array): Promise<string> => {
  const opened = await mls.open(state, message);
  return opened.kind === 'application' ? new TextDecoder().decode(opened.plain) : opened.kind;
};

test('members agree on name, committer and each other, and read what one seals', async () => {
  const { a, b, atA, atB } = await pair();
  expect(factsOf(atB)).toEqual({ name: 'team', committer: a.peer });
  expect(membersOf(atB)).toEqual([a.peer, b.peer]);
  const sealed = await a.mls.seal(atA, utf8('hello'));
  expect(await plainOf(b.mls, atB, sealed.message)).toBe('hello');
});

test('a message is read once: its key is gone afterwards', async () => {
  const { a, b, atA, atB } = await pair();
  const sealed = await a.mls.seal(atA, utf8('once'));
  const opened = await b.mls.open(atB, sealed.message);
  await expect(b.mls.open(opened.state, sealed.message)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a removed member learns that it is, and reads nothing that is sealed later', async () => {
  const { a, b, atA, atB } = await pair();
  const removal = await a.mls.commit(atA, { remove: [b.peer] });
  const told = await b.mls.open(atB, removal.commit);
  expect(told).toMatchObject({ kind: 'commit', isRemoved: true });
  const later = await a.mls.seal(removal.state, utf8('secret'));
  await expect(b.mls.open(atB, later.message)).rejects.toMatchObject({ code: 'REFUSED' });
  await expect(b.mls.open(told.state, later.message)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a new member reads nothing that was sealed before it came', async () => {
  const { a, b, atA, atB } = await pair();
  const earlier = await a.mls.seal(atA, utf8('earlier'));
  const c = member(3);
  const keys = await c.mls.keyPackage();
  const made = await a.mls.commit(earlier.state, { add: [{ peer: c.peer, keyPackage: keys.message }] });
  const atC = await c.mls.join(made.welcome ?? new Uint8Array(), keys);
  await expect(c.mls.open(atC, earlier.message)).rejects.toMatchObject({ code: 'REFUSED' });
  const advanced = await b.mls.open(atB, made.commit);
  expect(epochOf(advanced.state)).toBe(epochOf(atC));
  // What was sealed before the change and overtaken by it is still read by those who were there.
  expect(await plainOf(b.mls, advanced.state, earlier.message)).toBe('earlier');
});

test('a commit of another member than the committer is refused, until the committer handed over', async () => {
  const { a, b, atA, atB } = await pair();
  const rogue = await b.mls.commit(atB, { remove: [a.peer] });
  await expect(a.mls.open(atA, rogue.commit)).rejects.toMatchObject({ code: 'REFUSED' });
  const handed = await a.mls.commit(atA, { committer: b.peer });
  const taken = await b.mls.open(atB, handed.commit);
  const removal = await b.mls.commit(taken.state, { remove: [a.peer] });
  expect(await a.mls.open(handed.state, removal.commit)).toMatchObject({ isRemoved: true });
});

test('a key package of somebody else is refused', async () => {
  const { a, b, atA } = await pair();
  const keys = await member(3).mls.keyPackage();
  const add = [{ peer: b.peer, keyPackage: keys.message }];
  await expect(a.mls.commit(atA, { add })).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
});

test('a state written and read again is the same', async () => {
  const { a, b, atA, atB } = await pair();
  const sealed = await a.mls.seal(a.mls.decode(a.mls.encode(atA)), utf8('kept'));
  expect(await plainOf(b.mls, b.mls.decode(b.mls.encode(atB)), sealed.message)).toBe('kept');
});
