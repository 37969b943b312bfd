import type { Row, Store } from '@peerai/core-protocol';
import { seededRandom, storeContract } from '@peerai/core-protocol/testing';
import { assert, asyncProperty, constantFrom, integer, array, record, boolean } from 'fast-check';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { limits } from '../limits.ts';
import { loadOrCreateBrowserSeed } from './browser-seed.ts';
import { openBrowserStore } from './indexeddb-store.ts';

// fake-indexeddb behaves as the specification says but writes nothing to a disk; the dashboard's browser tests run the same store in Chromium.
const end = '\u{10FFFF}';
let factory: IDBFactory;
beforeEach(() => {
  vi.stubGlobal('IDBKeyRange', IDBKeyRange);
  factory = new IDBFactory();
});

const open = (name = 'peerai'): ReturnType<typeof openBrowserStore> =>
  openBrowserStore(name, { indexedDB: factory, locks: undefined });
const number = (value: number): string => String(value).padStart(6, '0');

storeContract('the IndexedDB store', async () => {
  factory = new IDBFactory();
  let store = await open();
  return {
    store,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    stop: () => store.close(),
  };
});

async function keysOf(rows: AsyncIterable<Row>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of rows) keys.push(key);
  return keys;
}

async function fill(store: Store, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, index) => number(index * 2));
  await store.commit(keys.map((key) => store.put(key, Uint8Array.of(1))));
  return keys;
}

describe('a range of several pages', () => {
  it.each([false, true])('is read as it was when reading began, reverse %s', async (reverse) => {
    const store = await open();
    const keys = await fill(store, limits.pageRowsMax * 2 + 3);
    const seen: Row[] = [];
    for await (const row of store.range('', end, { reverse })) {
      if (seen.length === 5) {
        await store.commit(keys.map((key) => store.put(key)));
        await store.commit([
          store.put(keys[200] ?? '', Uint8Array.of(2)),
          store.put('000001', Uint8Array.of(3)),
          store.put('z', Uint8Array.of(3)),
        ]);
      }
      seen.push(row);
    }
    expect(seen.map(({ key }) => key)).toEqual(reverse ? keys.toReversed() : keys);
    expect(seen.every(({ value }) => value[0] === 1)).toBe(true);
    expect(await keysOf(store.range('', end))).toEqual(['000001', keys[200], 'z']);
  });

  it('is the same snapshot whatever is written, wherever the reading stands', async () => {
    const write = record({ at: integer({ min: 0, max: 400 }), key: integer({ min: 0, max: 800 }), remove: boolean() });
    await assert(
      asyncProperty(array(write, { maxLength: 12 }), constantFrom(true, false), async (writes, reverse) => {
        factory = new IDBFactory();
        const store = await open();
        const keys = await fill(store, 400);
        const seen: string[] = [];
        for await (const { key, value } of store.range('', end, { reverse })) {
          const due = writes.filter(({ at }) => at === seen.length);
          if (due.length > 0) {
            await store.commit(due.map((one) => store.put(number(one.key), one.remove ? undefined : Uint8Array.of(9))));
          }
          seen.push(value[0] === 1 ? key : `${key} new`);
        }
        expect(seen).toEqual(reverse ? keys.toReversed() : keys);
      }),
      { numRuns: 8 },
    );
  });

  it('is cut into pages by bytes too, and ends where the reader ends', async () => {
    const store = await open();
    await store.commit([0, 1, 2].map((index) => store.put(number(index), new Uint8Array(limits.pageBytesMax))));
    expect(await keysOf(store.range('', end, { limit: 2 }))).toEqual(['000000', '000001']);
    expect(await keysOf(store.range('', end, { limit: 0 }))).toEqual([]);
    for await (const { key } of store.range('', end)) {
      expect(key).toBe('000000');
      break;
    }
  });
});

describe('refusals', () => {
  it('says STORE_LOCKED while another tab holds the lock, and lets it go with close', async () => {
    const held = new Set<string>();
    const request = async (name: string, _: unknown, hold: (lock: unknown) => unknown): Promise<unknown> => {
      if (held.has(name)) return hold(null);
      held.add(name);
      await hold({ name });
      return held.delete(name);
    };
    const options = { indexedDB: factory, locks: { request } as never };
    const first = await openBrowserStore('one', options);
    await expect(openBrowserStore('one', options)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await first.close();
    await (await openBrowserStore('one', options)).close();
  });

  it('says STORE_NEWER for the database of a newer page', async () => {
    await new Promise<void>((resolve) => {
      const request = factory.open('peerai', 2);
      request.addEventListener('success', () => {
        request.result.close();
        resolve();
      });
    });
    await expect(open()).rejects.toMatchObject({ code: 'STORE_NEWER' });
  });

  it('says STORE_BROKEN where there is no IndexedDB, and after a newer page took the database over', async () => {
    await expect(openBrowserStore('x', { locks: undefined })).rejects.toMatchObject({ code: 'STORE_BROKEN' });
    const store = await open();
    factory.open('peerai', 2);
    await vi.waitFor(async () => expect(store.get('a')).rejects.toMatchObject({ code: 'STORE_BROKEN' }));
    await expect(store.commit([store.put('a')])).rejects.toMatchObject({ code: 'STORE_BROKEN' });
  });

  it('says STORE_FULL when the browser gives no more space, and goes on', async () => {
    const store = await open();
    await store.commit([store.put('a', Uint8Array.of(1))]);
    const { IDBObjectStore } = await import('fake-indexeddb');
    // oxlint-disable-next-line typescript/unbound-method
    const real = IDBObjectStore.prototype.put;
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function write(this: never, value, key) {
      if (put.mock.calls.length === 1) return real.call(this, value, key);
      throw new DOMException('no space', 'QuotaExceededError');
    });
    await expect(
      store.commit([store.put('half', Uint8Array.of(1)), store.put('b', Uint8Array.of(1))]),
    ).rejects.toMatchObject({ code: 'STORE_FULL' });
    put.mockRestore();
    await store.commit([store.put('c', Uint8Array.of(1))]);
    expect(await keysOf(store.range('', end))).toEqual(['a', 'c']);
  });

  it('says STORE_CHANGED to a commit that was asked for behind one for which there was no space', async () => {
    const store = await open();
    const { IDBObjectStore } = await import('fake-indexeddb');
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(() => {
      throw new DOMException('no space', 'QuotaExceededError');
    });
    const onto = (from: number | undefined, to: number): Promise<void> =>
      store.commit([
        {
          ...store.put('tip', Uint8Array.of(to)),
          expected: { value: from === undefined ? undefined : Uint8Array.of(from) },
        },
      ]);
    const [first, second] = await Promise.allSettled([onto(undefined, 0), onto(0, 1)]);
    expect(first).toMatchObject({ reason: { code: 'STORE_FULL' } });
    expect(second).toMatchObject({ reason: { code: 'STORE_CHANGED' } });
    put.mockRestore();
    await onto(undefined, 0);
    expect(await store.get('tip')).toEqual(Uint8Array.of(0));
  });

  it('says STORE_CLOSED after close, which waits for commits', async () => {
    const store = await open();
    const commit = store.commit([store.put('a', Uint8Array.of(1))]);
    await Promise.all([commit, store.close(), store.close()]);
    await expect(store.get('a')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect(await (await open()).get('a')).toEqual(Uint8Array.of(1));
  });
});

it('keeps one seed for a tab, and refuses a damaged one', async () => {
  const store = await open();
  const first = await loadOrCreateBrowserSeed(store, seededRandom(1));
  expect([first.created, first.seed.length]).toEqual([true, 32]);
  expect(await loadOrCreateBrowserSeed(store)).toEqual({ seed: first.seed, created: false });
  const room = store.room('identity');
  await room.commit([room.put('seed', new Uint8Array(31))]);
  await expect(loadOrCreateBrowserSeed(store)).rejects.toMatchObject({ code: 'KEY_FILE_BROKEN' });
});
