import { expect, test } from 'vitest';
import { policyNumber } from './policy-number.ts';

test.each([
  ['50', 50],
  ['250000', 250_000],
  ['0.25', 250_000],
  ['1.000001', 1_000_001],
  ['2credits', 2_000_000],
  ['0.5 credits', 500_000],
  ['1 credit', 1_000_000],
  ['250000micro-credits', 250_000],
  ['1 micro-credit', 1],
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
  '0.5 micro-credits',
  '1 permille',
  '9007199254740992',
  '9007199255 credits',
])('"%s" is refused', (text) => {
  expect(() => policyNumber(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
