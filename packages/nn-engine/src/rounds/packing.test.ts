import { PeerAiError } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import type { ManualClock } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { gaussian, seededUnit } from '../train/random.ts';
import { checkRun, decodeRun, encodeRun, type Learner, type RunSpec } from './index.ts';
import { carriedOver, checkUpdateBytes, meanPacking, sparseBits, updatePacking } from './packing.ts';
import { smallRun } from './testing/spec.ts';
import { closedAt, led, type Player, players, town } from './testing/town.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
/** Six hundred weights, of which an update sends 123. */
const spec: RunSpec = { ...smallRun, name: 'some that send little', size: 600, rounds: 40, bits: sparseBits };
/** Moves every weight an eighth of the way to its own number: less than what waits to be sent comes back as. */
const easing = (clock: ManualClock, goal: number): Learner => ({
  async learn(weights, { signal }) {
    await clock.sleep(1_000, signal);
    return { weights: weights.map((value) => value + (goal - value) / 8), loss: 1 };
  },
});
const normal = (seed: number): Float32Array => {
  const random = seededUnit(seed);
  return Float32Array.from({ length: spec.size }, () => gaussian(random));
};
const mostOf = (values: Float32Array, wanted: number): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value - wanted)), 0);

describe('a sparse run', () => {
  it('brings all members to the same weights, bit for bit, near what all of them want', async () => {
    const here = town();
    const [host, ...others] = players(here, 4) as [Player, ...Player[]];
    const own = (goal: number) => ({ spec, learner: easing(here.clock, goal) });
    const all = Promise.all([host.take([], own(0)), ...others.map((one, index) => one.take([host], own(index + 1)))]);
    const weights = await here.clock.until(all);
    for (const one of weights) expect(one).toEqual(weights[0]);
    for (const one of others) expect(closedAt(one)).toEqual(closedAt(host));
    expect(closedAt(host)).toHaveLength(40);
    // The mean of 0, 1, 2 and 3; each of the 600 weights is sent in about every fifth round.
    expect(mostOf(weights[0] ?? new Float32Array(), 1.5)).toBeLessThan(0.75);
  });

  it.each([
    ['coordinator', 0],
    ['member', 1],
  ] as const)('sends later what its %s held back, though the largest are the same each round', async (_, who) => {
    const here = town();
    const [host, one] = players(here, 2) as [Player, Player];
    const steady: Learner = {
      learn: async (weights) => ({ weights: weights.map((value, place) => value - (place < 200 ? 1 : 0.5)), loss: 1 }),
    };
    const still: Learner = { learn: async (weights) => ({ weights: weights.slice(), loss: 1 }) };
    const own = (place: number) => ({ spec: { ...spec, rounds: 20 }, learner: place === who ? steady : still });
    const [weights] = await here.clock.until(Promise.all([host.take([], own(0)), one.take([host], own(1))]));
    expect(weights.filter((value) => value < 0)).toHaveLength(spec.size);
  });

  it('hands in less than its bytes allow, round after round', async () => {
    const here = town();
    const [host, one] = players(here, 2) as [Player, Player];
    await here.clock.until(Promise.all([host.take([], { spec }), one.take([host], { spec })]));
    const sent = one.events.flatMap((event) => (event.type === 'submitted' ? [event.bytes] : []));
    expect(sent).toHaveLength(40);
    expect(Math.max(...sent)).toBeLessThanOrEqual(updatePacking(spec).bytesMax);
    expect(Math.min(...sent)).toBeGreaterThan(10);
  });

  it('goes on with what each member kept for itself when its coordinator is gone', async () => {
    const here = town();
    const [a, b, c, host] = players(here, 4) as [Player, Player, Player, Player];
    const first = host.take([], { spec });
    first.catch(() => undefined);
    const rest = [a, b, c].map((one, goal) => one.take([host], { spec, learner: easing(here.clock, goal) }));
    await here.clock.advance(5_500);
    expect(closedAt(a).length).toBeGreaterThan(2);
    here.networks.kill(host.peer);
    const weights = await here.clock.until(Promise.all(rest));
    for (const own of weights) expect(own).toEqual(weights[0]);
    expect(led(a)).toBe(true);
    expect(closedAt(a)).toHaveLength(40);
    // The mean of 0, 1 and 2.
    expect(mostOf(weights[0] ?? new Float32Array(), 1)).toBeLessThan(0.75);
    host.stop.abort();
  });

  it.each([
    ['with a trimmed mean and liars', { rule: 'trimmed-mean', liars: 1 }],
    ['whose members mask their updates', { rule: 'masked-sum' }],
  ] as const)('%s is refused', (_, change) => {
    expect(() => checkRun(crypto, { ...spec, ...change })).toThrow(code('INVALID_OPTION'));
  });

  it('stands liars by multi-Krum, and its terms are read as they were written', () => {
    const run = checkRun(crypto, { ...spec, rule: 'multi-krum', liars: 1, membersMin: 5 });
    expect(decodeRun(crypto, encodeRun(run))).toEqual({ ...run, sealed: undefined });
  });
});

describe('the packing of a run', () => {
  it.each([1, 4, 8] as const)('of %d bits gives back what its own packing kept, and takes no other length', (bits) => {
    const packing = updatePacking({ bits, size: spec.size });
    const delta = normal(1);
    const { bytes, residual } = packing.pack(delta);
    expect(packing.unpack(bytes)).toEqual(delta.map((value, place) => Math.fround(value - (residual[place] ?? 0))));
    for (const length of [packing.bytesMin, bytes.length, packing.bytesMax])
      expect(() => checkUpdateBytes(packing, length)).not.toThrow();
    expect(() => checkUpdateBytes(packing, packing.bytesMax + 1)).toThrow(code('SHAPE_MISMATCH'));
    if (packing.bytesMin > 0)
      expect(() => checkUpdateBytes(packing, packing.bytesMin - 1)).toThrow(code('SHAPE_MISMATCH'));
  });

  it('has none for masked updates', () => {
    expect(() => updatePacking({ bits: 32, size: 1 })).toThrow(PeerAiError);
  });

  it('what a sparse mean has no room for stays with the members that sent it', () => {
    const members = [1, 2, 3, 4, 5, 6].map((seed) => updatePacking(spec).pack(normal(seed)));
    const sent = members.map(({ bytes }) => updatePacking(spec).unpack(bytes));
    const average = Float32Array.from(
      { length: spec.size },
      (_, place) => sent.reduce((sum, one) => sum + (one[place] ?? 0), 0) / sent.length,
    );
    const mean = meanPacking(spec).unpack(meanPacking(spec).pack(average).bytes);
    // Six members send more places than a mean of 246 has.
    expect(average.filter((value) => value !== 0).length).toBeGreaterThan(mean.filter((value) => value !== 0).length);
    members.forEach(({ bytes, residual }, index) => {
      const carried = carriedOver(spec, { packed: bytes, residual }, mean);
      const own = sent[index] ?? new Float32Array();
      carried.forEach((value, place) =>
        expect(value).toBe(Math.fround((residual[place] ?? 0) + (mean[place] === 0 ? (own[place] ?? 0) : 0))),
      );
      expect(carried).not.toEqual(residual);
    });
  });

  it('of more than a bit carries over what rounding left out, and no more', () => {
    const residual = normal(8);
    const none = new Float32Array(spec.size);
    expect(carriedOver({ bits: 4, size: 600 }, { packed: new Uint8Array(), residual }, none)).toBe(residual);
  });
});
