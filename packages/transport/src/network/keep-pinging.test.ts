import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { keepPinging } from './link-ping.ts';

test('links are pinged each `linkPingEveryMs`, not a millisecond sooner', async () => {
  const clock = new ManualClock();
  const [stopped, rounds] = [new AbortController(), [] as number[]];
  const table = { all: () => [] } as unknown as Parameters<typeof keepPinging>[0];
  void keepPinging(table, { clock, random: seededRandom(1) }, stopped.signal, () => rounds.push(clock.elapsedMs()));
  await clock.advance(limits.linkPingEveryMs - 1);
  expect(rounds).toEqual([]);
  await clock.advance(1 + limits.linkPingEveryMs);
  expect(rounds).toEqual([limits.linkPingEveryMs, 2 * limits.linkPingEveryMs]);
  stopped.abort();
});
