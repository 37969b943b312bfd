import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { failureOf } from './failure.ts';
import { openFile } from './file.ts';
import { type FileStore, openStore } from './open-store.ts';

/** Another one each run; the tests are named after it, and PEERAI_SEED brings it back. */
const seed = Number(process.env['PEERAI_SEED'] ?? Date.now() % 1_000_000);
/** Every byte, some minutes; without it a sample and every place where one page or commit ends. */
const everyByte = process.env['PEERAI_TORN'] === 'all';
const random = seededRandom(seed);
const below = (count: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % count;
/** In memory where there is such a place: what is tried is what stands in the files, not the disk. */
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** Of the write-ahead log: https://sqlite.org/fileformat2.html#the_write_ahead_log */
const [walHeadBytes, frameHeadBytes, pageBytes] = [32, 24, 8_192];

let folder: string;
let store: FileStore;
beforeEach(async () => {
  folder = mkdtempSync(join(place, 'peerai-torn-'));
  store = await openStore(join(folder, 'live.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Files {
  readonly database: Uint8Array;
  readonly log: Uint8Array;
}
/** What a kill at this instant would leave behind: the files as they are, without their lock and index. */
const filesNow = (): Files => ({
  database: readFileSync(join(folder, 'live.db')),
  log: readFileSync(join(folder, 'live.db-wal')),
});

/** The keys that opening finds, or the code it refuses with. */
function reopened({ database, log }: Files): readonly string[] | string {
  const path = join(folder, 'torn.db');
  for (const suffix of ['-shm', '.lock']) rmSync(path + suffix, { force: true });
  writeFileSync(path, database);
  writeFileSync(`${path}-wal`, log);
  try {
    const file = openFile({
      path,
      bytesMax: undefined,
      busyMsMax: limits.storeBusyMsMax,
      lockWaitMs: limits.storeLockWaitMs,
      checkBytesMax: limits.storeCheckBytesMax,
      checkpointBytes: limits.checkpointBytes,
      writeAheadBytesKept: limits.writeAheadBytesKept,
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

/** A commit is two rows, so that half of one would be seen. */
const rowsOf = (commit: number): readonly string[] => [
  `${String(commit).padStart(6, '0')}a`,
  `${String(commit).padStart(6, '0')}b`,
];
const commit = (number: number): Promise<void> =>
  store.commit(rowsOf(number).map((row) => store.put(row, new TextEncoder().encode(row))));
const upTo = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => rowsOf(index)).flat();

describe('a write-ahead log that ends anywhere', () => {
  /** Bytes of the log after each commit was acknowledged. */
  const ends: number[] = [];
  async function written(): Promise<Files> {
    ends.length = 0;
    for (let number = 0; number < 4; number += 1) {
      await commit(number);
      ends.push(statSync(join(folder, 'live.db-wal')).size);
    }
    return filesNow();
  }
  const wholeAt = (bytes: number): number => ends.filter((end) => end <= bytes).length;
  function places(length: number): number[] {
    if (everyByte) return Array.from({ length }, (_, index) => index);
    const borders = new Set<number>();
    for (let frame = walHeadBytes; frame <= length; frame += frameHeadBytes + pageBytes)
      for (const near of [-1, 0, 1, frameHeadBytes]) borders.add(frame + near);
    for (let sample = 0; sample < 120; sample += 1) borders.add(below(length));
    return [...borders].filter((at) => at >= 0 && at < length);
  }

  it(`holds exactly the commits that were whole by then (seed ${seed})`, { timeout: 1_800_000 }, async () => {
    const { database, log } = await written();
    expect(reopened({ database, log })).toEqual(upTo(4));
    for (const bytes of places(log.length))
      expect(reopened({ database, log: log.subarray(0, bytes) }), `cut after ${bytes}`).toEqual(upTo(wholeAt(bytes)));
  });

  it(
    `with a changed byte gives the commits before it, or is refused, and never a changed one (seed ${seed})`,
    { timeout: 1_800_000 },
    async () => {
      const { database, log } = await written();
      for (const at of places(log.length)) {
        const changed = Uint8Array.from(log);
        changed[at] = (changed[at] ?? 0) ^ (1 << below(8));
        const found = reopened({ database, log: changed });
        // A changed head makes all of the log worthless: SQLite takes it for none.
        const fits = [upTo(0), upTo(wholeAt(at)), upTo(4)].some((rows) => String(rows) === String(found));
        expect(fits || found === 'STORE_BROKEN', `byte ${at} changed: ${String(found)}`).toBe(true);
        if (at >= walHeadBytes && at < (ends.at(-1) ?? 0) && typeof found !== 'string')
          expect(found.length, `byte ${at} changed`).toBeGreaterThanOrEqual(upTo(wholeAt(at)).length);
      }
    },
  );
});

describe(`what a kill leaves behind (seed ${seed})`, () => {
  // Several stores, so that no log gets long: what is opened 40 times has at most 120 commits.
  it.for([1, 2, 3, 4, 5])('holds all that was acknowledged and no half commit, at 40 points of store %i', async () => {
    const acknowledged = new Set<number>();
    let asked = 0;
    let underWay = 0;
    for (let point = 0; point < 40; point += 1) {
      const burst = Array.from({ length: 1 + below(3) }, async () => {
        const number = asked;
        asked += 1;
        await commit(number);
        acknowledged.add(number);
      });
      // At the first point nothing can have been answered yet.
      for (let turns = point === 0 ? 0 : below(4); turns > 0; turns -= 1)
        await new Promise((resolve) => void setImmediate(resolve));
      // The writing thread goes on meanwhile.
      for (const until = performance.now() + below(600) / 1000; performance.now() < until;);
      const known = [...acknowledged];
      const found = reopened(filesNow());
      if (typeof found === 'string') throw new PeerAiError('INTERNAL', `point ${point}: ${found}`);
      const numbers = new Set(found.map((row) => Number(row.slice(0, 6))));
      expect(
        known.filter((number) => !numbers.has(number)),
        `point ${point}`,
      ).toEqual([]);
      expect(found, `point ${point}`).toEqual([...numbers].toSorted((a, b) => a - b).flatMap(rowsOf));
      if (known.length < asked) underWay += 1;
      await Promise.all(burst);
    }
    expect(statSync(join(folder, 'live.db-wal')).size).toBeLessThan(limits.checkpointBytes);
    expect(acknowledged.size).toBe(asked);
    expect(underWay).toBeGreaterThan(0);
  });
});
