import { concatBytes, type CryptoProvider, equalBytes, PeerAiError, utf8 } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { Verification, VerifyOptions } from '../log/check.ts';
import { damaged, damageOf } from '../log/damaged.ts';
import { appendLeaf, emptyRange, leafHash, rootOf } from '../log/merkle.ts';
import { noteFromBytes, openCheckpoint } from '../log/note.ts';
import { type LogSource, verifyLog } from '../log/verify-log.ts';

/** A log as plain files that any web server can serve: C2SP tlog-tiles. Paths have `/` between their parts. */
export interface TileFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}
/** Gives a file of the layout by its path; nothing where there is none. */
export type TileReader = (path: string) => Promise<Uint8Array | undefined>;

const width = limits.tileHashes;
/** Bytes that an entry bundle can say of one entry: its length has 16 bits. */
const bundleEntryBytesMax = 65_535;

/** `x001/x234/067` for 1,234,067; a tile that is not full yet ends in `.p/` and its width. */
export function tilePath(level: number | 'entries', index: bigint, count: number): string {
  const digits = index.toString();
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/gu) ?? [];
  const name = groups.map((group, place) => (place === groups.length - 1 ? group : `x${group}`)).join('/');
  return `tile/${level}/${name}${count === width ? '' : `.p/${count}`}`;
}

/**
 * All files of a log, tile by tile and the checkpoint last: a reader that finds it finds everything it speaks of.
 * Throws LIMIT_EXCEEDED for an entry above 65,535 bytes, which the layout can't hold.
 */
export async function* tileFiles(crypto: CryptoProvider, { note, entries }: LogSource): AsyncIterable<TileFile> {
  const levels: Uint8Array[][] = [];
  const counts: bigint[] = [];
  let bundle: Uint8Array[] = [];
  const hashesOf = (level: number): Uint8Array[] => (levels[level] ??= []);
  const add = function* (level: number, hash: Uint8Array): Generator<TileFile> {
    const hashes = hashesOf(level);
    hashes.push(hash);
    counts[level] = (counts[level] ?? 0n) + 1n;
    if (hashes.length < width) return;
    yield { path: tilePath(level, (counts[level] ?? 0n) / BigInt(width) - 1n, width), bytes: concatBytes(...hashes) };
    levels[level] = [];
    yield* add(
      level + 1,
      rootOf(
        crypto,
        hashes.reduce((range, one) => appendLeaf(crypto, range, one), emptyRange),
      ),
    );
  };
  for await (const entry of entries) {
    if (entry.length > bundleEntryBytesMax)
      throw new PeerAiError(
        'LIMIT_EXCEEDED',
        `an entry of ${entry.length} bytes; a bundle holds at most ${bundleEntryBytesMax}`,
      );
    bundle.push(concatBytes(Uint8Array.of(entry.length >> 8, entry.length & 255), entry));
    yield* add(0, leafHash(crypto, entry));
    if (bundle.length < width) continue;
    yield { path: tilePath('entries', (counts[0] ?? 0n) / BigInt(width) - 1n, width), bytes: concatBytes(...bundle) };
    bundle = [];
  }
  if (bundle.length > 0)
    yield {
      path: tilePath('entries', (counts[0] ?? 0n) / BigInt(width), bundle.length),
      bytes: concatBytes(...bundle),
    };
  for (const [level, hashes] of levels.entries())
    if (hashes.length > 0)
      yield {
        path: tilePath(level, (counts[level] ?? 0n) / BigInt(width), hashes.length),
        bytes: concatBytes(...hashes),
      };
  yield { path: 'checkpoint', bytes: utf8(note) };
}

/** The log out of such files. Throws NOT_FOUND without a checkpoint, INVALID_FORMAT, INVALID_SIGNATURE; reading entries throws LEDGER_DAMAGED. */
export async function readTiles(crypto: CryptoProvider, read: TileReader): Promise<LogSource> {
  const checkpoint = await read('checkpoint');
  if (checkpoint === undefined) throw new PeerAiError('NOT_FOUND', 'there is no checkpoint here');
  const note = noteFromBytes(checkpoint);
  const { size } = openCheckpoint(crypto, note);
  return { note, entries: bundles(read, size) };
}

async function* bundles(read: TileReader, size: bigint): AsyncIterable<Uint8Array> {
  for (let from = 0n; from < size; from += BigInt(width)) {
    const count = Number(size - from < BigInt(width) ? size - from : BigInt(width));
    const bytes = await read(tilePath('entries', from / BigInt(width), count));
    if (bytes === undefined) throw damaged(from, 'the bundle of entries is missing');
    let place = 0;
    for (let one = 0; one < count; one += 1) {
      const length = ((bytes[place] ?? 0) << 8) | (bytes[place + 1] ?? 0);
      if (place + 2 + length > bytes.length) throw damaged(from + BigInt(one), 'the bundle of entries is cut off');
      yield bytes.slice(place + 2, place + 2 + length);
      place += 2 + length;
    }
    if (place !== bytes.length) throw damaged(from + BigInt(count - 1), 'bytes after the last entry of a bundle');
  }
}

/** Checks such a folder: every entry, receipt and round under the signed checkpoint, then every tile against the entries. Throws as `readTiles`. */
export async function verifyTiles(
  crypto: CryptoProvider,
  read: TileReader,
  options: VerifyOptions = {},
): Promise<Verification> {
  const source = await readTiles(crypto, read);
  const found = await verifySource(crypto, source, options);
  if (!found.ok) return found;
  for await (const { path, bytes } of tileFiles(crypto, await readTiles(crypto, read))) {
    options.signal?.throwIfAborted();
    const stored = await read(path);
    if (stored !== undefined && equalBytes(stored, bytes)) continue;
    return {
      ...found,
      ok: false,
      firstBad: { index: 0n, reason: `the file ${path} is ${stored === undefined ? 'missing' : 'changed'}` },
    };
  }
  return found;
}

/** `verifyLog`, and what reading finds damaged is named as well. */
async function verifySource(crypto: CryptoProvider, source: LogSource, options: VerifyOptions): Promise<Verification> {
  try {
    return await verifyLog(crypto, source, options);
  } catch (error) {
    const firstBad = damageOf(error);
    if (firstBad === undefined) throw error;
    const { size } = openCheckpoint(crypto, source.note);
    return { ok: false, size, checked: 0n, receipts: 0, rounds: 0, firstBad };
  }
}
