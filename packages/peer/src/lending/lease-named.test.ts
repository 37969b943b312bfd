import { expect, test } from 'vitest';
import { leaseNamed } from './lease-named.ts';

const leases = [{ id: '0123456789abcdef' }, { id: '0123456700000000' }, { id: 'ffff' }];

test('a lease goes by its id, or by a beginning of eight digits that no other has', () => {
  expect(leaseNamed(leases, '0123456789a')).toBe(leases[0]);
  expect(leaseNamed(leases, '0123456789abcdef')).toBe(leases[0]);
  expect(leaseNamed(leases, 'ffff')).toBe(leases[2]);
  expect(leaseNamed(leases.slice(0, 1), '01234567')).toBe(leases[0]);
});

test.each([
  ['0123456', 'needs 8 digits or more'],
  ['', 'needs 8 digits or more'],
  ['01234567', '2 leases begin with "01234567"'],
  ['fffffffff', 'there is no lease "fffffffff" here'],
])('%j is refused, and the refusal says what is missing', (text, why) => {
  const refusal = { code: 'LEASE_UNKNOWN', message: expect.stringContaining(why) as string };
  expect(() => leaseNamed(leases, text)).toThrow(expect.objectContaining(refusal));
});
