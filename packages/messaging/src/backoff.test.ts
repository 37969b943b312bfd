import { expect, test } from 'vitest';
import { retryMs } from './backoff.ts';

const always = (byte: number) => ({ bytes: (count: number) => new Uint8Array(count).fill(byte) });

test('waits double from 1 s to 60 s', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 40].map((failures) => retryMs(failures, always(0x80)));
  const rounded = waits.map((ms) => Math.round(ms / 500) / 2);
  expect(rounded).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test('waits differ by 20 % at most', () => {
  expect(retryMs(1, always(0))).toBe(800);
  expect(retryMs(1, always(0xff))).toBe(1_200);
  expect(retryMs(9, always(0xff))).toBe(72_000);
});
