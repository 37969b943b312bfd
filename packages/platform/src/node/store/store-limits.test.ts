import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { type Row, utf8 } from '@peerai/core-protocol';
import { ManualClock, silentLogger } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { limits } from '../../limits.ts';
import { storeLimits } from './limits.ts';
import { type FileStore, openStore, type StoreOptions } from './open-store.ts';

const end = '\u{10FFFF}';
const bytes = (count: number): Uint8Array => new Uint8Array(count);
const number = (value: number): string => String(value).padStart(6, '0');

let folder: string;
let path: string;
const opened: FileStore[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-limits-'));
  path = join(folder, 'deep', 'peer.db');
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true });
});

async function open(options: StoreOptions = {}): Promise<FileStore> {
  const store = await openStore(path, options);
  opened.push(store);
  return store;
}

async function filled(count: number, options: StoreOptions = {}): Promise<FileStore> {
  const store = await open(options);
  await store.commit(Array.from({ length: count }, (_, index) => store.put(number(index), bytes(10))));
  return store;
}

async function collect(rows: AsyncIterable<Row>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of rows) keys.push(key);
  return keys;
}

describe('a range longer than a page', () => {
  const count = limits.pageRowsMax * 2 + 1;
  const keys = Array.from({ length: count }, (_, index) => number(index));

  it('is still the file as it was when reading began', async () => {
    const store = await filled(count);
    const seen: string[] = [];
    for await (const { key } of store.range('', end)) {
      if (seen.length === 0) await store.commit([store.put(number(count - 1)), store.put('new', bytes(1))]);
      seen.push(key);
    }
    expect(seen).toEqual(keys);
    expect(await collect(store.range('', end, { reverse: true, limit: 1 }))).toEqual(['new']);
  });

  it('reads backwards, ends early, and lets its connection go', async () => {
    const store = await filled(count);
    expect(await collect(store.range('', end, { reverse: true }))).toEqual(keys.toReversed());
    for await (const { key } of store.range('', end)) {
      expect([key, store.stats().snapshots]).toEqual(['000000', 1]);
      break;
    }
    expect(store.stats().snapshots).toBe(0);
  });

  it('holds no connection when it ends with its first page, at the limit of a page', async () => {
    const store = await filled(limits.pageRowsMax);
    for await (const { key } of store.range('', number(limits.pageRowsMax - 1))) {
      expect([key.length, store.stats().snapshots]).toEqual([6, 0]);
    }
    for await (const _ of store.range('', end)) {
      expect(store.stats().snapshots).toBe(1);
      break;
    }
  });

  it('is cut into pages by bytes too', async () => {
    const store = await open();
    await store.commit([0, 1].map((index) => store.put(number(index), bytes(limits.pageBytesMax))));
    const reading = store.range('', end)[Symbol.asyncIterator]();
    expect((await reading.next()).value?.key).toBe('000000');
    expect(store.stats().snapshots).toBe(1);
    await reading.return?.();
  });

  it('is refused when snapshotsMax others are being read', async () => {
    const store = await filled(count);
    const readings = Array.from({ length: storeLimits.snapshotsMax }, () =>
      store.range('', end)[Symbol.asyncIterator](),
    );
    for (const reading of readings) await reading.next();
    expect(store.stats().snapshots).toBe(storeLimits.snapshotsMax);
    await expect(collect(store.range('', end))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    for (const reading of readings) await reading.return?.();
    expect(await collect(store.range('', end))).toHaveLength(count);
  });

  it('is given up when nobody reads it for snapshotIdleMsMax, and not before', async () => {
    const clock = new ManualClock();
    const store = await filled(count, { clock });
    const reading = store.range('', end)[Symbol.asyncIterator]();
    const readPage = async (): Promise<void> => {
      for (let row = 0; row < limits.pageRowsMax; row += 1) await reading.next();
    };
    await readPage();
    await clock.advance(storeLimits.snapshotIdleMsMax);
    await store.commit([store.put('x', bytes(1))]);
    await readPage();
    await clock.advance(storeLimits.snapshotIdleMsMax + 1);
    await store.commit([store.put('x', bytes(1))]);
    expect(store.stats().snapshots).toBe(0);
    await expect(readPage()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
  });
});

describe('commits', () => {
  it('that wait at the same time share transactions, at most commitsPerTransactionMax each', async () => {
    const store = await open();
    const count = storeLimits.commitsPerTransactionMax * 4;
    await Promise.all(Array.from({ length: count }, (_, index) => store.commit([store.put(number(index), bytes(1))])));
    const { commits, transactions, waitingCommits, waitingBytes } = store.stats();
    expect({ commits, waitingCommits, waitingBytes }).toEqual({ commits: count, waitingCommits: 0, waitingBytes: 0 });
    expect(transactions).toBe(4);
    await Promise.all(
      Array.from({ length: storeLimits.commitsPerTransactionMax + 1 }, () => store.commit([store.put('k', bytes(1))])),
    );
    expect(store.stats().transactions).toBe(6);
  });

  it('that wait cross to the writer at once from crossingBytes on, below that with the turn', async () => {
    const store = await open();
    const posted = vi.spyOn(Worker.prototype, 'postMessage');
    const rowBytes = 8 + 2 + 1;
    for (const [size, count] of [
      [storeLimits.crossingBytes - 1, 1],
      [storeLimits.crossingBytes, 2],
    ] as const) {
      posted.mockClear();
      const first = store.commit([store.put('a', bytes(1))]);
      await Promise.resolve();
      const second = store.commit([store.put('b', bytes(size - rowBytes))]);
      expect(posted).toHaveBeenCalledTimes(count);
      await Promise.all([first, second]);
      expect(posted).toHaveBeenCalledTimes(2);
    }
    posted.mockRestore();
  });

  it('that were asked for before close are all written, also more than one transaction holds', async () => {
    const store = await open();
    const count = storeLimits.commitsPerTransactionMax * 2 + 1;
    const commits = Array.from({ length: count }, (_, index) => store.commit([store.put(number(index), bytes(1))]));
    await Promise.all([...commits, store.close()]);
    expect(await collect((await open()).range('', end))).toHaveLength(count);
  });

  it('may wait up to waitingBytesMax bytes together, not one more', async () => {
    const store = await open();
    const value = bytes(16_777_216);
    const rowBytes = (key: string): number => 8 + 2 + key.length + value.length;
    const count = Math.floor(storeLimits.waitingBytesMax / rowBytes('k0'));
    const rest = storeLimits.waitingBytesMax - count * rowBytes('k0') - (8 + 2 + 1);
    const large = store.commit(Array.from({ length: count }, () => store.put('k0', value)));
    const last = store.commit([store.put('r', bytes(rest))]);
    expect(store.stats().waitingBytes).toBe(storeLimits.waitingBytesMax);
    await expect(store.commit([store.put('', bytes(0))])).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await Promise.all([large, last]);
    await store.commit([store.put('', bytes(0))]);
  });

  it('of rooms whose names have up to roomPathBytesMax bytes together pass', async () => {
    const store = await open();
    let room: FileStore | ReturnType<FileStore['room']> = store;
    for (let left = limits.roomPathBytesMax; left > 0; left -= 512) room = room.room('r'.repeat(511));
    await room.commit([room.put('k', bytes(1))]);
    expect(await room.get('k')).toEqual(bytes(1));
    expect(() => room.room('')).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    await expect(store.commit([{ key: 'x\0'.repeat(3_000), value: bytes(1) }])).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });

  it('are refused when the file has bytesMax bytes, nothing acknowledged is lost, and deleting makes room', async () => {
    const store = await open({ bytesMax: 10 * 8_192 });
    const acknowledged: string[] = [];
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, async (_, index) => {
        await store.commit([store.put(number(index), bytes(4_000))]);
        acknowledged.push(number(index));
      }),
    );
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(5);
    for (const result of refused) expect(result).toMatchObject({ reason: { code: 'STORE_FULL' } });
    await store.close();
    const again = await open({ bytesMax: 10 * 8_192 });
    expect(await collect(again.range('', end))).toEqual(acknowledged);
    await again.commit(acknowledged.map((key) => again.put(key)));
    await again.commit([again.put('fits', bytes(4_000))]);
  });
});

it('refuses commits that build on one for which there is no room, and takes one beside them', async () => {
  const store = await open({ bytesMax: 10 * 8_192 });
  const onto = async (from: string | undefined, to: string, count: number): Promise<string> =>
    store
      .commit([
        { ...store.put('tip', utf8(to)), expected: { value: from === undefined ? undefined : utf8(from) } },
        store.put(`row ${to}`, bytes(count)),
      ])
      .then(
        () => 'written',
        ({ code }: { code: string }) => code,
      );
  const chain = [onto(undefined, '0', 10), onto('0', '1', 100_000), onto('1', '2', 10), onto('2', '3', 10)];
  const beside = store.commit([store.put('beside', bytes(1))]);
  expect(await Promise.all(chain)).toEqual(['written', 'STORE_FULL', 'STORE_CHANGED', 'STORE_CHANGED']);
  await beside;
  expect(await collect(store.range('', end))).toEqual(['beside', 'row 0', 'tip']);
  expect(await onto('0', '1', 10)).toBe('written');
});

describe('opening', () => {
  it('makes the folder 0700 and the files 0600', async () => {
    const store = await filled(1);
    const modes = ['', '-wal', '-shm', '.lock'].map((suffix) => statSync(path + suffix).mode & 0o777);
    expect([statSync(join(folder, 'deep')).mode & 0o777, ...modes]).toEqual([0o700, 0o600, 0o600, 0o600, 0o600]);
    expect(store.stats().path).toBe(path);
  });

  it('is refused while this process has the file already', async () => {
    const store = await open();
    await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED', details: { path } });
    await store.close();
    await open();
  });

  it('is refused when a newer program wrote the file', async () => {
    await (await open()).close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 2');
    database.close();
    await expect(open()).rejects.toMatchObject({ code: 'STORE_NEWER', message: expect.stringContaining('update') });
  });

  const damages: Record<string, () => void> = {
    'an empty file': () => truncateSync(path, 0),
    'a text file': () => writeFileSync(path, 'hello, I am not a database at all'),
    'a flipped byte in the magic': () => flip(3),
    'a damaged page size': () => flip(16),
    'a damaged schema page': () => writeFileSync(path, readFileSync(path).fill(0xff, 100, 8_192)),
    'a missing half': () => truncateSync(path, 8_192 * 3),
    'damaged pages of rows': () => writeFileSync(path, readFileSync(path).fill(0xa5, 8_192, 16_384)),
    "somebody else's database": () => {
      rmSync(path);
      const database = new DatabaseSync(path);
      database.exec('CREATE TABLE theirs (x)');
      database.close();
    },
    'a lost file beside its log': () => {
      rmSync(path);
      writeFileSync(`${path}-wal`, 'something');
    },
  };
  it.each(Object.keys(damages))('refuses %s with its path and the way out, and leaves it as it is', async (name) => {
    await (await filled(2_000)).close();
    damages[name]?.();
    const before = read();
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_BROKEN',
      message: expect.stringMatching(/peer\.db.*move the file away.*restore a backup/u),
    });
    expect(read()).toEqual(before);
  });

  function flip(place: number): void {
    const content = readFileSync(path);
    content[place] = (content[place] ?? 0) ^ 0x55;
    writeFileSync(path, content);
  }

  function read(): Uint8Array | undefined {
    return statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path);
  }
});

it('refuses everything after a damage it meets while running, says so once, and works again when reopened from a good copy', async () => {
  await (await filled(20_000)).close();
  const good = readFileSync(path);
  const events: string[] = [];
  const store = await open({ logger: { ...silentLogger, error: (event) => void events.push(event) } });
  writeFileSync(path, Uint8Array.from(good).fill(0xa5, 8_192));
  await expect(collect(store.range('', end))).rejects.toMatchObject({ code: 'STORE_BROKEN' });
  await expect(store.get('000001')).rejects.toMatchObject({ code: 'STORE_BROKEN' });
  await expect(store.commit([store.put('a', bytes(1))])).rejects.toMatchObject({ code: 'STORE_BROKEN' });
  expect(events).toEqual(['store-broken']);
  await store.close();
  writeFileSync(path, good);
  expect(await (await open()).get('000001')).toEqual(bytes(10));
});

it('finishes what was asked for before it closes, twice without harm, and refuses what comes after', async () => {
  const store = await filled(limits.pageRowsMax + 1);
  const reading = store.range('', end)[Symbol.asyncIterator]();
  await reading.next();
  const commit = store.commit([store.put('last', bytes(1))]);
  await Promise.all([commit, store.close(), store.close()]);
  await expect(store.get('last')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  await expect(store.commit([])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  await expect(collect({ [Symbol.asyncIterator]: () => reading })).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  expect(await (await open()).get('last')).toEqual(bytes(1));
});
