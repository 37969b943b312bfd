import { createIdentity, type Identity, sealSigned } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { refusedMutations } from '../../test/mutations.ts';

import { limits } from '../limits.ts';
import { collectiveValue } from './collective.ts';
import { metricNames, type StateMetrics } from './metrics.ts';
import { openState, type SignedState, signState } from './signed-state.ts';
import { createStateTable } from './state-table.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const random = seededRandom(12);
const identity = (): Identity => createIdentity(crypto, random.bytes(32));
const [alice, bob, carol] = [identity(), identity(), identity()];
const nothing: StateMetrics = {
  phi: undefined,
  coherence: undefined,
  entropy: undefined,
  valence: undefined,
  arousal: undefined,
  empathy: undefined,
  insight: undefined,
};
const metrics: StateMetrics = {
  phi: 0.1,
  coherence: 1,
  entropy: 0,
  valence: -1,
  arousal: 0.5,
  empathy: 0.75,
  insight: 0.25,
};
const clock = new ManualClock();
const state = { metrics, sequence: 1, timeMs: clock.nowMs() };

describe('A signed state', () => {
  it('comes back as it was, with its peer, also where metrics are missing', () => {
    expect(openState(crypto, signState(alice, state))).toEqual({ ...state, peer: alice.peer });
    const part = { ...state, metrics: { ...nothing, valence: 0.5 } };
    expect(openState(crypto, signState(bob, part))).toEqual({ ...part, peer: bob.peer });
    expect(signState(alice, state).length).toBeLessThan(limits.stateBytesMax);
  });

  it('is not made, and not read, with a metric outside its range', () => {
    const ranges = metricNames.map((name) => ({ name, low: name === 'valence' ? -1 : 0, high: 1 }));
    for (const { name, low, high } of ranges) {
      const withValue = (value: number) => () => signState(alice, { ...state, metrics: { ...nothing, [name]: value } });
      for (const value of [low, high]) expect(withValue(value)().length).toBeGreaterThan(0);
      for (const value of [low - 0.001, high + 0.001, NaN]) expect(withValue(value)).toThrow(code('INVALID_OPTION'));
    }
    expect(() => signState(alice, { ...state, sequence: 0.5 })).toThrow(code('INVALID_OPTION'));
    expect(() => signState(alice, { ...state, timeMs: -1 })).toThrow(code('INVALID_OPTION'));
    // Sequence 1, time 1, phi 2.
    const foreign = Uint8Array.of(8, 1, 16, 1, 25, 0, 0, 0, 0, 0, 0, 0, 64);
    expect(() => openState(crypto, sealSigned(alice, 'peerai/metrics/1 state', foreign))).toThrow(
      code('INVALID_FORMAT'),
    );
  });

  it('of another kind, altered or too long is refused', () => {
    const altered = signState(alice, state);
    altered[4] = (altered[4] ?? 0) ^ 1;
    expect(() => openState(crypto, altered)).toThrow(code('INVALID_SIGNATURE'));
    const body = Uint8Array.of(8, 1, 16, 1);
    expect(openState(crypto, sealSigned(alice, 'peerai/metrics/1 state', body))).toMatchObject({ sequence: 1 });
    expect(() => openState(crypto, sealSigned(alice, 'peerai/metrics/1 other', body))).toThrow(
      code('INVALID_SIGNATURE'),
    );
    // Field 16 is unknown and skipped: two bytes of tag and two of length before it.
    const longer = (length: number): Uint8Array => {
      const bytes = signState(alice, state);
      const rest = length - bytes.length - 4;
      return Uint8Array.of(...bytes, 0x82, 1, (rest & 0x7f) | 0x80, rest >> 7, ...new Uint8Array(rest));
    };
    expect(openState(crypto, longer(limits.stateBytesMax))).toMatchObject({ peer: alice.peer });
    expect(() => openState(crypto, longer(limits.stateBytesMax + 1))).toThrow(code('INVALID_FORMAT'));
  });

  it('ten thousand mutations are read or refused with a code', () => {
    const valid = signState(alice, state);
    expect(refusedMutations(valid, random, (bytes) => openState(crypto, bytes))).toBeGreaterThan(9_900);
  });
});

describe('The table of states', () => {
  it('holds the newest of each peer, and leaves out what is old, early, replayed or forged', async () => {
    const now = new ManualClock();
    const table = createStateTable({ crypto, clock: now });
    const sign = (who: Identity, sequence: number, timeMs = now.nowMs()) =>
      signState(who, { ...state, sequence, timeMs });
    const { stateAgeMsMax, stateAheadMsMax } = limits;
    table.accept(sign(alice, 1));
    table.accept(sign(alice, 2));
    expect(() => table.accept(sign(alice, 2))).toThrow(code('REPLAY_DETECTED'));
    expect(() => table.accept(sign(alice, 3, now.nowMs() - 1))).toThrow(code('REPLAY_DETECTED'));
    table.accept(sign(bob, 1, now.nowMs() - stateAgeMsMax));
    expect(() => table.accept(sign(carol, 1, now.nowMs() - stateAgeMsMax - 1))).toThrow(code('EXPIRED'));
    expect(() => table.accept(sign(carol, 1, now.nowMs() + stateAheadMsMax + 1))).toThrow(code('CLOCK_SKEW'));
    table.accept(sign(carol, 1, now.nowMs() + stateAheadMsMax));
    expect(() => table.accept(Uint8Array.of(1, 2))).toThrow(code('INVALID_FORMAT'));
    const held = () => table.current().map(({ peer, sequence }) => [peer, sequence]);
    const all = [
      [alice.peer, 2],
      [bob.peer, 1],
      [carol.peer, 1],
    ].toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
    expect(held()).toEqual(all);
    await now.advance(1);
    expect(held()).toEqual(all.filter(([peer]) => peer !== bob.peer));
    await now.advance(stateAgeMsMax);
    expect(held()).toEqual([[carol.peer, 1]]);
    // What is gone may begin anew.
    table.accept(sign(alice, 1));
  });

  it('holds so many peers, and one more when another’s state is stale', async () => {
    const now = new ManualClock();
    // The limit is on peers, not on signatures: they are checked elsewhere, and a thousand of them would take a second here.
    const trusting = { ...crypto, ed25519: { ...crypto.ed25519, verify: () => true } };
    const table = createStateTable({ crypto: trusting, clock: now });
    const stranger = (): Uint8Array => {
      const publicKey = random.bytes(32);
      const someone = { ...alice, publicKey, sign: () => new Uint8Array(64) };
      return signState(someone, { ...state, timeMs: now.nowMs() });
    };
    for (let peer = 0; peer < limits.statePeersMax; peer += 1) table.accept(stranger());
    const first = table.current()[0];
    expect(() => table.accept(stranger())).toThrow(code('LIMIT_REACHED'));
    expect(first).toBeDefined();
    await now.advance(limits.stateAgeMsMax + 1);
    table.accept(stranger());
    expect(table.current()).toHaveLength(1);
  });
});

describe('The collective value', () => {
  const of = (who: Identity, phi: number | undefined): SignedState => ({
    ...state,
    peer: who.peer,
    metrics: { ...nothing, phi, valence: -0.5 },
  });
  const reputations = (...values: number[]) => {
    const peers = [alice, bob, carol].map(({ peer }) => peer);
    return (peer: string): number => values[peers.findIndex((one) => one === peer)] ?? 0;
  };

  it('is the mean by reputation, metric by metric over those that have it', () => {
    const states = [of(alice, 0.2), of(bob, 0.8), of(carol, undefined)];
    const { metrics: together, peers } = collectiveValue(states, reputations(3, 1, 4));
    expect(together.phi).toBeCloseTo(0.35, 12);
    expect([together.valence, together.arousal, peers]).toEqual([-0.5, undefined, 3]);
  });

  it('leaves out who has no reputation, and is nothing when nobody is left', () => {
    const states = [of(alice, 0.2), of(bob, 0.8), of(carol, 1)];
    expect(collectiveValue(states, reputations(1, 0, -1))).toMatchObject({ metrics: { phi: 0.2 }, peers: 1 });
    expect(collectiveValue(states, reputations(NaN, Infinity, 0.5))).toMatchObject({ metrics: { phi: 1 }, peers: 1 });
    for (const none of [collectiveValue(states, () => 0), collectiveValue([], () => 1)])
      expect(none).toEqual({ metrics: nothing, peers: 0 });
  });

  it('is finite for reputations of any size', () => {
    const states = [of(alice, 0.2), of(bob, 0.8)];
    expect(collectiveValue(states, () => Number.MAX_VALUE).metrics.phi).toBeCloseTo(0.5, 12);
    expect(collectiveValue(states, () => Number.MIN_VALUE).metrics.phi).toBeCloseTo(0.5, 12);
  });
});
