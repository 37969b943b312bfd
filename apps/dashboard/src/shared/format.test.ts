import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ago,
  bytes,
  clockTime,
  count,
  plural,
  rate,
  roundTrip,
  seconds,
  sentence,
  shortCount,
  shortId,
  span,
} from './format.ts';

const minuteMs = 60_000;

describe('Numbers for people', () => {
  it('group thousands and shorten from ten thousand on', () => {
    expect(count(12_345.4)).toBe('12,345');
    expect(shortCount(9_999)).toBe('9,999');
    expect([18_200, 19_999].map(shortCount)).toEqual(['18.2k', '19.9k']);
    expect(shortCount(3_400_000)).toBe('3.4M');
  });

  it('give bytes in decimal units', () => {
    expect([0, 999, 1_000, 186_000, 4_400_000_000].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '186 kB', '4.4 GB']);
    expect(bytes(999_600)).toBe('1.0 MB');
  });

  it('give spans in at most two units', () => {
    expect(
      [-5, 20_000, 90_000, 118 * minuteMs, 120 * minuteMs, 47.99 * 60 * minuteMs, 72 * 60 * minuteMs].map(span),
    ).toEqual(['0 s', '20 s', '2 min', '1 h 58 min', '2 h', '47 h 59 min', '3 days']);
  });

  it('never say 60 minutes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60 * minuteMs, max: 48 * 60 * minuteMs }), (ms) => !span(ms).includes('60 min')),
    );
  });

  it('say when, how fast and how many', () => {
    expect(ago(1_000, 2_500)).toBe('just now');
    expect(ago(0, 8_000)).toBe('8 s ago');
    expect([210, 2_800, 34_000].map(seconds)).toEqual(['0.21 s', '2.8 s', '34 s']);
    expect([8.21, 61.4].map(roundTrip)).toEqual(['8.2 ms', '61 ms']);
    expect([3.14, 42.4].map(rate)).toEqual(['3.1 tok/s', '42 tok/s']);
    expect(plural(1, 'entry', 'entries')).toBe('1 entry');
    expect(plural(2, 'entry', 'entries')).toBe('2 entries');
    expect(shortId('7f3a91c20d5eb846ffff')).toBe('7f3a 91c2 0d5e b846');
    const noon = new Date(2026, 4, 3, 12, 5).getTime();
    expect(clockTime(noon, noon + minuteMs)).toBe('12:05');
    expect(clockTime(noon, noon + 24 * 60 * minuteMs)).toContain('May');
  });

  it('make a sentence of an error', () => {
    expect(sentence('nothing listens there')).toBe('Nothing listens there.');
    expect(sentence('Why?')).toBe('Why?');
    expect(sentence('')).toBe('');
  });
});
