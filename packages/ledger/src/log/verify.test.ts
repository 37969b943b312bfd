import { concatBytes, type Store, utf8 } from '@peerai/core-protocol';
import { describe, expect, test } from 'vitest';
import { all, crypto, flipped, type LedgerWorld, ledgerWorld, notes, rowsOf } from '../../test/world.ts';
import { receiptEntry } from '../receipt/receipt.ts';
import { leafHash } from './merkle.ts';
import { signCheckpoint } from './note.ts';
import { encodeEntryRow, entryKey, headKey, tileKey } from './rows.ts';
import { verifyLedger } from './verify.ts';
import { verifyLog } from './verify-log.ts';

const put = (store: Store, key: string, value?: Uint8Array): Promise<void> => store.commit([store.put(key, value)]);
const check = (world: LedgerWorld) => verifyLedger({ store: world.room, crypto, origin: world.identity.peer });

describe('verifyLedger', () => {
  test('finds one changed byte anywhere in a small stored log and names the entry', async () => {
    const world = await ledgerWorld(20);
    for (const batch of [notes(2), notes(1), notes(2)]) await world.ledger.append(batch);
    expect(await check(world)).toEqual({ ok: true, size: 5n, checked: 5n, receipts: 0, rounds: 0 });
    for (const { key, value } of await rowsOf(world.room)) {
      for (let place = 0; place < value.length; place += 1) {
        await put(world.room, key, flipped(value, place, 1 << (place % 8)));
        const { ok, firstBad } = await check(world);
        expect(ok, `${key} byte ${place}`).toBe(false);
        if (key !== headKey) expect(entryKey(firstBad?.index ?? 99n), `byte ${place}`).toBe(key);
      }
      await put(world.room, key, value);
    }
    expect((await check(world)).ok).toBe(true);
  });

  test('finds a changed byte in every row of a log with tiles, and in the tiles', async () => {
    const world = await ledgerWorld(21);
    await world.ledger.append(notes(520));
    const rows = await rowsOf(world.room);
    expect(rows.filter(({ key }) => key.startsWith('t/')).map(({ key }) => key)).toEqual([
      tileKey(0, 0n),
      tileKey(0, 1n),
      tileKey(1, 0n),
    ]);
    for (const [number, { key, value }] of rows.entries()) {
      if (number % 40 !== 0 && !key.startsWith('t/')) continue;
      await put(world.room, key, flipped(value, (number * 7) % value.length));
      const { ok, firstBad } = await check(world);
      expect(ok, key).toBe(false);
      if (key.startsWith('e/')) expect(entryKey(firstBad?.index ?? -1n)).toBe(key);
      await put(world.room, key, value);
    }
    expect((await check(world)).ok).toBe(true);
  });

  test('finds rows that are missing, added or moved', async () => {
    const world = await ledgerWorld(22);
    await world.ledger.append(notes(300));
    const rows = new Map((await rowsOf(world.room)).map(({ key, value }) => [key, value]));
    const row = (key: string): Uint8Array => rows.get(key) ?? new Uint8Array();
    const damages: [string, Uint8Array | undefined, bigint | undefined][] = [
      [entryKey(7n), undefined, 7n],
      [entryKey(299n), undefined, 299n],
      [entryKey(300n), row(entryKey(299n)), 300n],
      [entryKey(7n), row(entryKey(8n)), 7n],
      [headKey, undefined, 300n],
      [headKey, concatBytes(row(headKey), Uint8Array.of(0x38, 1)), undefined],
      [tileKey(0, 0n), undefined, 0n],
      [tileKey(0, 1n), row(tileKey(0, 0n)), undefined],
      ['what', utf8('?'), undefined],
    ];
    for (const [key, value, index] of damages) {
      await put(world.room, key, value);
      const { ok, firstBad } = await check(world);
      expect(ok, key).toBe(false);
      if (index !== undefined) expect(firstBad?.index, key).toBe(index);
      await put(world.room, key, rows.get(key));
    }
    expect((await check(world)).ok).toBe(true);
  });

  test('names the entry from which on a log was rewritten with fitting hashes', async () => {
    const [honest, forger] = [await ledgerWorld(23), await ledgerWorld(23)];
    await honest.ledger.append(notes(6));
    await forger.ledger.append(notes(4));
    await forger.ledger.append(notes(2, 40));
    for (const { key, value } of await rowsOf(forger.room)) if (key !== headKey) await put(honest.room, key, value);
    expect(await check(honest)).toMatchObject({ ok: false, firstBad: { index: 4n } });
  });

  test('refuses a receipt that was never double-signed, though its entry is in order', async () => {
    const world = await ledgerWorld(24);
    await world.ledger.append(notes(1));
    await world.ledger.append([receiptEntry(utf8('no receipt'))]);
    expect(await check(world)).toMatchObject({ ok: false, checked: 1n, firstBad: { index: 1n } });
  });

  test('tells how far it is and stops when asked', async () => {
    const world = await ledgerWorld(25);
    await world.ledger.append(notes(600));
    const seen: bigint[] = [];
    await world.ledger.verify({ onProgress: (checked) => seen.push(checked) });
    expect(seen).toEqual([256n, 512n, 600n]);
    const stop = new AbortController();
    const stopped = world.ledger.verify({ signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
  });

  test('is not confused by appends that go on meanwhile', async () => {
    const world = await ledgerWorld(26);
    await world.ledger.append(notes(100));
    const checking = world.ledger.verify();
    await world.ledger.append(notes(100));
    expect(await checking).toMatchObject({ ok: true });
  });
});

describe('opening', () => {
  test('refuses a log whose newest entries or head are damaged, with the index', async () => {
    const world = await ledgerWorld(30);
    await world.ledger.append(notes(4));
    for (const { key, value } of await rowsOf(world.room)) {
      for (let place = 0; place < value.length; place += 5) {
        await put(world.room, key, flipped(value, place));
        const error = await ledgerWorld(30, { store: world.store }).catch((cause: unknown) => cause);
        expect(error).toMatchObject({ code: 'LEDGER_DAMAGED' });
        if (key !== headKey) expect(error).toMatchObject({ details: { index: BigInt(`0x${key.slice(2)}`) } });
      }
      await put(world.room, key, value);
    }
    const rows = await rowsOf(world.room);
    await put(world.room, entryKey(4n), rows.find(({ key }) => key === entryKey(3n))?.value);
    await expect(ledgerWorld(30, { store: world.store })).rejects.toMatchObject({ details: { index: 4n } });
    await put(world.room, entryKey(4n));
    await put(world.room, entryKey(3n));
    await expect(ledgerWorld(30, { store: world.store })).rejects.toMatchObject({ details: { index: 3n } });
    await put(world.room, headKey);
    await expect(ledgerWorld(30, { store: world.store })).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' });
  });
});

test('opening refuses a head that is older than the entries', async () => {
  const world = await ledgerWorld(31);
  await world.ledger.append(notes(4));
  const head = await world.room.get(headKey);
  await world.ledger.append(notes(1, 4));
  await put(world.room, headKey, head);
  await expect(ledgerWorld(31, { store: world.store })).rejects.toMatchObject({ details: { index: 4n } });
  expect(await check(world)).toMatchObject({ ok: false, firstBad: { index: 4n } });
});

describe('verifyLog', () => {
  const source = async (world: LedgerWorld) => ({
    note: (await world.ledger.checkpoint()).note,
    entries: await all(world.ledger.read(0n, world.ledger.size)),
  });

  test('checks a log that came from elsewhere and names the entry with a changed byte', async () => {
    const world = await ledgerWorld(40);
    await world.ledger.append(notes(5));
    const { note, entries } = await source(world);
    expect(await verifyLog(crypto, { note, entries })).toEqual({
      ok: true,
      size: 5n,
      checked: 5n,
      receipts: 0,
      rounds: 0,
    });
    for (const [index, entry] of entries.entries()) {
      for (let place = 0; place < entry.length; place += 1) {
        const changed = entries.with(index, flipped(entry, place));
        const result = await verifyLog(crypto, { note, entries: changed });
        expect(result.firstBad?.index, `entry ${index} byte ${place}`).toBe(BigInt(index));
      }
    }
  });

  test('notices entries that are missing or too many, and a checkpoint of somebody else', async () => {
    const [world, other] = [await ledgerWorld(41), await ledgerWorld(42)];
    await world.ledger.append(notes(3));
    const { note, entries } = await source(world);
    const index = async (log: Parameters<typeof verifyLog>[1]) => (await verifyLog(crypto, log)).firstBad?.index;
    expect(await index({ note, entries: entries.slice(0, 2) })).toBe(2n);
    expect(await index({ note, entries: [...entries, ...entries.slice(2)] })).toBe(3n);
    expect(await index({ note, entries: entries.toReversed() })).toBe(0n);
    const foreign = signCheckpoint(crypto, other.identity, 3n, new Uint8Array(32));
    expect(await index({ note: foreign, entries })).toBe(0n);
    expect(await index({ note: 'nothing', entries })).toBe(0n);
  });
});

test('a stored hash alone does not make an entry good', async () => {
  const world = await ledgerWorld(43);
  await world.ledger.append(notes(3));
  const bytes = flipped((await all(world.ledger.read(1n, 2n)))[0] ?? new Uint8Array(), 60);
  await put(world.room, entryKey(1n), encodeEntryRow({ leaf: leafHash(crypto, bytes), bytes: concatBytes(bytes) }));
  expect((await check(world)).ok).toBe(false);
});
