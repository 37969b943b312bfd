import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitOf, commitTo, reopened, rowsOf, tornFolder } from '../../../test/torn-log.ts';
import { storeLimits } from './limits.ts';
import { type FileStore, openStore } from './open-store.ts';

/** Another one each run; the tests are named after it, and PEERAI_SEED brings it back. */
const seed = Number(process.env['PEERAI_SEED'] ?? Date.now() % 1_000_000);
const random = seededRandom(seed);
const below = (count: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % count;

let folder: string;
let store: FileStore;
beforeEach(async () => {
  folder = tornFolder();
  store = await openStore(join(folder, 'live.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What opening finds in the files as they are now, without their lock and index: what a kill at this instant would leave behind. */
function foundNow(): readonly string[] | string {
  const path = join(folder, 'torn.db');
  rmSync(`${path}-shm`, { force: true });
  const database = readFileSync(join(folder, 'live.db'));
  writeFileSync(`${path}-wal`, readFileSync(join(folder, 'live.db-wal')));
  writeFileSync(path, database);
  return reopened(path);
}

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
        await commitTo(store, number);
        acknowledged.add(number);
      });
      // At the first point nothing can have been answered yet.
      for (let turns = point === 0 ? 0 : below(4); turns > 0; turns -= 1)
        await new Promise((resolve) => void setImmediate(resolve));
      // The writing thread goes on meanwhile.
      for (const until = performance.now() + below(600) / 1000; performance.now() < until;);
      const known = [...acknowledged];
      const found = foundNow();
      if (typeof found === 'string') throw new PeerAiError('INTERNAL', `point ${point}: ${found}`);
      const numbers = new Set(found.map(commitOf));
      expect(
        known.filter((number) => !numbers.has(number)),
        `point ${point}`,
      ).toEqual([]);
      expect(found, `point ${point}`).toEqual([...numbers].toSorted((a, b) => a - b).flatMap(rowsOf));
      if (known.length < asked) underWay += 1;
      await Promise.all(burst);
    }
    expect(statSync(join(folder, 'live.db-wal')).size).toBeLessThan(storeLimits.checkpointBytes);
    expect(acknowledged.size).toBe(asked);
    expect(underWay).toBeGreaterThan(0);
  });
});
