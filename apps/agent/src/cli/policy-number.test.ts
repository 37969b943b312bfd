import { expect, test } from 'vitest';
import { policyNumber } from './policy-number.ts';

test.each([
  ['50', 50],
  ['250000', 250_000],
  ['0.25', 250_000],
  ['1.000001', 1_000_001],
  ['2points', 2_000_000],
  ['0.5 points', 500_000],
  ['1 point', 1_000_000],
  ['250000micro-points', 250_000],
  ['1 micro-point', 1],
  ['0', 0],
])('%s is %i', (text, value) => {
  expect(policyNumber(text)).toBe(value);
});

test.each([
  '',
  '.5',
  '5.',
  '-1',
  '0.1234567',
  '0.5 micro-points',
  '1 permille',
  '9007199254740992',
  '9007199255 points',
])('"%s" is refused', (text) => {
  expect(() => policyNumber(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
