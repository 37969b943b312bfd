import { PeerAiError, utf8 } from '@peerai/core-protocol';
import { MemoryStore } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, crypto, ledgerWorld, note, notes } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { verifyConsistency } from './merkle.ts';
import { openCheckpoint } from './note.ts';
import { openLedger } from './open.ts';
import { verifyProof } from './proof-file.ts';

/** Counts what reaches the disk. */
class CountingStore extends MemoryStore {
  commits = 0;
  override room(name: string): MemoryStore {
    const room = super.room(name);
    const commit = room.commit.bind(room);
    room.commit = async (changes) => {
      this.commits += 1;
      return commit(changes);
    };
    return room;
  }
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (PeerAiError.is(error) ? error.code : String(error)),
  );

describe('a log', () => {
  test('keeps entries in the order of the calls and comes back the same after a restart', async () => {
    const world = await ledgerWorld(1);
    const firsts = await Promise.all([
      world.ledger.append(notes(3)),
      world.ledger.append([note('three')]),
      world.ledger.append(notes(2, 4)),
    ]);
    expect(firsts).toEqual([0n, 3n, 4n]);
    const before = await world.ledger.checkpoint();
    const again = await ledgerWorld(1, { store: world.store });
    expect(await again.ledger.checkpoint()).toEqual(before);
    const texts = (await all(again.ledger.entries(0n, 99n))).map(({ entry }) => new TextDecoder().decode(entry.body));
    expect(texts).toEqual(['note 0', 'note 1', 'note 2', 'three', 'note 4', 'note 5']);
    expect(await again.ledger.append([note('later')])).toBe(6n);
    expect((await again.ledger.verify()).ok).toBe(true);
  });

  test('puts appends that arrive together into one commit', async () => {
    const store = new CountingStore();
    const world = await ledgerWorld(2, { store });
    await Promise.all(notes(200).map((entry) => world.ledger.append([entry])));
    expect(store.commits).toBe(1);
    expect(world.ledger.size).toBe(200n);
  });

  test('commits a room’s own changes with the entry, or neither', async () => {
    const world = await ledgerWorld(3);
    const other = world.store.room('other');
    await world.ledger.append([note('a')], [other.put('seen', utf8('a'))]);
    expect(await other.get('seen')).toEqual(utf8('a'));
    world.store.failNextCommit('STORE_FULL');
    expect(await codeOf(world.ledger.append([note('b')], [other.put('seen', utf8('b'))]))).toBe('STORE_FULL');
    expect(await other.get('seen')).toEqual(utf8('a'));
    expect(world.ledger.size).toBe(1n);
    expect(await world.ledger.append([note('c')])).toBe(1n);
    expect((await world.ledger.verify()).ok).toBe(true);
  });

  test('fails only the append whose change the store refuses', async () => {
    const world = await ledgerWorld(4);
    world.store.failNextCommit('STORE_FULL');
    const [a, b] = [world.ledger.append([note('a')]), world.ledger.append([note('b')])];
    expect(await Promise.all([a, b])).toEqual([0n, 1n]);
  });

  test('refuses everything after a broken store, and holds what was acknowledged when reopened', async () => {
    const world = await ledgerWorld(5);
    await world.ledger.append(notes(2));
    world.store.failNextCommit('STORE_BROKEN');
    const [a, b] = [world.ledger.append([note('a')]), world.ledger.append([note('b')])];
    expect(await codeOf(a)).toBe('STORE_BROKEN');
    expect(await codeOf(b)).toBe('STORE_BROKEN');
    expect(await codeOf(world.ledger.append([note('c')]))).toBe('STORE_BROKEN');
    expect(world.ledger.size).toBe(2n);
    const again = await ledgerWorld(5, { store: world.store.reopen() });
    expect(again.ledger.size).toBe(2n);
    expect(await again.ledger.append([note('d')])).toBe(2n);
  });

  test('signs checkpoints that grow consistently', async () => {
    const world = await ledgerWorld(6);
    const heads = [openCheckpoint(crypto, (await world.ledger.checkpoint()).note)];
    expect(heads[0]?.size).toBe(0n);
    for (const count of [1, 6, 250, 3, 40]) {
      await world.ledger.append(notes(count));
      heads.push(openCheckpoint(crypto, (await world.ledger.checkpoint()).note));
    }
    for (const [index, one] of heads.slice(1).entries()) {
      for (const two of heads.slice(index + 1)) {
        const path = await world.ledger.proveConsistency(one.size, two.size);
        const proof = { size1: one.size, size2: two.size, root1: one.root, root2: two.root, path };
        expect(verifyConsistency(crypto, proof)).toBe(true);
      }
    }
    await expect(world.ledger.proveConsistency(0n, 5n)).rejects.toMatchObject({ code: 'NOT_IN_LOG' });
  });

  test('proves each entry offline, across the border of a tile, before and after a restart', async () => {
    const world = await ledgerWorld(7);
    for (const count of [255, 1, 1, 300]) await world.ledger.append(notes(count));
    const again = await ledgerWorld(7, { store: world.store });
    for (const index of [0n, 1n, 254n, 255n, 256n, 511n, 512n, 556n]) {
      const [bytes = new Uint8Array()] = await all(again.ledger.read(index, index + 1n));
      const proven = verifyProof(crypto, await again.ledger.prove(index), bytes);
      expect(proven).toMatchObject({ origin: world.identity.peer, index, size: 557n });
    }
    await expect(again.ledger.prove(557n)).rejects.toMatchObject({ code: 'NOT_IN_LOG' });
    await expect(again.ledger.prove(-1n)).rejects.toMatchObject({ code: 'NOT_IN_LOG' });
    expect((await again.ledger.verify()).ok).toBe(true);
  });

  test('reads backwards too, and only what was asked', async () => {
    const world = await ledgerWorld(8);
    await world.ledger.append(notes(5));
    const numbers = async (from: bigint, to: bigint, reverse: boolean) =>
      (await all(world.ledger.entries(from, to, { reverse }))).map(({ index }) => index);
    expect(await numbers(1n, 3n, false)).toEqual([1n, 2n]);
    expect(await numbers(1n, 9n, true)).toEqual([4n, 3n, 2n, 1n]);
    expect(await numbers(7n, 9n, false)).toEqual([]);
  });

  test('holds no other peer’s log, and does not open as somebody else’s', async () => {
    const [world, other] = [await ledgerWorld(9), await ledgerWorld(10)];
    await world.ledger.append(notes(1));
    await expect(world.ledger.checkpoint(other.identity.peer)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(world.ledger.prove(0n, other.identity.peer)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const stolen = openLedger({ ...world, store: world.room, identity: other.identity });
    await expect(stolen).rejects.toMatchObject({ code: 'NOT_OUR_LOG' });
  });

  test('takes an append at each limit and refuses one past it', async () => {
    const world = await ledgerWorld(11);
    const entry = (kindBytes: number, bodyBytes: number) => ({
      kind: 'k'.repeat(kindBytes),
      body: new Uint8Array(bodyBytes),
    });
    await world.ledger.append([entry(limits.entryKindBytesMax, limits.entryBodyBytesMax)]);
    expect((await world.ledger.verify()).ok).toBe(true);
    await world.ledger.append(notes(limits.appendEntriesMax));
    const changes = Array.from({ length: limits.appendChangesMax + 1 }, (_, n) => world.store.room('r').put(`${n}`));
    await world.ledger.append([note('a')], changes.slice(1));
    const refused = [
      [[entry(limits.entryKindBytesMax + 1, 0)], []],
      [[entry(1, limits.entryBodyBytesMax + 1)], []],
      [notes(limits.appendEntriesMax + 1), []],
      [[note('a')], changes],
    ] as const;
    for (const [entries, alongside] of refused) {
      expect(await codeOf(world.ledger.append(entries, alongside))).toBe('LIMIT_EXCEEDED');
    }
    expect(await codeOf(world.ledger.append([]))).toBe('INVALID_FORMAT');
    expect(await codeOf(world.ledger.append([entry(0, 1)]))).toBe('INVALID_FORMAT');
    const waiting = Array.from({ length: limits.waitingAppendsMax + 1 }, () =>
      codeOf(world.ledger.append([note('w')])),
    );
    const codes = await Promise.all(waiting);
    expect(codes.filter((code) => code === 'LIMIT_REACHED')).toHaveLength(1);
    expect(codes.at(-1)).toBe('LIMIT_REACHED');
  });
});

test('whatever fails and whenever it is opened again: what was acknowledged is there, in order, and every checkpoint agrees', async () => {
  const step = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 4 }),
    failure: fc.constantFrom('none', 'none', 'STORE_FULL', 'STORE_BROKEN'),
    isReopened: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      let world = await ledgerWorld(60);
      let written = 0;
      const acknowledged: string[] = [];
      const heads = [openCheckpoint(crypto, (await world.ledger.checkpoint()).note)];
      for (const { sizes, failure, isReopened } of steps) {
        if (failure !== 'none') world.store.failNextCommit(failure);
        const appends = sizes.map(async (size) => {
          const texts = Array.from({ length: size }, () => `text ${(written += 1)}`);
          const first = await world.ledger.append(texts.map(note)).catch(() => undefined);
          if (first !== undefined) acknowledged.splice(Number(first), 0, ...texts);
        });
        await Promise.all(appends);
        if (isReopened || failure === 'STORE_BROKEN') world = await ledgerWorld(60, { store: world.store.reopen() });
        heads.push(openCheckpoint(crypto, (await world.ledger.checkpoint()).note));
      }
      const entries = await all(world.ledger.entries(0n, world.ledger.size));
      expect(entries.map(({ entry }) => new TextDecoder().decode(entry.body))).toEqual(acknowledged);
      expect(await world.ledger.verify()).toMatchObject({ ok: true, checked: BigInt(acknowledged.length) });
      const newest = openCheckpoint(crypto, (await world.ledger.checkpoint()).note);
      for (const { size, root } of heads) {
        if (size === 0n) continue;
        const path = await world.ledger.proveConsistency(size, newest.size);
        const proof = { size1: size, size2: newest.size, root1: root, root2: newest.root, path };
        expect(verifyConsistency(crypto, proof)).toBe(true);
      }
    }),
    { numRuns: 25 },
  );
});
