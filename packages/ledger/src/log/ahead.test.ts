import { type Change, PeerAiError, utf8 } from '@peerai/core-protocol';
import { MemoryStore } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, type LedgerWorld, ledgerWorld, note, notes } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { entryKey, headKey } from './rows.ts';

/** A disk whose commits of the log go on one by one, when the test lets them; what they do then is the memory store's. */
class SteppedStore extends MemoryStore {
  readonly waiting: ((failure?: 'STORE_FULL' | 'STORE_BROKEN') => Promise<void>)[] = [];
  isFree = false;
  override room(name: string): MemoryStore {
    const room = super.room(name);
    if (name !== 'ledger') return room;
    const commit = room.commit.bind(room);
    room.commit = async (changes: readonly Change[]) => {
      if (this.isFree) return commit(changes);
      const done = Promise.withResolvers<void>();
      this.waiting.push(async (failure) => {
        if (failure !== undefined) this.failNextCommit(failure);
        await commit(changes).then(done.resolve, done.reject);
        await turn();
      });
      await done.promise;
    };
    return room;
  }
  /** The oldest that waits. */
  async step(failure?: 'STORE_FULL' | 'STORE_BROKEN'): Promise<void> {
    await this.waiting.shift()?.(failure);
  }
  async free(): Promise<void> {
    this.isFree = true;
    while (this.waiting.length > 0) await this.step();
  }
}
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const group = limits.commitEntriesMax;
/** What an append came to: its place, or the code that it was refused with. */
const resultOf = (append: Promise<bigint>): Promise<bigint | string> =>
  append.catch((error: unknown) => (PeerAiError.is(error) ? error.code : String(error)));
const textsOf = async ({ ledger }: LedgerWorld): Promise<string[]> =>
  (await all(ledger.entries(0n, ledger.size))).map(({ entry }) => new TextDecoder().decode(entry.body));
const many = (text: string, count: number = group) => Array.from({ length: count }, (_, n) => note(`${text} ${n}`));

async function stepped(seed: number) {
  const store = new SteppedStore();
  const world = await ledgerWorld(seed, { store });
  return { store, world };
}

describe('two groups under way', () => {
  test('are on the disk one after the other, and nobody sees the second one before', async () => {
    const { store, world } = await stepped(101);
    const appends = [resultOf(world.ledger.append(many('a'))), resultOf(world.ledger.append(many('b')))];
    await turn();
    expect([store.waiting.length, world.ledger.size]).toEqual([2, 0n]);
    await store.step();
    expect([await appends[0], world.ledger.size]).toEqual([0n, BigInt(group)]);
    await expect(world.ledger.prove(BigInt(group))).rejects.toMatchObject({ code: 'NOT_IN_LOG' });
    await store.step();
    expect([await appends[1], world.ledger.size]).toEqual([BigInt(group), BigInt(2 * group)]);
    expect(await world.ledger.verify()).toMatchObject({ ok: true, checked: BigInt(2 * group) });
  });

  test('of which the first finds no room: its append is refused, the second is written where the first would be', async () => {
    const { store, world } = await stepped(102);
    const before = resultOf(world.ledger.append([note('before')]));
    await turn();
    await store.step();
    const other = world.store.room('other');
    const [first, second] = [
      resultOf(world.ledger.append(many('a'), [other.put('a', utf8('a'))])),
      resultOf(world.ledger.append(many('b'), [other.put('b', utf8('b'))])),
    ];
    await turn();
    await store.step('STORE_FULL');
    await store.step();
    expect(world.ledger.size).toBe(1n);
    await store.free();
    expect([await before, await first, await second]).toEqual([0n, 'STORE_FULL', 1n]);
    expect([await other.get('a'), await other.get('b')]).toEqual([undefined, utf8('b')]);
    expect(await textsOf(world)).toEqual(['before', ...many('b').map(({ body }) => new TextDecoder().decode(body))]);
    expect(await world.ledger.append([note('after')])).toBe(BigInt(group + 1));
    expect((await world.ledger.verify()).ok).toBe(true);
    expect(await (await ledgerWorld(102, { store: store.reopen() })).ledger.checkpoint()).toEqual(
      await world.ledger.checkpoint(),
    );
  });

  test('of which the first breaks the disk: all are refused with that, and what was acknowledged is there when it is reopened', async () => {
    const { store, world } = await stepped(103);
    const kept = resultOf(world.ledger.append(many('kept')));
    const appends = Array.from({ length: 8 }, () => resultOf(world.ledger.append(notes(group / 4))));
    await turn();
    await store.step();
    await store.step('STORE_BROKEN');
    await store.step();
    await store.free();
    expect(await kept).toBe(0n);
    expect(new Set(await Promise.all(appends))).toEqual(new Set(['STORE_BROKEN']));
    expect(await resultOf(world.ledger.append([note('more')]))).toBe('STORE_BROKEN');
    const again = await ledgerWorld(103, { store: store.reopen() });
    expect(again.ledger.size).toBe(BigInt(group));
    expect(await again.ledger.append([note('more')])).toBe(BigInt(group));
    expect((await again.ledger.verify()).ok).toBe(true);
  });

  test('are over before exclusive work begins, and none begins meanwhile', async () => {
    const { store, world } = await stepped(104);
    const appends = [world.ledger.append(many('a')), world.ledger.append(many('b'))];
    await turn();
    const work = Promise.withResolvers<void>();
    let hasBegun = false;
    const exclusive = world.ledger.exclusive(async () => {
      hasBegun = true;
      await work.promise;
    });
    const later = world.ledger.append(many('c'));
    await store.step();
    expect([hasBegun, store.waiting.length]).toEqual([false, 1]);
    await store.step();
    await turn();
    expect([hasBegun, store.waiting.length]).toEqual([true, 0]);
    store.isFree = true;
    work.resolve();
    await exclusive;
    expect(await Promise.all([...appends, later])).toEqual([0n, BigInt(group), BigInt(2 * group)]);
  });

  test('of which one is there though its disk said otherwise: it is not written twice', async () => {
    const { store, world } = await stepped(105);
    const commit = world.room.commit.bind(world.room);
    let commits = 0;
    world.room.commit = async (changes) => {
      const isFirst = (commits += 1) === 1;
      await commit(changes);
      if (isFirst) throw new PeerAiError('TIMEOUT', 'the answer was lost');
    };
    const half = many('a', group / 2);
    const appends = [half, half, many('b')].map((entries) => resultOf(world.ledger.append(entries)));
    await turn();
    await store.free();
    expect(await Promise.all(appends)).toEqual(['TIMEOUT', 'TIMEOUT', BigInt(group)]);
    expect(await world.ledger.append([note('c')])).toBe(BigInt(2 * group));
    expect((await world.ledger.verify()).ok).toBe(true);
  });
});

describe('a log that somebody else changed', () => {
  test('is read anew by the append that finds out, and goes on behind what it finds', async () => {
    const world = await ledgerWorld(106);
    await world.ledger.append(notes(3));
    const other = await ledgerWorld(106, { store: world.store });
    expect(await other.ledger.append([note('theirs')])).toBe(3n);
    expect(await resultOf(world.ledger.append([note('ours')]))).toBe('STORE_CHANGED');
    expect(await world.ledger.append([note('ours')])).toBe(4n);
    expect((await world.ledger.verify()).ok).toBe(true);
  });

  test('is closed as damaged when entries are gone that were there', async () => {
    const world = await ledgerWorld(107);
    await world.ledger.append(notes(2));
    const rows = await all(world.room.range('', '\u{10ffff}'));
    await world.ledger.append(notes(1));
    await world.room.commit([
      ...rows.map(({ key, value }) => world.room.put(key, value)),
      world.room.put(entryKey(2n)),
    ]);
    expect(await resultOf(world.ledger.append([note('more')]))).toBe('STORE_CHANGED');
    expect(await resultOf(world.ledger.append([note('more')]))).toBe('LEDGER_DAMAGED');
    expect(world.ledger.refusal).toMatchObject({ code: 'LEDGER_DAMAGED', details: { index: 2n } });
    await world.room.commit([world.room.put(headKey)]);
    expect(await world.ledger.verify()).toMatchObject({ ok: false });
  });
});

test('whichever of the groups under way fails: every append has its own place or was refused, and the log is what was acknowledged', async () => {
  const burst = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: group }), { minLength: 1, maxLength: 6 }),
    steps: fc.array(fc.constantFrom('written', 'written', 'STORE_FULL'), { maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(burst, { minLength: 1, maxLength: 3 }), fc.boolean(), async (bursts, breaks) => {
      const { store, world } = await stepped(108);
      const acknowledged = new Map<number, string>();
      let written = 0;
      for (const { sizes, steps } of bursts) {
        store.isFree = false;
        const appends = sizes.map(async (size) => {
          const texts = Array.from({ length: size }, () => `text ${(written += 1)}`);
          const first = await world.ledger.append(texts.map(note)).catch(() => undefined);
          if (first !== undefined) texts.forEach((text, at) => acknowledged.set(Number(first) + at, text));
        });
        await turn();
        for (const step of steps) await store.step(step === 'written' ? undefined : step);
        if (breaks) await store.step('STORE_BROKEN');
        await store.free();
        await Promise.all(appends);
      }
      const again = await ledgerWorld(108, { store: store.reopen() });
      const places = [...acknowledged.keys()].toSorted((a, b) => a - b);
      expect(await textsOf(again)).toEqual(places.map((place) => acknowledged.get(place)));
      expect(again.ledger.size).toBe(BigInt(places.length));
    }),
    { numRuns: 12 },
  );
});
