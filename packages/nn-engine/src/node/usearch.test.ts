import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, concatBytes, createIdentity, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { memoryLimits } from '../memory/limits.ts';
import { type Memory, openMemory } from '../memory/memory.ts';
import { bodyOf, memoryDeps, signedBy } from '../memory/testing/fixtures.ts';
import type { VectorIndex, VectorIndexes } from '../memory/vector-index.ts';
import { createUsearchIndexes } from './usearch.ts';

const { signal } = new AbortController();
const space = { name: 'plane/1', dimensions: 8, kind: 'semantic' } as const;
const other = createIdentity(crypto, seededRandom(60).bytes(32));
const indexAboveRows = 150;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usearch-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Turns come at once, and nothing else waits: time itself stands still. */
const turns = (clock: Clock): Clock => ({
  ...clock,
  nowMs: () => clock.nowMs(),
  sleep: (ms, stop) =>
    ms === 0
      ? new Promise((resolve, reject) => setImmediate(() => (stop?.aborted ? reject(stop.reason as Error) : resolve())))
      : clock.sleep(ms, stop),
});

function vectorOf(place: number): Float32Array {
  const bytes = seededRandom(place).bytes(space.dimensions);
  const row = Float32Array.from(bytes, (value) => value - 127.5);
  const norm = Math.hypot(...row);
  return row.map((value) => value / norm);
}
const capsule = (place: number) =>
  signedBy(other, {
    summary: `${place}`,
    vector: vectorOf(place),
    embedder: space.name,
    embedderKind: space.kind,
    tags: [place % 2 === 0 ? 'even' : 'odd'],
    novelty: place % 3 === 0 ? 1 : 0,
    createdMs: bodyOf().createdMs + place,
  });
const some = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => capsule(from + n));

function world(seed: number, indexes?: VectorIndexes, store = new MemoryStore()) {
  const deps = memoryDeps(seed);
  const all = { ...deps, store, clock: turns(deps.clock) };
  return indexes === undefined ? all : { ...all, indexes };
}
const sealedIn = (seed: number) => createUsearchIndexes({ folder, crypto, ...pick(seed) });
const pick = (seed: number) => ({ random: seededRandom(seed), secret: memoryDeps(seed).secret });

const answer = async (memory: Memory, place: number, query: object = {}) =>
  (await memory.search({ vector: { space, values: vectorOf(place) }, limit: 5, ...query }, signal)).hits.map(
    ({ capsule: { summary }, cosine, relevance }) => ({ summary, cosine, relevance }),
  );

/** The indexed memory finds what the one that looks at everything finds, and says the same of it to the last bit. */
async function expectSame(indexed: Memory, plain: Memory): Promise<void> {
  for (let place = 0; place < 20; place += 1) {
    for (const query of [{}, { ranking: 'similarity' }, { ranking: 'similarity', tags: ['odd'] }, { qualityMin: 0.7 }])
      expect(await answer(indexed, place, query)).toEqual(await answer(plain, place, query));
  }
}

describe('A memory with an index', () => {
  it('finds what one without finds: while it is built, when it is there, and after capsules came and went', async () => {
    const indexed = await openMemory(world(1, sealedIn(1)), { indexAboveRows });
    const plain = await openMemory(world(1));
    for (const memory of [indexed, plain]) await memory.take(some(0, indexAboveRows));
    expect(indexed.state().indexes).toEqual([]);
    for (const memory of [indexed, plain]) await memory.take(some(indexAboveRows, 250));
    expect(indexed.state().indexes).toMatchObject([{ embedder: space.name, rows: 250, phase: 'building' }]);
    await expectSame(indexed, plain);
    await indexed.indexed(signal);
    expect(indexed.state().indexes).toMatchObject([{ indexed: 250, phase: 'ready' }]);
    await expectSame(indexed, plain);
    for (const memory of [indexed, plain]) {
      for (const { id } of memory.list({ limit: 40 }).capsules) await memory.forget(id);
      await memory.take(some(250, 300));
    }
    await expectSame(indexed, plain);
    await indexed.indexed(signal);
    expect(indexed.state().indexes).toMatchObject([{ indexed: 260, rows: 260, phase: 'ready' }]);
    await expectSame(indexed, plain);
    await indexed.close();
  });

  it('loads what was saved, catches up with what changed since, and builds anew when the file is damaged, cut or missing', async () => {
    const deps = world(2);
    const first = await openMemory({ ...deps, indexes: sealedIn(2) }, { indexAboveRows });
    await first.take(some(0, 200));
    await first.indexed(signal);
    const [name = ''] = await readdir(folder);
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.index$/)]);
    const plain = await openMemory(world(2, undefined, deps.store.copy()));
    const reopened = async () => {
      const count = { added: 0, removed: 0 };
      const indexes = sealedIn(2);
      const counting = (index: VectorIndex): VectorIndex => {
        const [add, remove] = [index.add.bind(index), index.remove.bind(index)];
        return Object.assign(index, {
          add(labels: readonly number[], rows: Float32Array) {
            count.added += labels.length;
            add(labels, rows);
          },
          remove(label: number) {
            count.removed += 1;
            remove(label);
          },
        });
      };
      const counted: VectorIndexes = {
        ...indexes,
        async load(...where) {
          const saved = await indexes.load(...where);
          return saved === undefined ? undefined : { ...saved, index: counting(saved.index) };
        },
        create: async (dimensions) => counting(await indexes.create(dimensions)),
      };
      const memory = await openMemory(world(2, counted, deps.store), { indexAboveRows });
      await memory.indexed(signal);
      return { memory, count };
    };
    const again = await reopened();
    expect(again.count).toEqual({ added: 0, removed: 0 });
    await expectSame(again.memory, plain);
    const unindexed = await openMemory(world(2, undefined, deps.store));
    for (const memory of [unindexed, plain]) {
      await memory.take(some(200, 210));
      await memory.forget(memory.list({ limit: 500 }).capsules.at(-1)?.id ?? '');
    }
    const stale = await reopened();
    expect(stale.count).toEqual({ added: 10, removed: 1 });
    await expectSame(stale.memory, plain);
    for (const memory of [stale.memory, plain])
      await memory.forget(memory.list({ limit: 500 }).capsules.at(-1)?.id ?? '');
    expect(stale.count.removed).toBe(2);
    await stale.memory.close();
    expect((await reopened()).count).toEqual({ added: 0, removed: 0 });
    const whole = await readFile(join(folder, name));
    for (const bytes of [whole.subarray(0, 100), whole.map((value, place) => (place === 500 ? value ^ 1 : value))]) {
      await writeFile(join(folder, name), bytes);
      const rebuilt = await reopened();
      expect(rebuilt.count.added).toBe(208);
      await expectSame(rebuilt.memory, plain);
    }
    await rm(join(folder, name));
    expect((await reopened()).count.added).toBe(208);
  });

  it('leaves nothing unsealed on the disk, and clears what a crash left', async () => {
    const indexes = sealedIn(3);
    await mkdir(join(folder, 'unsealed-left'));
    const index = await indexes.create(3);
    index.add([7], Float32Array.of(0.25, 0.5, 0.75));
    await indexes.save('name', { index, ids: new Map([[7, 'ab'.repeat(32)]]) });
    expect(await readdir(folder)).toEqual(['name.index']);
    // 0.25, 0.5 and 0.75 in float16.
    const needle = Buffer.from(Uint16Array.of(0x34_00, 0x38_00, 0x3a_00).buffer);
    expect((await readFile(join(folder, 'name.index'))).includes(needle)).toBe(false);
    const saved = await indexes.load('name', 3);
    expect(saved?.ids).toEqual(new Map([[7, 'ab'.repeat(32)]]));
    expect(saved?.index.search(Float32Array.of(0, 0, 1), 10)).toEqual({ labels: [7], cosines: [0.75] });
    expect(await indexes.load('other', 3)).toBeUndefined();
    expect(await indexes.load('name', 4)).toBeUndefined();
  });

  it('builds anew what an earlier version saved in float32', async () => {
    const ids = new Map([[7, 'ab'.repeat(32)]]);
    const { secret } = memoryDeps(7);
    const key = crypto.hkdfSha256(secret, new Uint8Array(), utf8('peerai/memory/1 index'), 32);
    const resealed = async (from: string, to: string): Promise<void> => {
      const path = join(folder, 'name.index');
      const sealed = await readFile(path);
      const nonce = sealed.subarray(0, 12);
      const plain = crypto.aead['aes-256-gcm'].open(key, nonce, sealed.subarray(12), utf8(from));
      await writeFile(path, concatBytes(nonce, crypto.aead['aes-256-gcm'].seal(key, nonce, plain, utf8(to))));
    };
    const indexes = sealedIn(7);
    const index = await indexes.create(3);
    index.add([7], Float32Array.of(0, 0, 1));
    await indexes.save('name', { index, ids });
    const [earlier, now] = ['peerai/memory/1 index name', 'peerai/memory/2 index name'];
    await resealed(now, earlier);
    expect(await indexes.load('name', 3)).toBeUndefined();
    await resealed(earlier, now);
    expect((await indexes.load('name', 3))?.ids).toEqual(ids);
  });

  it('gives cosines as near to the true ones as it says, and none beyond 1', async () => {
    const [dimensions, rows] = [384, 200];
    const row = (place: number): Float32Array => {
      const values = Float32Array.from(seededRandom(place).bytes(dimensions), (value) => value - 127.5);
      const length = Math.hypot(...values);
      return values.map((value) => value / length);
    };
    const table = Array.from({ length: rows }, (_, place) => row(place));
    const index = await sealedIn(6).create(dimensions);
    index.add([...table.keys()], Float32Array.from(table.flatMap((one) => [...one])));
    for (const asked of [row(3), row(rows), row(rows + 1)]) {
      const { labels, cosines } = index.search(asked, 20);
      expect(labels).toHaveLength(20);
      expect(cosines).toEqual(cosines.toSorted((a, b) => b - a));
      labels.forEach((label, place) => {
        const exact = table[label]?.reduce((sum, value, at) => sum + value * (asked[at] ?? 0), 0) ?? Number.NaN;
        expect(Math.abs((cosines[place] ?? Number.NaN) - exact)).toBeLessThan(index.errorMax);
        expect(cosines[place]).toBeLessThanOrEqual(1);
      });
    }
  });

  it('goes on without one that cannot be made, and says so', async () => {
    const { PeerAiError } = await import('@peerai/core-protocol');
    const missing = { ...sealedIn(4), create: () => Promise.reject(new PeerAiError('ENGINE_MISSING', 'not here')) };
    const memory = await openMemory(world(4, missing), { indexAboveRows });
    await memory.take(some(0, indexAboveRows + 1));
    await memory.indexed(signal);
    expect(memory.state().indexes).toMatchObject([{ phase: 'failed', reason: 'ENGINE_MISSING' }]);
    expect((await answer(memory, 5))[0]?.summary).toBe('5');
  });

  it('stops building when the memory is closed, and goes on from there', async () => {
    const deps = world(5, sealedIn(5));
    const memory = await openMemory(deps, { indexAboveRows });
    await memory.take(some(0, 200));
    const stop = new AbortController();
    const waited = memory.indexed(stop.signal);
    stop.abort();
    await expect(waited).rejects.toMatchObject({ code: 'ABORTED' });
    await memory.close();
    const [state] = memory.state().indexes;
    expect(state?.indexed).toBeLessThan(200);
    const again = await openMemory(world(5, sealedIn(5), deps.store), { indexAboveRows });
    await again.indexed(signal);
    expect(again.state().indexes).toMatchObject([{ indexed: 200, phase: 'ready' }]);
    expect(memoryLimits.indexAboveRows).toBe(20_000);
  });
});
