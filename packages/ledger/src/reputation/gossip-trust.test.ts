import type { PeerId } from '@peerai/core-protocol';
import { memoryWorld, mutated, seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crypto } from '../../test/world.ts';
import {
  type Deed,
  directScore,
  noStanding,
  openOpinion,
  type ReputationEvent,
  reputationLimits as limits,
  type Said,
  scoreOf,
  signOpinion,
  type Standing,
  standingOf,
  trustIn,
} from './index.ts';

const dayMs = 86_400_000;
const nowMs = 20_000 * dayMs;
const after = (deed: Deed, count: number, days = 1): Standing =>
  standingOf(
    Array.from({ length: count }, (_, id): ReputationEvent => ({
      id: `${id}`,
      deed,
      timeMs: nowMs - (id % days) * dayMs,
    })),
  );
const direct = (standing: Standing): number => directScore(standing, nowMs).score;
/** The best name there is to be had: served us each day for two months. */
const friend = after('answered', 480, 60);
const honest = [noStanding, after('answered', 3), after('answered', 40, 5), friend];
const ring = (size: number, of: Standing, score: number): Said[] =>
  Array.from({ length: size }, (_, teller) => ({
    teller: `${teller}` as PeerId,
    trust: trustIn(direct(of)),
    score,
    units: limits.opinionUnitsMax,
  }));
const shift = (standing: Standing, said: readonly Said[]): number =>
  Math.abs(scoreOf(standing, said, nowMs).score - direct(standing));

describe('What others say', () => {
  test('weighs by the direct score of who says it: nothing of strangers, most of friends', () => {
    expect([trustIn(0), trustIn(limits.strangerScore), trustIn(limits.trustFrom), trustIn(1)]).toEqual([0, 0, 0, 1]);
    expect(trustIn(direct(friend))).toBeGreaterThan(0.6);
  });

  test('moves by less than 0.05 what five liars say who have earned all the trust there is', () => {
    for (const standing of honest) {
      for (const said of [0, 1]) expect(shift(standing, ring(5, friend, said))).toBeLessThan(0.05);
    }
    // It is heard, though: a word that moved nothing would need no cap.
    expect(shift(friend, ring(5, friend, 0))).toBeGreaterThan(0.03);
  });

  test('moves nothing at all where fifty fresh identities say it', () => {
    for (const standing of honest) {
      for (const said of [0, 1]) expect(shift(standing, ring(50, noStanding, said))).toBe(0);
    }
  });

  test('does not get a slandered peer refused, nor a liar its name back', () => {
    const slandered = scoreOf(noStanding, ring(50, friend, 0), nowMs).score;
    expect(slandered).toBeGreaterThan(limits.refuseBelow);
    const liar = after('lie', 1);
    expect(scoreOf(liar, ring(50, friend, 1), nowMs).score).toBeLessThan(limits.refuseBelow);
  });

  test('is bounded for one teller and for all, whoever they are; the lines still sum to the score', () => {
    const said = fc.array(
      fc.record({
        teller: fc.string({ maxLength: 4 }).map((text) => text as PeerId),
        trust: fc.double({ min: 0, max: 1, noNaN: true }),
        score: fc.double({ min: 0, max: 1, noNaN: true }),
        units: fc.double({ min: 0, max: limits.opinionUnitsMax, noNaN: true }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(said, fc.constantFrom(...honest), (words, standing) => {
        const { score, lines } = scoreOf(standing, words, nowMs);
        expect(Math.abs(score - direct(standing))).toBeLessThanOrEqual(limits.saidShiftMax + 1e-12);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(lines.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(score, 12);
        for (const line of lines)
          if (line.reason === 'said') expect(Math.abs(line.contribution)).toBeLessThanOrEqual(limits.tellerShiftMax);
      }),
      { numRuns: 60 },
    );
  });

  test('counts for little where the teller has seen little', () => {
    const seen = (units: number): number =>
      shift(
        noStanding,
        ring(1, friend, 0).map((word) => ({ ...word, units })),
      );
    expect(seen(0)).toBe(0);
    expect(seen(0.1)).toBeLessThan(seen(1));
  });
});

describe('An opinion', () => {
  const [teller, subject] = [memoryWorld({ seed: 1, crypto }), memoryWorld({ seed: 2, crypto })];
  const said = { subject: subject.identity.peer, score: 0.5, good: 4, bad: 0.5, timeMs: nowMs };
  const code = (expected: string) => expect.objectContaining({ code: expected });

  test('is whose key signed it', () => {
    expect(openOpinion(crypto, signOpinion(teller.identity, said), nowMs)).toEqual({
      ...said,
      teller: teller.identity.peer,
    });
  });

  test.each([
    ['about oneself', { subject: teller.identity.peer }],
    ['above 1', { score: 1.01 }],
    ['that is no number', { score: Number.NaN }],
    ['with fewer units than none', { bad: -1 }],
    ['with too many units', { good: limits.opinionUnitsMax + 1 }],
  ])('%s is none', (_, change) => {
    expect(() => signOpinion(teller.identity, { ...said, ...change })).toThrow(code('INVALID_FORMAT'));
  });

  test('counts while it is neither too old nor yet to come, at the limits and beyond', () => {
    const signed = signOpinion(teller.identity, { ...said, good: limits.opinionUnitsMax });
    expect(signed.length).toBeLessThan(limits.opinionBytesMax);
    const at = (ageMs: number) => () => openOpinion(crypto, signed, nowMs + ageMs);
    expect(at(limits.opinionAgeMsMax)).not.toThrow();
    expect(at(limits.opinionAgeMsMax + 1)).toThrow(code('EXPIRED'));
    expect(at(-limits.opinionAheadMsMax)).not.toThrow();
    expect(at(-limits.opinionAheadMsMax - 1)).toThrow(code('CLOCK_SKEW'));
    const long = (bytes: number) => () => openOpinion(crypto, new Uint8Array(bytes), nowMs);
    expect(long(limits.opinionBytesMax)).toThrow(code('INVALID_FORMAT'));
    expect(long(limits.opinionBytesMax + 1)).toThrow(code('LIMIT_EXCEEDED'));
  });

  test('that was changed on its way is refused with a code', () => {
    const valid = signOpinion(teller.identity, said);
    const random = seededRandom(5);
    const outcomes = new Set<string>();
    for (let turn = 0; turn < 1_000; turn += 1) {
      const input = mutated(valid, random);
      try {
        outcomes.add(openOpinion(crypto, input, nowMs).teller === teller.identity.peer ? 'same' : 'another');
      } catch (error) {
        outcomes.add((error as { readonly code?: string }).code ?? String(error));
      }
    }
    expect(
      [...outcomes].filter((one) => !['same', 'INVALID_FORMAT', 'INVALID_SIGNATURE', 'LIMIT_EXCEEDED'].includes(one)),
    ).toEqual([]);
  });
});
