import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { codeMsMax, codesMax, createSessionCodes } from './session-codes.ts';

function world() {
  const clock = new ManualClock();
  return { clock, codes: createSessionCodes({ clock, random: seededRandom(1) }) };
}

test('a code is good once', () => {
  const { codes } = world();
  const code = codes.make();
  expect(code).toMatch(/^[\w-]{43}$/);
  expect([codes.take(code), codes.take(code)]).toEqual([true, false]);
});

test('a code is good for codeMsMax, and not a millisecond longer', async () => {
  const { clock, codes } = world();
  const [inTime, late] = [codes.make(), codes.make()];
  await clock.advance(codeMsMax);
  expect(codes.take(inTime)).toBe(true);
  await clock.advance(1);
  expect(codes.take(late)).toBe(false);
});

test('codesMax codes are good at once; one more costs the oldest', () => {
  const { codes } = world();
  const all = Array.from({ length: codesMax }, () => codes.make());
  expect(all.map((code) => codes.take(code))).toEqual(all.map(() => true));
  const more = Array.from({ length: codesMax + 1 }, () => codes.make());
  expect(more.map((code) => codes.take(code))).toEqual(more.map((_, n) => n > 0));
});

test('what was never made is no code', () => {
  const { codes } = world();
  codes.make();
  expect(['', 'x', '__proto__'].map((code) => codes.take(code))).toEqual([false, false, false]);
});
