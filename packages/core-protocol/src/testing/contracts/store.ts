import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../bytes.ts';
import { limits } from '../../limits.ts';
import type { Row, Store } from '../../ports/index.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** The same data as the next start of the program sees it. */
  readonly reopen?: () => Promise<Store>;
  readonly stop?: () => Promise<void>;
}

/** What every Store keeps. @param make - an empty one, for each test anew. */
export function storeContract(name: string, make: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  describe(`${name} keeps the Store contract`, () => {
    let made: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      made = await make();
      store = made.store;
    });
    afterEach(async () => made.stop?.());

    it('gives back what was committed, and nothing for a key that never was', async () => {
      await store.commit([store.put('a', utf8('1')), store.put('empty', new Uint8Array())]);
      expect(await store.get('a')).toEqual(utf8('1'));
      expect(await store.get('empty')).toEqual(new Uint8Array());
      expect(await store.get('b')).toBeUndefined();
    });

    it('writes nothing before commit, and deletes with a change that has no value', async () => {
      const change = store.put('a', utf8('1'));
      expect(await store.get('a')).toBeUndefined();
      await store.commit([change]);
      await store.commit([store.put('a')]);
      expect(await store.get('a')).toBeUndefined();
      expect(await keysOf(store.range('', end))).toEqual([]);
    });

    it('takes the last of several changes to one key, and an empty commit', async () => {
      await store.commit([store.put('a', utf8('1')), store.put('a', utf8('2'))]);
      await store.commit([]);
      expect(await store.get('a')).toEqual(utf8('2'));
    });

    it('orders keys by their UTF-8 bytes, from inclusive, to exclusive', async () => {
      const ordered = ['', 'B', 'a', 'a/1', 'aa', 'é', '\uFFFD', '\u{1F600}'];
      await store.commit(ordered.toReversed().map((key) => store.put(key, utf8(key))));
      expect(await keysOf(store.range('', end))).toEqual(ordered);
      expect(await keysOf(store.range('a', 'aa'))).toEqual(['a', 'a/1']);
      expect(await keysOf(store.range('aa', 'a'))).toEqual([]);
      expect(await keysOf(store.range('\uFFFD', '\u{1F600}'))).toEqual(['\uFFFD']);
    });

    it('reads backwards and stops at the limit', async () => {
      await store.commit(['a', 'b', 'c'].map((key) => store.put(key, utf8(key))));
      expect(await keysOf(store.range('a', 'c', { reverse: true }))).toEqual(['b', 'a']);
      expect(await keysOf(store.range('a', end, { reverse: true, limit: 2 }))).toEqual(['c', 'b']);
      expect(await keysOf(store.range('a', end, { limit: 1 }))).toEqual(['a']);
    });

    it('reads a range as it was when reading began, whatever is committed meanwhile', async () => {
      await store.commit(['a', 'b', 'c'].map((key) => store.put(key, utf8('old'))));
      const rows: Row[] = [];
      for await (const row of store.range('a', end)) {
        rows.push(row);
        await store.commit([store.put('b'), store.put('c', utf8('new')), store.put('d', utf8('new'))]);
      }
      expect(rows.map(({ key, value }) => [key, value])).toEqual(['a', 'b', 'c'].map((key) => [key, utf8('old')]));
    });

    it('keeps rooms apart, under names that look like keys, and inside one another', async () => {
      const rooms = [store, store.room('a'), store.room('a/b'), store.room('a').room('b')];
      for (const [index, room] of rooms.entries()) await room.commit([room.put('b', Uint8Array.of(index))]);
      for (const [index, room] of rooms.entries()) {
        expect(await room.get('b')).toEqual(Uint8Array.of(index));
        expect(await keysOf(room.range('', end))).toEqual(['b']);
      }
    });

    it('shares one commit between rooms', async () => {
      const [inbox, outbox] = [store.room('inbox'), store.room('outbox')];
      await store.commit([inbox.put('k', utf8('in')), outbox.put('k', utf8('out')), store.put('k', utf8('root'))]);
      expect(await inbox.get('k')).toEqual(utf8('in'));
      expect(await outbox.get('k')).toEqual(utf8('out'));
      expect(await store.room('inbox').get('k')).toEqual(utf8('in'));
      await inbox.commit([outbox.put('k')]);
      expect(await outbox.get('k')).toBeUndefined();
    });

    it('is not touched by what its callers do to their bytes', async () => {
      const value = utf8('before');
      await store.commit([store.put('a', value)]);
      value.fill(0);
      (await store.get('a'))?.fill(1);
      expect(await store.get('a')).toEqual(utf8('before'));
    });

    it('takes keys and values up to their limits and refuses one more', async () => {
      const commit = async (key: string, bytes: number): Promise<void> =>
        store.commit([store.put(key, new Uint8Array(bytes))]);
      const longest = 'é'.repeat(limits.storeKeyBytesMax / 2);
      await commit(longest, limits.storeValueBytesMax);
      expect((await store.get(longest))?.length).toBe(limits.storeValueBytesMax);
      await expect(commit(`${longest}x`, 1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      await expect(commit('a', limits.storeValueBytesMax + 1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      await expect(commit('nul\0', 1)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
      await expect(commit('\uD800', 1)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
      expect(await keysOf(store.range('', end))).toEqual([longest]);
    });

    it('applies commits that overlap in the order they were asked for', async () => {
      await Promise.all(Array.from({ length: 50 }, (_, index) => store.commit([store.put('n', Uint8Array.of(index))])));
      expect(await store.get('n')).toEqual(Uint8Array.of(49));
    });

    it('refuses all of a commit where a row is not as it expects, and only that one', async () => {
      await store.commit([store.put('a', utf8('1'))]);
      const room = store.room('r');
      const onto = (value: Uint8Array | undefined, key = 'a'): Promise<void> =>
        store.commit([room.put('b', utf8('2')), { ...store.put(key, utf8('2')), expected: { value } }]);
      for (const value of [undefined, utf8('0'), utf8('1 '), new Uint8Array()]) {
        await expect(onto(value)).rejects.toMatchObject({ code: 'STORE_CHANGED' });
      }
      await expect(onto(new Uint8Array(), 'none')).rejects.toMatchObject({ code: 'STORE_CHANGED' });
      expect([await store.get('a'), await room.get('b')]).toEqual([utf8('1'), undefined]);
      await Promise.all([onto(utf8('1')), onto(undefined, 'none')]);
      expect([await store.get('a'), await room.get('b'), await store.get('none')]).toEqual(Array(3).fill(utf8('2')));
    });

    it('looks at what is expected before it changes anything, and keeps it from its callers’ hands', async () => {
      const expected = { value: utf8('0') };
      await store.commit([store.put('n', utf8('0'))]);
      const commit = store.commit([
        store.put('n', utf8('1')),
        { ...store.put('n', utf8('2')), expected },
        { ...store.put('m'), expected: { value: undefined } },
      ]);
      expected.value.fill(0);
      await commit;
      expect(await store.get('n')).toEqual(utf8('2'));
    });

    it('takes a commit before the one that it builds on is done, and refuses all behind one that was refused', async () => {
      const step = (from: number | undefined, to: number): Promise<string> =>
        store
          .commit([
            {
              ...store.put('tip', Uint8Array.of(to)),
              expected: { value: from === undefined ? from : Uint8Array.of(from) },
            },
            store.put(`row ${to}`, Uint8Array.of(to)),
          ])
          .then(
            () => 'done',
            ({ code }: { code: string }) => code,
          );
      const first = [step(undefined, 0), step(0, 1), step(1, 2)];
      const behind = [step(9, 3), step(3, 4), step(4, 5)];
      const other = store.commit([store.put('other', utf8('1'))]);
      expect(await Promise.all([...first, ...behind])).toEqual([
        ...Array<string>(3).fill('done'),
        ...Array<string>(3).fill('STORE_CHANGED'),
      ]);
      await other;
      expect(await keysOf(store.range('', end))).toEqual(['other', 'row 0', 'row 1', 'row 2', 'tip']);
      expect(await step(2, 3)).toBe('done');
    });

    it('finds everything again after a restart', async ({ skip }) => {
      if (made.reopen === undefined) return skip('this store ends with its process');
      const room = store.room('r');
      await store.commit([store.put('a', utf8('1')), room.put('b', utf8('2'))]);
      const again = await made.reopen();
      expect(await again.get('a')).toEqual(utf8('1'));
      expect(await again.room('r').get('b')).toEqual(utf8('2'));
    });
  });
}

const end = '\u{10FFFF}';

async function keysOf(rows: AsyncIterable<Row>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of rows) keys.push(key);
  return keys;
}
