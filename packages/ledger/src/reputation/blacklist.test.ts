import { describe, expect, test } from 'vitest';
import { isForgotten, isOver, lifted, type Refusal, refusalFor, reputationLimits as limits } from './index.ts';

const hourMs = 3_600_000;
const fine = 0.9;
const nowMs = 1_000 * hourMs;
const refused = (deed: Parameters<typeof refusalFor>[0], score: number, before?: Refusal, atMs = nowMs): Refusal => {
  const refusal = refusalFor(deed, score, before, atMs);
  if (refusal === undefined) throw new Error('nothing followed from it');
  return refusal;
};

describe('A refusal', () => {
  test('follows a proof at once, whatever the score', () => {
    for (const deed of ['forgery', 'equivocation', 'lie'] as const)
      expect(refused(deed, fine)).toEqual({ deed, strikes: 1, sinceMs: nowMs, untilMs: nowMs + hourMs });
  });

  test('follows a bad deed below the mark, at the mark and below it', () => {
    expect(refusalFor('timed-out', limits.refuseBelow, undefined, nowMs)).toBeUndefined();
    expect(refused('timed-out', limits.refuseBelow - 1e-9).strikes).toBe(1);
  });

  test('follows neither a good deed, nor what the owner did', () => {
    expect(refusalFor('answered', 0, undefined, nowMs)).toBeUndefined();
    expect(refusalFor('blocked', 0, undefined, nowMs)).toBeUndefined();
  });

  test('takes `firstRefusalMs` the first time, not a millisecond less', () => {
    const first = refused('lie', fine);
    expect(isOver(first, nowMs + limits.firstRefusalMs - 1)).toBe(false);
    expect(isOver(first, nowMs + limits.firstRefusalMs)).toBe(true);
  });

  test('doubles each time, up to the longest', () => {
    let refusal = refused('lie', fine);
    const hours = [1];
    while (hours.length < 12) {
      refusal = refused('lie', fine, refusal, refusal.untilMs);
      hours.push((refusal.untilMs - refusal.sinceMs) / hourMs);
    }
    expect(hours).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 720, 720]);
    expect(hours.at(-1)).toBe(limits.longestRefusalMs / hourMs);
  });

  test('is over at its end, and grows by nothing that happens before', () => {
    const first = refused('lie', fine);
    expect([isOver(first, first.untilMs - 1), isOver(first, first.untilMs)]).toEqual([false, true]);
    expect(refusalFor('lie', fine, first, first.untilMs - 1)).toBeUndefined();
  });

  test('ends when the owner says so, and the next is the longer one all the same', () => {
    const first = lifted(refused('lie', fine), nowMs + 5);
    expect(isOver(first, nowMs + 5)).toBe(true);
    expect(lifted(first, nowMs + 9).untilMs).toBe(nowMs + 5);
    expect(refused('lie', fine, first, nowMs + 5).strikes).toBe(2);
  });

  test('begins from one again when the last is long ago', () => {
    const first = refused('lie', fine);
    const [keptMs, goneMs] = [first.untilMs + limits.strikesKeptMs - 1, first.untilMs + limits.strikesKeptMs];
    expect([isForgotten(first, keptMs), isForgotten(first, goneMs)]).toEqual([false, true]);
    expect(refused('lie', fine, first, keptMs).strikes).toBe(2);
    expect(refused('lie', fine, first, goneMs).strikes).toBe(1);
  });
});
