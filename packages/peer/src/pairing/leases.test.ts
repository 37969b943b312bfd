import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { agreedLease, leasesOf, withLease } from './devices.ts';

const device = {
  peer: 'x' as never,
  name: 'x',
  allow: [],
  blocked: false,
  lease: 'b',
  pairedMs: 0,
  lastSeenMs: 0,
  addresses: [],
};

test('peers of which one missed a pairing come to one chain from both sides, and others keep theirs', () => {
  const both = (one: readonly string[], other: readonly string[]) => [agreedLease(one, other), agreedLease(other, one)];
  expect(both(['b', 'a'], ['a'])).toEqual(['a', 'a']);
  expect(both(['b', 'a'], ['a', 'b'])).toEqual(['b', 'b']);
  // Paired anew on both sides: the new chain, whatever its name.
  expect(both(['a', 'b'], ['a', 'b'])).toEqual(['a', 'a']);
  expect(both(['a'], ['b'])).toEqual(['a', 'b']);
  expect(both(['a'], [])).toEqual(['a', undefined]);
});

test('a device keeps the chains it had before, so many and no more', () => {
  expect(leasesOf(withLease(device, 'b'))).toEqual(['b']);
  expect(leasesOf(withLease(withLease(device, 'c'), 'b'))).toEqual(['b', 'c']);
  let one = device as Parameters<typeof withLease>[0];
  for (let count = 0; count <= limits.formerLeasesMax; count += 1) one = withLease(one, `lease ${count}`);
  expect(leasesOf(one)).toHaveLength(1 + limits.formerLeasesMax);
  expect(leasesOf(one)).not.toContain('b');
});
