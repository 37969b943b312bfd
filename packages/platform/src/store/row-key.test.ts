import { expect, test } from 'vitest';
import { keyText, rowKey } from './row-key.ts';

test('a row begins with the length of its path in two bytes, and gives its key back', () => {
  for (const [pathBytes, length] of [
    [0, [0, 0]],
    [1, [0, 1]],
    [255, [0, 255]],
    [256, [1, 0]],
    [4_096, [16, 0]],
  ] as const) {
    const row = rowKey('p'.repeat(pathBytes), 'key é');
    expect([...row.subarray(0, 2)]).toEqual(length);
    expect(row).toHaveLength(2 + pathBytes + 6);
    expect(keyText(row)).toBe('key é');
  }
});
