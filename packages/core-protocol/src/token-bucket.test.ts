import { expect, test } from 'vitest';
import { ManualClock } from './testing/clock.ts';
import { createTokenBucket } from './token-bucket.ts';

test('a bucket gives its burst at once, refuses the next one with the time of its token, and never holds more than its burst', async () => {
  const clock = new ManualClock();
  const bucket = createTokenBucket(clock, { burst: 3, perMinute: 60 });
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([0, 0, 0, 1_000]);
  await clock.advance(999);
  expect(bucket.take()).toBe(1);
  await clock.advance(1);
  expect([bucket.take(), bucket.take()]).toEqual([0, 1_000]);
  await clock.advance(3_600_000);
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([0, 0, 0, 1_000]);
});
