import { createIdentity, nobleCrypto, type PeerId, serveMethod } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { encodeStatement, type Said } from '@peerai/ledger/governance';
import { expect, test, vi } from 'vitest';
import { live } from '../testing/steps.ts';
import { createActs } from './acts.ts';
import { governanceMethod } from './governance-protocol.ts';
import type { RunningGroup } from './group.ts';
import { governanceRoomLimits as limits } from './limits.ts';

/** A member and one other of its group, who is away or here; `chance` is what its random bytes are. */
function two(chance: number, isHere = false) {
  const random = seededRandom(4);
  const someone = () => createIdentity(nobleCrypto, random.bytes(32));
  const [own, other] = [someone(), someone().peer];
  const asked: PeerId[] = [];
  const said: Said[] = [];
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random });
  const network = networks.join(own.peer);
  if (isHere)
    serveMethod(networks.join(other, { isGranted: () => true }), governanceMethod, async () => {
      asked.push(other);
      return { version: 1 };
    });
  const bytes = (length: number) => new Uint8Array(length).fill(chance);
  const deps = {
    identity: own,
    clock,
    crypto: nobleCrypto,
    random: { bytes },
    network,
    store: new MemoryStore(),
    isOnline: () => isHere,
  };
  const acts = createActs(deps as unknown as Parameters<typeof createActs>[0]);
  const group = {
    id: 'ab'.repeat(32),
    state: () => ({ members: [own.peer, other] }),
    say: async (one: Said) => void said.push(one),
  } as unknown as RunningGroup;
  const post = (hops: number) => clock.until(acts.post(group, ballotBody(), hops, live()));
  const bring = (from: PeerId, to = group) => acts.bring(to, from, ballotBody(), limits.ballotHopsMax, live());
  return { post, bring, group, other, handed: () => asked.length, brought: () => said.length };
}
function ballotBody(): Uint8Array {
  const bytes = (length: number) => new Uint8Array(length).fill(7);
  const on = 'cd'.repeat(32);
  const ballot = {
    on,
    choice: 'yes',
    token: bytes(32),
    prefix: bytes(32),
    signature: bytes(256),
    seal: bytes(64),
  } as const;
  return encodeStatement({ timeMs: 1, said: { type: 'ballot', on, ballot } }).body;
}

test('a ballot is handed on by as many members as the limit allows; the last one brings it to the chain', async () => {
  const { post, handed, brought } = two(0, true);
  await post(limits.ballotHopsMax - 1);
  expect([handed(), brought()]).toEqual([1, 0]);
  await post(limits.ballotHopsMax);
  expect([handed(), brought()]).toEqual([1, 1]);
});

test('of four chances three hand it on and one brings it', async () => {
  for (const chance of [0, 1, 2, 3]) {
    const { post, handed, brought } = two(chance, true);
    await post(1);
    const isHandedOn = chance < limits.handOnOf4;
    expect([handed(), brought()]).toEqual(isHandedOn ? [1, 0] : [0, 1]);
  }
  expect([0, 1, 2, 3].filter((chance) => chance < limits.handOnOf4)).toHaveLength(3);
});

test('its voter hands it to another first, whatever chance says, and brings it never itself; another does where nobody is here', async () => {
  for (const chance of [0, 1, 2, 3]) {
    const here = two(chance, true);
    await here.post(0);
    expect([here.handed(), here.brought()]).toEqual([1, 0]);
    const away = two(chance);
    await expect(away.post(0)).rejects.toThrow(expect.objectContaining({ code: 'PEER_UNREACHABLE' }));
    expect(away.brought()).toBe(0);
    await away.post(1);
    expect(away.brought()).toBe(1);
  }
});

test('one member has as many ballots under way here as the limit allows, and room again as they come to an end', async () => {
  const { bring, group, other } = two(0);
  const decided: (() => void)[] = [];
  const slow = { ...group, say: () => new Promise<void>((resolve) => void decided.push(resolve)) };
  const toSlow = (from: PeerId) => bring(from, slow as unknown as RunningGroup);
  for (let count = 0; count < limits.ballotsUnderWayMax; count += 1) toSlow(other);
  const full = expect.objectContaining({ code: 'LIMIT_REACHED' });
  expect(() => toSlow(other)).toThrow(full);
  toSlow('another' as PeerId);
  await vi.waitFor(() => expect(decided).toHaveLength(limits.ballotsUnderWayMax + 1));
  decided[0]?.();
  await vi.waitFor(() => expect(() => toSlow(other)).not.toThrow());
  expect(() => toSlow(other)).toThrow(full);
});
