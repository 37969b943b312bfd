import type { Random } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { retryMs } from './backoff.ts';
import { limits } from './limits.ts';

const always = (byte: number): Random => ({ bytes: (count: number) => new Uint8Array(count).fill(byte) });
const [least, most] = [always(0), always(255)];

test('waits double from the shortest to the longest, each a share shorter or longer', () => {
  const { retryMsMin, retryMsMax, retryJitter } = limits;
  const around = (ms: number) => [Math.round(ms * (1 - retryJitter)), Math.round(ms * (1 + retryJitter))];
  const doublings = Math.floor(Math.log2(retryMsMax / retryMsMin));
  for (const [failures, ms] of [
    [0, retryMsMin],
    [1, retryMsMin],
    [2, 2 * retryMsMin],
    [1 + doublings, retryMsMin * 2 ** doublings],
    [2 + doublings, retryMsMax],
    [1_000, retryMsMax],
  ] as const) {
    expect([retryMs(failures, least), retryMs(failures, most)]).toEqual(around(ms));
  }
});
