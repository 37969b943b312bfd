import { describe, expect, test } from 'vitest';
import { all, crypto, flipped, type LedgerWorld, ledgerWorld, notes, rowsOf } from '../../test/world.ts';
import { openLedger } from '../log/open.ts';
import { entryKey, headKey, tileKey } from '../log/rows.ts';
import { type LogSource, verifyLog } from '../log/verify-log.ts';
import { verifyLedger } from '../log/verify.ts';
import { readTiles, repairLog, tileFiles, tilePath, verifyTiles } from './index.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
async function sourceOf(world: LedgerWorld): Promise<{ note: string; entries: AsyncIterable<Uint8Array> }> {
  const { note, size } = await world.ledger.checkpoint();
  return { note, entries: world.ledger.read(0n, size) };
}
async function world(count: number, later = 0): Promise<LedgerWorld> {
  const made = await ledgerWorld(1);
  await made.ledger.append(notes(count));
  if (later > 0) await made.ledger.append(notes(later, count));
  return made;
}
const repair = (own: LedgerWorld, source?: Parameters<typeof repairLog>[1]) =>
  repairLog({ store: own.room, identity: own.identity, crypto }, source);
const check = (own: LedgerWorld) => verifyLedger({ store: own.room, crypto, origin: own.identity.peer });

describe('repair of our own log', () => {
  test('puts every row back as it was, whichever was changed or lost', async () => {
    const copy = await world(300);
    const before = await rowsOf(copy.room);
    const damages: readonly (readonly [string, boolean])[] = [
      [entryKey(0n), true],
      [entryKey(120n), false],
      [entryKey(299n), true],
      [tileKey(0, 0n), true],
      [tileKey(1, 0n), false],
      [headKey, true],
      [headKey, false],
    ];
    for (const [key, changed] of damages) {
      const own = await world(300);
      const value = (await own.room.get(key)) ?? new Uint8Array();
      await own.room.commit([own.room.put(key, changed ? flipped(value, value.length - 1) : undefined)]);
      expect((await check(own)).ok).toBe(false);
      const { size, restored } = await repair(own, await sourceOf(copy));
      expect([size, restored], key).toEqual([300n, key.startsWith('e/') ? 1 : 0]);
      expect(await rowsOf(own.room)).toEqual(before);
      await openLedger({ ...own, store: own.room });
    }
  });

  test('keeps what came after the copy, and takes what the copy has more', async () => {
    const own = await world(30, 12);
    await own.room.commit([own.room.put(entryKey(4n))]);
    expect(await repair(own, await sourceOf(await world(30)))).toEqual({ size: 42n, restored: 1 });
    expect(await check(own)).toMatchObject({ ok: true, checked: 42n });
    const behind = await world(30);
    expect(await repair(behind, await sourceOf(await world(30, 12)))).toEqual({ size: 42n, restored: 12 });
    expect(await check(behind)).toMatchObject({ ok: true, checked: 42n });
    const headless = await world(30, 12);
    await headless.room.commit([headless.room.put(headKey), headless.room.put(entryKey(2n))]);
    expect(await repair(headless, await sourceOf(await world(30)))).toEqual({ size: 42n, restored: 1 });
    expect(await check(headless)).toMatchObject({ ok: true, checked: 42n });
  });

  test('needs no copy where the entries are whole: the checkpoint is found in a damaged head, and what follows from them is written anew', async () => {
    const before = await rowsOf((await world(300)).room);
    const damages: readonly (readonly [string, (value: Uint8Array) => Uint8Array | undefined])[] = [
      [tileKey(0, 0n), () => undefined],
      [tileKey(1, 0n), (value) => flipped(value, 3)],
      [headKey, (value) => flipped(value, value.length - 1)],
      [headKey, (value) => flipped(value, 1)],
    ];
    for (const [key, change] of damages) {
      const own = await world(300);
      await own.room.commit([own.room.put(key, change((await own.room.get(key)) ?? new Uint8Array()))]);
      expect(await repair(own), key).toEqual({ size: 300n, restored: 0 });
      expect(await rowsOf(own.room)).toEqual(before);
    }
    const changed = await world(300);
    await changed.room.commit([
      changed.room.put(entryKey(7n), flipped((await changed.room.get(entryKey(7n))) ?? new Uint8Array(), 40)),
    ]);
    await expect(repair(changed)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED', details: { index: 7n } });
    const unsigned = await world(30);
    await unsigned.room.commit([unsigned.room.put(headKey)]);
    await expect(repair(unsigned)).rejects.toThrow(code('LEDGER_DAMAGED'));
  });

  test('never shortens a log whose head is lost: a changed entry after the copy is refused, not cut away', async () => {
    const own = await world(30, 12);
    const changed = entryKey(41n);
    const value = (await own.room.get(changed)) ?? new Uint8Array();
    await own.room.commit([own.room.put(headKey), own.room.put(changed, flipped(value, value.length - 1))]);
    const before = await rowsOf(own.room);
    await expect(repair(own, await sourceOf(await world(30)))).rejects.toMatchObject({ details: { index: 41n } });
    await own.room.commit([own.room.put(changed, value), own.room.put(entryKey(35n))]);
    await expect(repair(own, await sourceOf(await world(30)))).rejects.toMatchObject({ details: { index: 35n } });
    await own.room.commit([
      own.room.put(changed, flipped(value, value.length - 1)),
      own.room.put(entryKey(35n), before.find(({ key }) => key === entryKey(35n))?.value),
    ]);
    expect(await rowsOf(own.room)).toEqual(before);
    expect(await repair(own, await sourceOf(await world(30, 12)))).toEqual({ size: 42n, restored: 1 });
  });

  test('is refused when signed checkpoints disagree, the copy is another one’s, or nobody has the entry; nothing changes', async () => {
    const own = await world(30, 12);
    await own.room.commit([own.room.put(entryKey(35n))]);
    const before = await rowsOf(own.room);
    await expect(repair(own, await sourceOf(await world(30)))).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      details: { index: 35n },
    });
    const other = await world(30);
    await other.ledger.append(notes(20, 800));
    await expect(repair(own, await sourceOf(other))).rejects.toThrow(code('PROOF_WRONG'));
    const stranger = await ledgerWorld(2);
    await stranger.ledger.append(notes(50));
    await expect(repair(own, await sourceOf(stranger))).rejects.toThrow(code('NOT_OUR_LOG'));
    const whole = await world(30, 12);
    const [first = new Uint8Array(), ...rest] = await all((await sourceOf(whole)).entries);
    const entries = (async function* () {
      yield flipped(first, first.length - 1);
      yield* rest;
    })();
    const bad = { note: (await whole.ledger.checkpoint()).note, entries };
    await expect(repair(own, bad)).rejects.toThrow(code('PROOF_WRONG'));
    expect(await rowsOf(own.room)).toEqual(before);
  });
});

describe('a log as files', () => {
  const filesOf = async (source: LogSource): Promise<Map<string, Uint8Array>> =>
    new Map((await all(tileFiles(crypto, source))).map(({ path, bytes }) => [path, bytes]));

  test('has the names of C2SP tlog-tiles', () => {
    expect(tilePath(0, 1_234_067n, 256)).toBe('tile/0/x001/x234/067');
    expect(tilePath(0, 0n, 256)).toBe('tile/0/000');
    expect(tilePath('entries', 273n, 5)).toBe('tile/entries/273.p/5');
    expect(tilePath(1, 1_000n, 255)).toBe('tile/1/x001/000.p/255');
  });

  test('holds a full and a partial tile, is read back whole, and repairs the log it came from', async () => {
    const own = await world(300);
    const files = await filesOf(await sourceOf(own));
    expect([...files.keys()].toSorted()).toEqual([
      'checkpoint',
      'tile/0/000',
      'tile/0/001.p/44',
      'tile/1/000.p/1',
      'tile/entries/000',
      'tile/entries/001.p/44',
    ]);
    const read = async (path: string) => files.get(path);
    expect(await verifyTiles(crypto, read)).toMatchObject({ ok: true, size: 300n, checked: 300n });
    expect((await verifyLog(crypto, await readTiles(crypto, read))).ok).toBe(true);
    const damaged = await world(300);
    await damaged.room.commit([damaged.room.put(entryKey(77n))]);
    const source = await readTiles(crypto, read);
    const entries = (async function* () {
      yield* source.entries;
    })();
    expect(await repair(damaged, { note: source.note, entries })).toEqual({ size: 300n, restored: 1 });
  });

  test('is refused with one byte changed or one file less, whichever it is', async () => {
    const files = await filesOf(await sourceOf(await world(300)));
    for (const [path, bytes] of files) {
      for (const change of [undefined, flipped(bytes, bytes.length - 1), flipped(bytes, bytes.length >> 1)]) {
        const attempt = verifyTiles(crypto, async (asked) => (asked === path ? change : files.get(asked)));
        const found = await attempt.catch((error: unknown) => error);
        expect(found, path).toMatchObject(
          path === 'checkpoint' ? { code: expect.any(String) as string } : { ok: false },
        );
      }
    }
  });
});
