import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtPages } from './builds.ts';
import { limits, notForGuests } from './limits.ts';

interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}

describe('The built pages', () => {
  let dist: string;
  let manifest: Readonly<Record<string, Chunk>>;
  let guest: typeof manifest;
  let tab: typeof manifest;
  beforeAll(async () => {
    dist = await builtPages();
    const read = async (name: string): Promise<typeof manifest> =>
      JSON.parse(await readFile(join(dist, '.vite', name), 'utf8')) as typeof manifest;
    manifest = await read('manifest.json');
    guest = await read('share-manifest.json');
    tab = await read('train-manifest.json');
  });

  /** Files of an entry: what it imports at once, and with `later` also what it fetches when needed, but for the sources `without`. */
  function filesOf(entry: string, later: boolean, without: readonly string[] = [], of = manifest): Set<string> {
    const files = new Set<string>();
    const seen = new Set(without);
    const queue = [entry];
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      const chunk = of[key];
      if (chunk === undefined || seen.has(key)) continue;
      seen.add(key);
      for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
      queue.push(...(chunk.imports ?? []), ...(later ? (chunk.dynamicImports ?? []) : []));
    }
    return files;
  }
  const gzipBytes = async (file: string): Promise<number> =>
    gzipSync(await readFile(join(dist, file)), { level: 9 }).length;
  async function kb(files: Iterable<string>): Promise<number> {
    const sizes = await Promise.all([...files].map(gzipBytes));
    return sizes.reduce((sum, size) => sum + size, 0) / 1000;
  }

  it('show the owner a first page within its budget', async () => {
    const files = new Set([...filesOf('index.html', false), ...filesOf('src/home/page.tsx', false)]);
    expect(await kb([...files].filter((file) => file.endsWith('.js')))).toBeLessThanOrEqual(limits.ownerScriptKb);
  });

  it('bring a guest to an answer within the budget, the network included', async () => {
    const files = filesOf('share.html', true, notForGuests, guest);
    expect([...files].some((file) => file.includes('world'))).toBe(true);
    expect(await kb([...files, 'share.html', 'theme.js'])).toBeLessThanOrEqual(limits.guestTotalKb);
  });

  it('bring a visitor into a run within the budget, but for the engine', async () => {
    const files = filesOf('train.html', true, notForGuests, tab);
    expect([...files].some((file) => file.includes('world'))).toBe(true);
    expect([...files].filter((file) => /ort|worker/.test(file))).toEqual([]);
    expect(await kb([...files, 'train.html', 'theme.js'])).toBeLessThanOrEqual(limits.tabTotalKb);
  });

  it('let a guest type long before the network is there', async () => {
    const files = filesOf('share.html', false, [], guest);
    expect([...files].some((file) => file.includes('world'))).toBe(false);
    expect(await kb([...files, 'share.html', 'theme.js'])).toBeLessThanOrEqual(limits.guestFirstPaintKb);
  });

  it('fetch no later script above its budget', async () => {
    for (const file of filesOf('index.html', true))
      expect(await kb([file]), file).toBeLessThanOrEqual(limits.lazyScriptKb);
  });

  it('carry no script and no style inside the documents', async () => {
    for (const name of ['index.html', 'share.html', 'train.html']) {
      const html = await readFile(join(dist, name), 'utf8');
      expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
      expect(html).not.toMatch(/(?:src|href)="(?!\.\/)/);
    }
  });
});
