import {
  accessSync,
  closeSync,
  constants,
  ftruncateSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { storeLimits } from '../src/node/store/limits.ts';
import { failureOf } from '../src/node/store/failure.ts';
import { openFile } from '../src/node/store/file.ts';
import { type FileStore, openStore } from '../src/node/store/open-store.ts';

/** Of the write-ahead log: https://sqlite.org/fileformat2.html#the_write_ahead_log */
const [walHeadBytes, frameHeadBytes, pageBytes] = [32, 24, 8_192];
/** Where nothing waits for a disk: what is tried is what stands in the files. */
const memory = '/dev/shm';

const hasMemory = isWritable(memory);
/** Of files that are opened some ten thousand times. */
export const tornFolder = (): string => mkdtempSync(join(hasMemory ? memory : tmpdir(), 'peerai-torn-'));

/** A commit is two rows, so that half of one would be seen. */
export const rowsOf = (commit: number): readonly string[] => [
  `${String(commit).padStart(6, '0')}a`,
  `${String(commit).padStart(6, '0')}b`,
];
export const commitTo = (store: FileStore, number: number): Promise<void> =>
  store.commit(rowsOf(number).map((row) => store.put(row, new TextEncoder().encode(row))));
export const rowsUpTo = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => rowsOf(index)).flat();
export const commitOf = (row: string): number => Number(row.slice(0, 6));

/** The rows that opening finds as the writer's thread does it, or the code it refuses with. */
export function reopened(path: string): readonly string[] | string {
  try {
    const file = openFile({
      path,
      bytesMax: undefined,
      busyMsMax: storeLimits.storeBusyMsMax,
      lockWaitMs: storeLimits.storeLockWaitMs,
      checkBytesMax: storeLimits.storeCheckBytesMax,
      checkpointBytes: storeLimits.checkpointBytes,
      writeAheadBytesKept: storeLimits.writeAheadBytesKept,
    });
    try {
      const rows = file.database.prepare('SELECT value FROM rows').all() as { value: Uint8Array }[];
      return rows.map(({ value }) => Buffer.from(value).toString()).toSorted();
    } finally {
      file.close();
    }
  } catch (error) {
    return failureOf(error, path).code;
  }
}

/** A file whose log was written twice: three commits that a checkpoint carried over, then two more from the log's beginning over the old ones. */
export interface TwiceWritten {
  /** With the first three commits. */
  readonly database: Uint8Array;
  /** The log before the two were written, and after. */
  readonly old: Uint8Array;
  readonly log: Uint8Array;
  /** Commits that are there when the log is as written up to here, and nothing of it counts after. */
  readonly commitsAt: (bytes: number) => number;
  /** Where each of the two is whole. */
  readonly ends: readonly number[];
  /** Every byte; where there is no memory to do it in, every border and each 64th. */
  readonly places: readonly number[];
}

export async function writtenTwice(folder: string): Promise<TwiceWritten> {
  const path = join(folder, 'live.db');
  const log = `${path}-wal`;
  const store = await openStore(path);
  try {
    for (let number = 0; number < 3; number += 1) await commitTo(store, number);
    const old = readFileSync(log);
    const beside = new DatabaseSync(path);
    beside.exec('PRAGMA wal_checkpoint(FULL)');
    beside.close();
    const database = readFileSync(path);
    for (let number = 3; number < 5; number += 1) await commitTo(store, number);
    const written = readFileSync(log);
    const ends = endsOf(written);
    const commitsAt = (bytes: number): number => 3 + ends.filter((end) => end <= bytes).length;
    return { database, old, log: written, ends, commitsAt, places: places(written.length) };
  } finally {
    await store.close();
  }
}

/** After which bytes a commit is whole: of frames with the log's own salt, those that name the size of the file. */
function endsOf(log: Buffer): number[] {
  const ends: number[] = [];
  for (let at = walHeadBytes; at < log.length; at += frameHeadBytes + pageBytes) {
    if (!log.subarray(at + 8, at + 16).equals(log.subarray(16, 24))) break;
    if (log.readUInt32BE(at + 4) !== 0) ends.push(at + frameHeadBytes + pageBytes);
  }
  return ends;
}

function places(length: number): number[] {
  if (hasMemory) return Array.from({ length }, (_, index) => index);
  const some = new Set<number>();
  for (let at = 0; at < length; at += 64) some.add(at);
  for (let frame = walHeadBytes; frame <= length; frame += frameHeadBytes + pageBytes)
    for (const near of [-1, 0, 1, frameHeadBytes]) some.add(frame + near);
  return [...some].filter((at) => at >= 0 && at < length);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A store that is left behind again and again, with what is in `log` by then. The log is linked, not copied: opening carries it over and
 * takes the name away, the bytes stay as they are.
 */
export function leftBehind(folder: string, database: Uint8Array, log: Uint8Array) {
  const path = join(folder, 'torn.db');
  const kept = join(folder, 'log');
  writeFileSync(kept, log);
  const file = openSync(kept, 'r+');
  return {
    /** The log ends here from now on. */
    cut: (bytes: number): void => ftruncateSync(file, bytes),
    write: (at: number, bytes: Uint8Array): void => void writeSync(file, bytes, 0, bytes.length, at),
    reopened(): readonly string[] | string {
      for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
      writeFileSync(path, database);
      linkSync(kept, `${path}-wal`);
      return reopened(path);
    },
    close: (): void => closeSync(file),
  };
}
