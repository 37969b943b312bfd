import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { filesOf, gzipKb } from './sizes.ts';

const manifest = {
  'index.html': { file: 'a.js', css: ['a.css'], imports: ['shared'], dynamicImports: ['page'] },
  shared: { file: 'shared.js', imports: ['index.html'] },
  page: { file: 'page.js', imports: ['shared'] },
};

it('An entry’s files are what it imports, with styles, each once', () => {
  expect([...filesOf(manifest, 'index.html', false)].sort()).toEqual(['a.css', 'a.js', 'shared.js']);
  expect([...filesOf(manifest, 'index.html', true)].sort()).toEqual(['a.css', 'a.js', 'page.js', 'shared.js']);
  expect([...filesOf(manifest, 'index.html', true, ['page'])].sort()).toEqual(['a.css', 'a.js', 'shared.js']);
});

it('An entry that is not in the build is refused', () => {
  expect(() => filesOf(manifest, 'share.html', true)).toThrow('share.html');
});

it('Sizes are of the compressed files, in thousands of bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'peerai-bench-'));
  try {
    const text = 'x'.repeat(100_000);
    writeFileSync(join(folder, 'a.js'), text);
    writeFileSync(join(folder, 'b.js'), text);
    expect(await gzipKb(folder, ['a.js', 'b.js'])).toBe((2 * gzipSync(text, { level: 9 }).length) / 1000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
