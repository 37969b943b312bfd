import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterDeed,
  type Deed,
  deedNames,
  deeds,
  directScore,
  evidence,
  noStanding,
  type ReputationEvent,
  reputationLimits as limits,
  standingOf,
} from './index.ts';

const dayMs = 86_400_000;
const startMs = 20_000 * dayMs;
const event = (deed: Deed, id: number, timeMs = startMs): ReputationEvent => ({ id: `${deed}-${id}`, deed, timeMs });
const times = (deed: Deed, count: number, timeMs = startMs): ReputationEvent[] =>
  Array.from({ length: count }, (_, id) => event(deed, id, timeMs));
const scoreAt = (events: readonly ReputationEvent[], nowMs = startMs): number =>
  directScore(standingOf(events), nowMs).score;
const eventArbitrary = fc.record({
  id: fc.string({ minLength: 1, maxLength: 3 }),
  deed: fc.constantFrom(...deedNames),
  // Many at one time, so that their ids decide; many on one day, so that its cap does.
  timeMs: fc.integer({ min: 0, max: 6 }).map((part) => startMs + (part * dayMs) / 3),
});

describe('A score', () => {
  test('of a stranger is the first guess, and its only line', () => {
    expect(directScore(noStanding, startMs)).toEqual({
      score: 0.3,
      lines: [{ reason: 'stranger', contribution: 0.3 }],
    });
  });

  // (0.3 · 10 + G) / (10 + G + B), by hand.
  test.each<readonly [string, ReputationEvent[], number]>([
    ['one answer', times('answered', 1), 4 / 11],
    ['four tasks', times('task-done', 4), 7 / 14],
    ['one time-out', times('timed-out', 1), 3 / 10.5],
    ['three answers that do not fit', times('wrong-work', 3), 3 / 19],
    ['two answers and a lost dispute', [...times('answered', 2), ...times('dispute-lost', 1)], 5 / 17],
    ['one forgery', times('forgery', 1), 3 / 210],
  ])('after %s is as the formula says', (_, events, expected) => {
    expect(scoreAt(events)).toBeCloseTo(expected, 12);
  });

  test('is half the first guess when the bad units are `priorUnits`, above it with a deed less and below it with one more', () => {
    const late = limits.priorUnits / deeds['timed-out'].units;
    expect(scoreAt(times('timed-out', late))).toBeCloseTo(limits.strangerScore / 2, 12);
    expect(scoreAt(times('timed-out', late - 1))).toBeGreaterThan(limits.strangerScore / 2);
    expect(scoreAt(times('timed-out', late + 1))).toBeLessThan(limits.strangerScore / 2);
  });

  test('halves its evidence with each half-life, service sooner than proofs', () => {
    const served = times('answered', 6);
    expect(scoreAt(served, startMs + limits.serviceHalfLifeMs)).toBeCloseTo(6 / 13, 12);
    expect(scoreAt(times('lie', 1), startMs + limits.proofHalfLifeMs)).toBeCloseTo(3 / 110, 12);
    expect(scoreAt(served, startMs + 100 * limits.serviceHalfLifeMs)).toBeCloseTo(limits.strangerScore, 12);
  });

  test('gains no more of one day, and of one counterparty, than the caps allow: at the limit and above', () => {
    const most = limits.dayUnitsMax;
    expect(scoreAt(times('answered', most))).toBeCloseTo((3 + most) / (10 + most), 12);
    expect(scoreAt(times('answered', most + 1))).toBe(scoreAt(times('answered', most)));
    expect(scoreAt(times('answered', 10_000))).toBe(scoreAt(times('answered', most)));
    // Years of good days: the sum would be above the cap of 40 units.
    const years = Array.from({ length: 400 }, (_, day) => times('answered', most, startMs + day * dayMs)).flat();
    const named = years.map((one, id) => ({ ...one, id: `${id}` }));
    const lastMs = startMs + 399 * dayMs;
    expect(evidence(standingOf(named), lastMs).good).toBeCloseTo(limits.counterpartyUnitsMax, 9);
    expect(scoreAt(named, lastMs)).toBeCloseTo(43 / 50, 9);
    // What is proven outweighs all of it.
    expect(scoreAt([...named, event('equivocation', 1, lastMs)], lastMs)).toBeLessThan(limits.refuseBelow);
  });

  test('is never taken below the mark by refusals alone', () => {
    expect(scoreAt(times('refused', 10_000))).toBeCloseTo(3 / (10 + limits.refusalUnitsMax), 12);
    expect(scoreAt(times('refused', 10_000))).toBeGreaterThan(limits.refuseBelow);
  });

  test('counts a proof once, however often it is told', () => {
    expect(scoreAt([...times('lie', 1), ...times('lie', 1)])).toBe(scoreAt(times('lie', 1)));
    const once = afterDeed(noStanding, event('lie', 1));
    expect(afterDeed(once, event('lie', 1, startMs + dayMs))).toBe(once);
  });

  test('keeps a bounded record, and a clock set back takes nothing away', () => {
    const proofs = times('forgery', limits.proofsKeptMax + 1);
    expect(standingOf(proofs).proofs).toHaveLength(limits.proofsKeptMax);
    const later = afterDeed(noStanding, event('answered', 1, startMs + dayMs));
    expect(afterDeed(later, event('timed-out', 1, startMs)).atMs).toBe(startMs + dayMs);
  });

  test('is within 0 and 1, is the sum of its lines, rises with good deeds and falls with bad ones', () => {
    fc.assert(
      fc.property(fc.array(eventArbitrary, { maxLength: 40 }), fc.constantFrom(...deedNames), (events, deed) => {
        const before = standingOf(events);
        const { score, lines } = directScore(before, before.atMs);
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThan(1);
        expect(lines.reduce((sum, { contribution }) => sum + contribution, 0)).toBe(score);
        const after = directScore(afterDeed(before, { id: 'new', deed, timeMs: before.atMs }), before.atMs).score;
        if (deeds[deed].side === 'good') expect(after).toBeGreaterThanOrEqual(score - 1e-12);
        else expect(after).toBeLessThanOrEqual(score + 1e-12);
      }),
      { numRuns: 60 },
    );
  });

  test('is the same for the same deeds in any order, told once or twice', () => {
    const shuffled = fc
      .uniqueArray(eventArbitrary, { selector: ({ id }) => id, maxLength: 30 })
      .chain((events) =>
        fc.tuple(
          fc.constant(events),
          fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([events, other]) => {
        expect(standingOf(other)).toEqual(standingOf(events));
        expect(standingOf([...other, ...events])).toEqual(standingOf(events));
      }),
      { numRuns: 60 },
    );
  });
});
