import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { leftBehind, rowsUpTo, tornFolder, type TwiceWritten, writtenTwice } from '../../../test/torn-log.ts';

let folder: string;
let was: TwiceWritten;
beforeEach(async () => {
  folder = tornFolder();
  was = await writtenTwice(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Room for a machine on which all takes twenty times as long. */
const timeout = 1_800_000;
/** So that the test's own thread can still be talked to. */
const turn = async (at: number): Promise<void> => {
  if (at % 256 === 0) await new Promise(setImmediate);
};

it('a log is as it is meant to be here: two commits of several pages over older ones', () => {
  const { log, old, ends } = was;
  const frame = 24 + 8_192;
  expect(old.length).toBe(32 + 6 * frame);
  expect(log.length).toBe(old.length);
  expect(ends).toEqual([32 + 2 * frame, 32 + 4 * frame]);
  // From there on it is the older one.
  expect(log.subarray(ends[1])).toEqual(old.subarray(ends[1]));
});

it('a log that ends after any byte holds exactly the commits that were whole by then', { timeout }, async () => {
  const { database, log, commitsAt, places } = was;
  const left = leftBehind(folder, database, log);
  expect(left.reopened()).toEqual(rowsUpTo(5));
  for (const bytes of places.toReversed()) {
    left.cut(bytes);
    expect(left.reopened(), `cut after ${bytes}`).toEqual(rowsUpTo(commitsAt(bytes)));
    await turn(bytes);
  }
  left.close();
});

it(
  'a log that is the older one after any byte holds exactly the commits that were whole by then',
  { timeout },
  async () => {
    const { database, log, old, commitsAt, places, ends } = was;
    const left = leftBehind(folder, database, log);
    /** Where old and new are the same, the new one goes on. */
    let differs = log.length;
    let after = ends.at(-1) ?? 0;
    for (const at of places.toReversed()) {
      if (at >= (ends.at(-1) ?? 0)) continue;
      for (let place = after - 1; place >= at; place -= 1) if (old[place] !== log[place]) differs = place;
      left.write(at, old.subarray(at, after));
      after = at;
      expect(left.reopened(), `older after ${at}`).toEqual(rowsUpTo(commitsAt(differs)));
      await turn(at);
    }
    left.close();
  },
);
