import { utf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { decodeEntry, encodeEntry } from './entry.ts';
import { groupRows } from './group-rows.ts';

const origin = new Uint8Array(32).map((_, index) => 200 + index);
const previous = new Uint8Array(32).map((_, index) => 7 * index);
/** On both sides of where a varint becomes a byte longer, and of what a number holds. */
const places = [0n, 127n, 128n, 2n ** 28n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const times = [0, 127, 128, 1_790_000_000_000, Number.MAX_SAFE_INTEGER];
const kinds = ['k', 'usage-receipt', 'großes', 'é'.repeat(limits.entryKindBytesMax / 2)];
const bodies = [0, 127, 128, 16_383, 16_384, limits.entryBodyBytesMax].map((length) =>
  new Uint8Array(length).map((_, index) => index),
);

test('a row written with others has the bytes of its entry written alone, behind room for its hash', () => {
  for (const timeMs of times) {
    const entries = places.flatMap((seq) => kinds.flatMap((kind) => bodies.map((body) => ({ seq, kind, body }))));
    const next = groupRows(origin, entries, timeMs);
    for (const { seq, kind, body } of entries) {
      const row = next({ kind, body }, seq, previous);
      expect(Buffer.compare(row.subarray(0, 32), new Uint8Array(32))).toBe(0);
      const alone = encodeEntry(origin, { seq, previous, kind, timeMs, body });
      expect(Buffer.compare(row.subarray(32), alone)).toBe(0);
    }
  }
});

test('the longest entry that may be has the bytes that are left for it', () => {
  const body = new Uint8Array(limits.entryBodyBytesMax);
  const kind = 'k'.repeat(limits.entryKindBytesMax);
  const row = groupRows(origin, [{ kind, body }], Number.MAX_SAFE_INTEGER)({ kind, body }, 2n ** 64n - 1n, previous);
  expect(row.length - 32).toBeLessThanOrEqual(limits.entryBytesMax);
  expect(decodeEntry(row.subarray(32))).toMatchObject({ kind, seq: 2n ** 64n - 1n });
  expect(utf8(kind)).toHaveLength(limits.entryKindBytesMax);
});
