import { createIdentity, type Identity, nobleCrypto, type PeerId } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import type { AgreementLink } from '@peerai/ledger/agreement';
import {
  encodeStatement,
  foldBlock,
  governanceLimits,
  type GovernanceState,
  initialState,
  type Said,
} from '@peerai/ledger/governance';
import { expect, test } from 'vitest';
import type { RunningGroup } from './group.ts';
import { openGroupHeads } from './heads.ts';
import { governanceRoomLimits as limits } from './limits.ts';

/** Members of one group without an agreement: what one says is decided at once. `twist` is what a liar makes of its messages, none where it keeps them. */
async function members(count: number, twist: (from: PeerId, to: PeerId, bytes: Uint8Array) => Uint8Array | undefined) {
  const clock = new ManualClock();
  const identities = Array.from({ length: count }, (_, index) =>
    createIdentity(nobleCrypto, new Uint8Array(32).fill(index + 1)),
  );
  const peers = identities.map(({ peer }) => peer);
  const id = 'ab'.repeat(32);
  let state: GovernanceState = initialState(id, { name: 'x', members: peers });
  const say = async (author: PeerId, said: Said) => {
    const header = { height: state.height + 1 };
    const entry = { author, number: header.height, ...encodeStatement({ timeMs: 1, said }) };
    const folded = await foldBlock({ crypto: nobleCrypto, ballots: { verify: async () => false } }, state, {
      header,
      entries: [entry],
    });
    state = folded.state;
    return folded.outcomes[0];
  };
  const hearing = new Map<string, Set<(from: PeerId, bytes: Uint8Array) => void>>();
  const linkOf =
    ({ peer }: Identity) =>
    (name: string): AgreementLink => {
      const send = (to: PeerId, bytes: Uint8Array): void => {
        const told = twist(peer, to, bytes.slice());
        if (told !== undefined) queueMicrotask(() => hearing.get(`${to}/${name}`)?.forEach((hear) => hear(peer, told)));
      };
      return {
        send,
        broadcast: (to, bytes) => to.forEach((one) => send(one, bytes)),
        receive(handler) {
          const all = hearing.get(`${peer}/${name}`) ?? new Set();
          hearing.set(`${peer}/${name}`, all.add(handler));
          return () => all.delete(handler);
        },
      };
    };
  const all = await Promise.all(
    identities.map((identity, index) =>
      openGroupHeads(
        {
          identity,
          clock,
          crypto: nobleCrypto,
          random: seededRandom(index + 1),
          logger: silentLogger,
          store: new MemoryStore(),
          link: linkOf(identity),
          isOnline: () => true,
          changed: () => undefined,
        },
        {
          id,
          state: () => state,
          status: () => ({ isMember: true, height: 0 }),
          say: (said: Said) => say(identity.peer, said),
        } as unknown as RunningGroup,
      ),
    ),
  );
  const run = async (look: () => boolean): Promise<void> => {
    for (let step = 0; step < 8_000 && !look(); step += 1) {
      for (const one of all) one.look();
      await clock.advance(500);
    }
  };
  return { clock, all, peers, run, keys: () => state.headKeys, stop: () => Promise.all(all.map((one) => one.stop())) };
}

test('a member that hands one other a wrong share is named in the chain, and the next attempt makes a key', async () => {
  let isLying = true;
  const made = await members(3, (from, to, bytes) => {
    // Behind the announcement stand a hash and the share, then one bit: the last bytes of what has more than an announcement.
    const hasShare = bytes.length > 250;
    if (isLying && hasShare && from === made.peers[1] && to === made.peers[0])
      bytes[bytes.length - 6] = (bytes.at(-6) ?? 0) ^ 1;
    return bytes;
  });
  const { run, keys, peers } = made;
  await run(() => keys().attempt === 1);
  expect(keys().failed).toMatchObject([{ attempt: 0, by: peers[0], blamed: [peers[1]] }]);
  isLying = false;
  await run(() => keys().key !== undefined);
  expect(keys().key).toMatchObject({ attempt: 1, threshold: 3 });
  await made.stop();
});

test('who spoils every attempt is named in each, and after the last one allowed the group says that it has no key', async () => {
  const made = await members(2, (from, _, bytes) => {
    if (from === made.peers[1]) bytes[40] = (bytes[40] ?? 0) ^ 1;
    return bytes;
  });
  const { run, keys, peers, all } = made;
  await run(() => all[0]?.view().problem?.why === 'attempts-spent');
  expect(all[0]?.view().problem).toEqual({ why: 'attempts-spent', peers: [peers[1]] });
  expect(keys().attempt).toBe(governanceLimits.headKeyAttemptsMax - 1);
  expect(
    keys()
      .failed.filter(({ by }) => by === peers[0])
      .every(({ blamed }) => blamed.some((peer) => peer === peers[1])),
  ).toBe(true);
  expect(keys().key).toBeUndefined();
  await made.stop();
});

test('an attempt at a key is said again, given up and followed by another after as long as the limits say', async () => {
  /** When the first member said something to the other, who says nothing. */
  const saidMs: number[] = [];
  const made = await members(2, (from, _, bytes) => {
    if (from === made.peers[0]) saidMs.push(made.clock.elapsedMs());
    return from === made.peers[0] ? bytes : undefined;
  });
  const { clock, all, keys } = made;
  const look = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    all[0]?.look();
    await clock.advance(0);
  };
  await look(0);
  expect(saidMs).toEqual([0]);
  await look(limits.headKeyResendMs - 1);
  expect(saidMs).toHaveLength(1);
  await look(1);
  expect(saidMs).toEqual([0, limits.headKeyResendMs]);
  await look(limits.headKeyMs - limits.headKeyResendMs - 1);
  expect(keys().attempt).toBe(0);
  await look(1);
  expect(keys()).toMatchObject({ attempt: 1, failed: [{ attempt: 0, by: made.peers[0], blamed: [made.peers[1]] }] });
  // The next one begins so much later for each that failed.
  const before = saidMs.length;
  await look(0);
  await look(limits.headRetryMs - 1);
  expect(saidMs).toHaveLength(before);
  await look(1);
  expect(saidMs).toHaveLength(before + 1);
  await made.stop();
});
