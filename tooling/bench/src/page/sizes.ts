import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Vite's manifest of a build, as far as sizes need it. */
export type Manifest = Readonly<Record<string, Chunk>>;
interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}

/** Files of an entry: what it imports at once, and with `later` also what it fetches when needed, but for the sources `without`. Throws for an entry that is none. */
export function filesOf(
  manifest: Manifest,
  entry: string,
  later: boolean,
  without: readonly string[] = [],
): ReadonlySet<string> {
  if (manifest[entry] === undefined) throw new Error(`the build has no ${entry}`);
  const files = new Set<string>();
  const seen = new Set(without);
  const queue = [entry];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const chunk = manifest[key];
    if (chunk === undefined || seen.has(key)) continue;
    seen.add(key);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    queue.push(...(chunk.imports ?? []), ...(later ? (chunk.dynamicImports ?? []) : []));
  }
  return files;
}

/** What a server that compresses sends, kB of 1,000 bytes. */
export async function gzipKb(folder: string, files: Iterable<string>): Promise<number> {
  const sizes = await Promise.all(
    [...files].map(async (file) => gzipSync(await readFile(join(folder, file)), { level: 9 }).length),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1000;
}

/** Sources that no guest's tab fetches, because a guest asks no DHT and is in no private network; a test in the dashboard sees so in a real tab. */
export const notForGuests = [
  '../../packages/transport/src/discovery/kad.ts',
  '../../packages/transport/src/policy/private-network.ts',
];
