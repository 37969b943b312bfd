import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../bytes.ts';
import type { Shelf } from '../../ports/index.ts';

export interface ShelfUnderTest {
  readonly shelf: Shelf;
  readonly stop?: () => Promise<void>;
}
const gone = expect.objectContaining({ code: 'NOT_FOUND' }) as unknown;

/** What every Shelf keeps. @param make - an empty one, for each test anew. */
export function shelfContract(name: string, make: () => Promise<ShelfUnderTest> | ShelfUnderTest): void {
  describe(`${name} keeps the Shelf contract`, () => {
    let made: ShelfUnderTest;
    let shelf: Shelf;
    beforeEach(async () => {
      made = await make();
      shelf = made.shelf;
    });
    afterEach(async () => made.stop?.());

    it('gives back what was written, in whatever order, and zeros where nothing was', async () => {
      await shelf.write('in/a', 4, utf8('ef'));
      expect([...(await shelf.read('in/a', 0, 100))]).toEqual([0, 0, 0, 0, ...utf8('ef')]);
      await shelf.write('in/a', 0, utf8('abcd'));
      await shelf.write('in/a', 1, utf8('B'));
      expect(await shelf.read('in/a', 0, 100)).toEqual(utf8('aBcdef'));
      expect(await shelf.read('in/a', 4, 1)).toEqual(utf8('e'));
      expect(await shelf.read('in/a', 6, 1)).toEqual(new Uint8Array());
    });

    it('hashes the whole, an empty file too', async () => {
      await shelf.write('abc', 0, utf8('abc'));
      await shelf.write('empty', 0, new Uint8Array());
      // FIPS 180-4, its first example, and the hash of nothing.
      expect(toHex(await shelf.sha256('abc')).slice(0, 16)).toBe('ba7816bf8f01cfea');
      expect(toHex(await shelf.sha256('empty')).slice(0, 16)).toBe('e3b0c44298fc1c14');
    });

    it('moves over what is there, and does nothing the second time', async () => {
      await shelf.write('in/a', 0, utf8('new'));
      await shelf.write('out/b', 0, utf8('old and longer'));
      await shelf.move('in/a', 'out/b');
      await shelf.move('in/a', 'out/b');
      expect(await shelf.read('out/b', 0, 100)).toEqual(utf8('new'));
      await expect(shelf.read('in/a', 0, 1)).rejects.toThrow(gone);
    });

    it('lists one folder, and forgets what is removed, once and twice', async () => {
      expect(await shelf.list('in')).toEqual([]);
      for (const one of ['in/b', 'in/a', 'other/c']) await shelf.write(one, 0, utf8(one));
      expect((await shelf.list('in')).toSorted()).toEqual(['a', 'b']);
      await shelf.remove('in/a');
      await shelf.remove('in/a');
      expect(await shelf.list('in')).toEqual(['b']);
      await expect(shelf.sha256('in/a')).rejects.toThrow(gone);
    });

    it.each(['', '..', 'a/../../b', '/a', 'a//b', 'a\\b', 'a\0b', './a'])('refuses %j for a name', async (bad) => {
      const refused = expect.objectContaining({ code: 'INVALID_FORMAT' }) as unknown;
      await expect(shelf.write(bad, 0, utf8('x'))).rejects.toThrow(refused);
      await expect(shelf.read(bad, 0, 1)).rejects.toThrow(refused);
    });
  });
}
