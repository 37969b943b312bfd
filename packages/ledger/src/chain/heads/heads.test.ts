import type { PeerId } from '@peerai/core-protocol';
import { MemoryStore, readMutated, seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { createGroup, never, payload } from '../../../test/members.ts';
import { crypto } from '../../../test/world.ts';
import type { Agreement } from '../../agreement/index.ts';
import { openCheckpoint } from '../../log/note.ts';
import { foundGroupKey, openChainHeads } from './index.ts';
import { limits } from '../../limits.ts';
import { encodeHeadsMessage, readHeadsMessage } from './message.ts';
import { planSession } from './plan.ts';
import { createHeadTree } from './tree.ts';

const running: Agreement[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
const code = (expected: string, ...peers: readonly PeerId[]) =>
  expect.objectContaining(peers.length === 0 ? { code: expected } : { code: expected, details: { peers } });

/** Four members with a chain, and beside it the same lines for the group's key. */
async function world() {
  const group = createGroup(4);
  const beside = createGroup(4);
  const members = await group.all();
  running.push(...members.map(({ agreement }) => agreement));
  const terms = { members: group.genesis.members, threshold: 3, ceremony: new Uint8Array(16).fill(3) };
  const lines = { ...group, beside };
  const found = (options = {}) =>
    members.map(({ identity: { peer: self } }, at) =>
      foundGroupKey(
        { crypto, random: seededRandom(at + 50), clock: beside.clock, self, link: beside.link(self) },
        terms,
        never,
        options,
      ),
    );
  const write = (text: string) => group.clock.until(members[0]!.agreement.propose(payload(text), never));
  return { ...lines, members, found, write };
}

test(
  'four members make a key though messages are lost, and three of them sign the chain’s head while one is silent; it comes back and signs too',
  { timeout: 60_000 },
  async () => {
    const { members, found, write, beside, clock } = await world();
    let count = 0;
    beside.loses = () => (count += 1) % 5 < 2;
    const keys = await beside.clock.until(Promise.all(found()));
    beside.loses = () => false;
    expect(new Set(keys.map(({ group }) => group)).size).toBe(1);
    const heads = await Promise.all(
      members.map(({ agreement }, at) =>
        openChainHeads({
          store: new MemoryStore(),
          crypto,
          random: seededRandom(at + 70),
          clock: beside.clock,
          link: beside.link(members[at]!.identity.peer),
          key: keys[at]!,
          agreement,
        }),
      ),
    );
    for (const one of heads) one.start();
    await expect(beside.clock.until(heads[0]!.sign(never))).rejects.toThrow(code('NOT_FOUND'));
    const signed = async (by: number) => openCheckpoint(crypto, await beside.clock.until(heads[by]!.sign(never)));
    const chain = createHeadTree(crypto);
    const next = async (text: string): Promise<void> => {
      chain.add((await write(text)).block.hash);
      await clock.advance(1_000);
    };
    await next('one');
    const silent = members[3]!.identity.peer;
    beside.loses = (from, to) => from === silent || to === silent;
    expect(await signed(0)).toEqual({ origin: keys[0]!.group, size: 1n, root: chain.rootAt(1) });
    await next('two');
    expect(await signed(1)).toEqual({ origin: keys[0]!.group, size: 2n, root: chain.rootAt(2) });
    beside.loses = () => false;
    await next('three');
    expect((await signed(3)).root).toEqual(chain.rootAt(3));
    const other = members[1]!.identity.peer;
    beside.loses = (from, to) => [from, to].some((peer) => peer === other || peer === silent);
    await next('four');
    await expect(signed(0)).rejects.toThrow(code('TIMEOUT', other, silent));
    beside.loses = (from, to) => from === other || to === other;
    expect((await signed(0)).root).toEqual(chain.rootAt(4));
  },
);

test('a key is not made without all members: who is silent is named', async () => {
  const { found, beside, members } = await world();
  const silent = members[2]!.identity.peer;
  beside.loses = (from) => from === silent;
  const all = await beside.clock.until(Promise.allSettled(found({ timeoutMs: 3_000 })));
  expect(all.filter((_, at) => at !== 2).map((one) => (one.status === 'rejected' ? one.reason : one))).toEqual(
    [0, 1, 3].map(() => code('TIMEOUT', silent)),
  );
  expect(beside.sent).toBeLessThan(4 * 3 * 8);
});

test('ten thousand mutated messages between members are read or passed over, and so is what is too long', () => {
  const bytes = new Uint8Array(32).fill(3);
  const session = bytes.slice(16);
  const parts = { announcement: bytes, share: bytes, done: true, ask: 5, commitment: bytes, signed: 4, request: bytes };
  const whole = encodeHeadsMessage({ session, ...parts, part: bytes, note: 'x' });
  expect(readHeadsMessage(whole)).toMatchObject({ ask: 5, note: 'x' });
  const { refused } = readMutated(whole, readHeadsMessage, { random: seededRandom(8) });
  expect(refused).toBe(0);
  const padded = (length: number) => encodeHeadsMessage({ session, announcement: new Uint8Array(length) });
  const around = padded(limits.groupMessageBytesMax).length - limits.groupMessageBytesMax;
  const most = 2 * limits.groupMessageBytesMax;
  expect(readHeadsMessage(padded(most - around))?.announcement).toHaveLength(most - around);
  expect(readHeadsMessage(padded(most - around + 1))).toBeUndefined();
});

test('those sign together who signed the same before; others are helped on first', () => {
  const offers = (...sizes: readonly number[]) =>
    sizes.map((signed, at) => ({ peer: `${at}` as PeerId, signed, commitment: new Uint8Array() }));
  const plan = (target: number, ...sizes: readonly number[]) => {
    const found = planSession(offers(...sizes), target, 3);
    return found && [found.size, found.base, found.signers.length];
  };
  expect([plan(9, 0, 0, 0), plan(9, 5, 5, 5, 2), plan(9, 9, 5, 5)]).toEqual([
    [9, 0, 3],
    [9, 5, 3],
    [9, 5, 3],
  ]);
  expect([plan(9, 5, 5, 2), plan(9, 5, 0, 2), plan(9, 5, 4, 3), plan(9, 5, 5)]).toEqual([
    [5, 2, 3],
    [5, 2, 3],
    undefined,
    undefined,
  ]);
});
