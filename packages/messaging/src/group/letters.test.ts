import { expect, test } from 'vitest';
import { readLetter, writeLetter } from './letters.ts';
import { limits } from './limits.ts';

test('a letter of a group carries `mlsBytesMax` bytes of MLS, and no more', () => {
  const read = (bytes: number) =>
    readLetter(writeLetter({ group: 'ab'.repeat(16), place: 1, type: 'mls', data: new Uint8Array(bytes) }));
  expect(read(limits.mlsBytesMax).data).toHaveLength(limits.mlsBytesMax);
  expect(() => read(limits.mlsBytesMax + 1)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
});
