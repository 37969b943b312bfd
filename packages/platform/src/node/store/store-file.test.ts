import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeLimits } from './limits.ts';
import { type FileStore, openStore } from './open-store.ts';

let folder: string;
let path: string;
const opened: FileStore[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-file-'));
  path = join(folder, 'peer.db');
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true });
});

async function open(): Promise<FileStore> {
  const store = await openStore(path);
  opened.push(store);
  return store;
}

describe('somebody else with the file', () => {
  it(
    'who writes for longer than storeBusyMsMax costs a commit STORE_LOCKED, not the store',
    { timeout: 30_000 },
    async () => {
      const store = await open();
      const other = new DatabaseSync(path);
      other.exec('BEGIN IMMEDIATE');
      const startMs = performance.now();
      await expect(store.commit([store.put('a', new Uint8Array(1))])).rejects.toMatchObject({ code: 'STORE_LOCKED' });
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(storeLimits.storeBusyMsMax * 0.9);
      const waiting = store.commit([store.put('b', new Uint8Array(1))]);
      setTimeout(() => other.exec('ROLLBACK'), 100);
      await waiting;
      other.close();
      expect([await store.get('a'), await store.get('b')]).toEqual([undefined, new Uint8Array(1)]);
    },
  );

  it('who lets go within storeLockWaitMs is waited for, not longer', async () => {
    const lock = new DatabaseSync(`${path}.lock`);
    lock.exec('BEGIN EXCLUSIVE');
    const startMs = performance.now();
    await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(storeLimits.storeLockWaitMs * 0.9);
    setTimeout(() => lock.close(), storeLimits.storeLockWaitMs / 2);
    await open();
  });
});

describe('pages', () => {
  /** A file of about this size whose last part is damaged. */
  async function damaged(bytes: number, part = 0.5): Promise<void> {
    const store = await open();
    const value = new Uint8Array(1_000_000);
    for (let size = 0; size < bytes; size += value.length) await store.commit([store.put(`k${size}`, value)]);
    await store.close();
    const content = readFileSync(path);
    writeFileSync(path, content.fill(0xa5, Math.floor(content.length * (1 - part))));
  }

  it('are checked at opening in a file up to storeCheckBytesMax', async () => {
    await damaged(storeLimits.storeCheckBytesMax - 3_000_000);
    expect(statSync(path).size).toBeLessThanOrEqual(storeLimits.storeCheckBytesMax);
    await expect(open()).rejects.toMatchObject({ code: 'STORE_BROKEN' });
  });

  it('are found when they are read in a larger one', async () => {
    await damaged(storeLimits.storeCheckBytesMax);
    expect(statSync(path).size).toBeGreaterThan(storeLimits.storeCheckBytesMax);
    const store = await open();
    const read = async (): Promise<number> => {
      let rows = 0;
      for await (const _ of store.range('', '\u{10FFFF}')) rows += 1;
      return rows;
    };
    await expect(read()).rejects.toMatchObject({ code: 'STORE_BROKEN' });
  });

  it('that break one transaction refuse those on their way behind it too', async () => {
    await damaged(storeLimits.storeCheckBytesMax, 0.01);
    const store = await open();
    const keys = Array.from({ length: storeLimits.commitsPerTransactionMax - 1 }, (_, index) => `a${index}`);
    const before = keys.map((key) => store.commit([store.put(key, new Uint8Array(1))]));
    const all = [...before, store.commit([store.put('k33000000')]), store.commit([store.put('a', new Uint8Array(1))])];
    const results = await Promise.allSettled(all);
    expect(results.every((result) => result.status === 'rejected')).toBe(true);
    expect(results.at(-1)).toMatchObject({ reason: { code: 'STORE_BROKEN' } });
    expect(store.stats().commits).toBe(0);
  });
});

it('keeps its log near checkpointBytes however much is written, and cuts it to writeAheadBytesKept after a long reading', async () => {
  const store = await open();
  const value = new Uint8Array(2_000_000);
  let count = 0;
  const write = async (bytes: number): Promise<void> => {
    for (let sum = 0; sum < bytes; sum += value.length) {
      // SQLite writes nothing where the bytes are the same as before.
      count += 1;
      await store.commit([store.put(`k${count % 10}`, value.fill(count))]);
    }
  };
  await write(storeLimits.checkpointBytes * 2);
  expect(statSync(`${path}-wal`).size).toBeLessThan(storeLimits.checkpointBytes + 2 * value.length);
  const reading = store.range('', '\u{10FFFF}')[Symbol.asyncIterator]();
  await reading.next();
  await write(storeLimits.writeAheadBytesKept * 1.25);
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(storeLimits.writeAheadBytesKept);
  await reading.return?.();
  await write(value.length * 4);
  expect(statSync(`${path}-wal`).size).toBeLessThanOrEqual(storeLimits.writeAheadBytesKept);
});
