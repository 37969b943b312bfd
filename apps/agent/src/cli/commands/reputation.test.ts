import { expect, test } from 'vitest';
import { lowText } from './reputation.ts';

test('who is below the floor of a new lease is named, who is at it is not', () => {
  const peers = [
    { name: 'ann', score: 0.9 },
    { name: 'bob', score: 0.25 },
    { name: 'cid', score: 0.2499 },
    { name: 'dan', score: 0 },
  ];
  expect(lowText(peers, 0.25)).toBe('Below 0.25, so without a new lease here: cid, dan.');
  expect(lowText(peers.slice(0, 2), 0.25)).toBeUndefined();
});
