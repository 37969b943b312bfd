import { utf8 } from '@peerai/core-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fileLimits } from './limits.ts';
import { keptName } from './name.ts';

const id = '0123456789abcdef0123456789abcdef';

test.each([
  ['report 2.pdf', 'report 2.pdf'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\me\\x.txt', 'x.txt'],
  ['a\u0000b\u202Ecod.exe', 'a_b_cod.exe'],
  ['-rf *', '-rf _'],
  ['. .', 'file'],
  ['', 'file'],
  ['été.tar.gz', 'été.tar.gz'],
  [`${'x'.repeat(300)}.pdf`, `${'x'.repeat(fileLimits.keptNameBytesMax - 4)}.pdf`],
])('%j is kept as %j', (name, kept) => {
  expect(keptName(id, name)).toBe(`01234567-${kept}`);
});

test('whatever a peer calls a file, it is one plain part of a path', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      const kept = keptName(id, name);
      expect(kept).toMatch(/^01234567-[^/\\\0]*[^/\\\0. ]$/u);
      expect(utf8(kept).length).toBeLessThanOrEqual(fileLimits.keptNameBytesMax + 9);
    }),
  );
});
