import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createPathQuality, inOrder, lateTicks, openingMs } from './path-quality.ts';

test('round trips are smoothed as in RFC 6298', () => {
  const quality = createPathQuality();
  expect([quality.answerMs, quality.costMs]).toEqual([0, Number.POSITIVE_INFINITY]);
  quality.measured(100);
  expect(quality.answerMs).toBe(100 + 4 * 50);
  quality.measured(180);
  expect(quality.answerMs).toBe(110 + 4 * (50 + (80 - 50) / 4));
});

test('a link whose openings fail costs more, and less again once they work', () => {
  const quality = createPathQuality();
  quality.measured(40);
  const before = quality.costMs;
  quality.tried(false);
  quality.tried(false);
  const worse = quality.costMs;
  expect(worse).toBeGreaterThan(1.5 * before);
  for (let count = 0; count < 20; count += 1) quality.tried(true);
  expect(quality.costMs).toBeLessThan(1.01 * before);
});

test('time-outs of a near link are the usual ones, those of a far one follow its round trip, up to a bound', () => {
  expect([openingMs(0), openingMs(20), openingMs(3_000)]).toEqual([2_500, 2_500, 12_000]);
  expect(openingMs(1_000_000)).toBe(limits.openOnLinkMsMax);
  expect([lateTicks(0), lateTicks(100), lateTicks(1_000)]).toEqual([0, 0, 4]);
  expect(lateTicks(1_000_000)).toBe(limits.lateTicksMax);
});

const link = (id: string, costMs: number, rank = 0) => ({ id, costMs, rank });
const ids = (links: readonly { readonly id: string }[]): string => links.map(({ id }) => id).join('');

test('the better link is taken, a direct one before any relayed one', () => {
  const unmeasured = Number.POSITIVE_INFINITY;
  expect(ids(inOrder([link('a', 300), link('b', 20), link('r', 1, 1), link('n', unmeasured)], undefined))).toBe('banr');
  expect(ids(inOrder([link('x', unmeasured), link('y', unmeasured)], 'y'))).toBe('yx');
  expect(inOrder([], 'a')).toEqual([]);
});

test('a link in use stays until another of its rank is clearly better', () => {
  // 25 % better but by 4 ms only; by more, but less than a quarter of it.
  expect(ids(inOrder([link('used', 14), link('new', 10)], 'used'))).toBe('usednew');
  expect(ids(inOrder([link('used', 100), link('new', 80)], 'used'))).toBe('usednew');
  expect(ids(inOrder([link('used', 100), link('new', 70)], 'used'))).toBe('newused');
  expect(ids(inOrder([link('used', 10, 1), link('new', 90, 0)], 'used'))).toBe('newused');
  expect(ids(inOrder([link('used', Number.POSITIVE_INFINITY), link('new', 90)], 'used'))).toBe('newused');
});

test('another link is taken when it costs less than its share and so many milliseconds less, and not at either bound', () => {
  const { betterShare, betterMs, openOnLinkMs } = limits;
  const taken = (used: number, other: number): string =>
    ids(inOrder([link('u', used), link('o', other)], 'u'))[0] ?? '';
  expect([taken(100, 100 * betterShare), taken(100, 100 * betterShare - 0.1)]).toEqual(['u', 'o']);
  const few = betterMs + 1;
  expect([taken(few, few - betterMs), taken(few, few - betterMs - 0.1)]).toEqual(['u', 'o']);
  expect([openingMs(openOnLinkMs / 4), openingMs(openOnLinkMs / 4 + 1)]).toEqual([openOnLinkMs, openOnLinkMs + 4]);
});
