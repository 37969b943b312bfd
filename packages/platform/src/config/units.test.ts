import { assert, integer, property } from 'fast-check';
import { expect, it } from 'vitest';
import { formatDuration, parseDurationMs, parseSizeBytes } from './units.ts';

it.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['30 s', 30_000],
  ['1h30m', 5_400_000],
  ['1.5d', 129_600_000],
  ['2H', 7_200_000],
  ['5min', 300_000],
  ['0s', 0],
])('reads the duration %s', (text, ms) => expect(parseDurationMs(text)).toBe(ms));

it.each(['', '30', '2 weeks', '-1s', '1h foo', 's', '1e3s', '9999999999999d'])('refuses the duration %j', (text) => {
  expect(() => parseDurationMs(text)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});

it('writes every duration so that it reads back the same', () => {
  expect([7_200_000, 5_400_000, 250, 0, 90_061_001].map(formatDuration)).toEqual([
    '2h',
    '1h30m',
    '250ms',
    '0s',
    '1d1h1m1s1ms',
  ]);
  assert(property(integer({ min: 0, max: 2 ** 40 }), (ms) => parseDurationMs(formatDuration(ms)) === ms));
});

it.each([
  ['10MB', 10_000_000],
  ['10 MiB', 10_485_760],
  ['512kB', 512_000],
  ['1.5KiB', 1_536],
  ['100B', 100],
])('reads the size %s', (text, bytes) => expect(parseSizeBytes(text)).toBe(bytes));

it.each(['', '10', '10 M', '-1MB', 'MB', '10TB', '99999999999999999GB', '1ib'])('refuses the size %j', (text) => {
  expect(() => parseSizeBytes(text)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});
