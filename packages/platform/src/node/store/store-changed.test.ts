import { rmSync } from 'node:fs';
import { seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { leftBehind, rowsUpTo, tornFolder, writtenTwice } from '../../../test/torn-log.ts';

/** Another one each run; the test is named after it, and PEERAI_SEED brings it back. */
const seed = Number(process.env['PEERAI_SEED'] ?? Date.now() % 1_000_000);

let folder: string;
beforeEach(() => {
  folder = tornFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it(
  `a log with one bit turned over in any byte gives exactly the commits before it, and never a changed one (seed ${seed})`,
  { timeout: 1_800_000 },
  async () => {
    const { database, log, commitsAt, places, ends } = await writtenTwice(folder);
    const left = leftBehind(folder, database, log);
    const bits = seededRandom(seed).bytes(log.length);
    for (const at of places) {
      const was = log[at] ?? 0;
      left.write(at, Uint8Array.of(was ^ (1 << ((bits[at] ?? 0) & 7))));
      // A changed head makes all of the log worthless: SQLite takes it for none. What is older counts for nothing.
      const commits = at < 32 ? 3 : commitsAt(at);
      expect(left.reopened(), `byte ${at} changed`).toEqual(rowsUpTo(commits));
      left.write(at, Uint8Array.of(was));
      if (at % 256 === 0) await new Promise(setImmediate);
    }
    expect(left.reopened()).toEqual(rowsUpTo(3 + ends.length));
    left.close();
  },
);
