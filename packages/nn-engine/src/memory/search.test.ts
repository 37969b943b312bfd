import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createIdentity } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { lexicalEmbedder } from './embedder.ts';
import { importance, novelty, quality, recency, relevance, similarity, tagMatch } from './formulas.ts';
import { memoryLimits as limits } from './limits.ts';
import { openMemory } from './memory.ts';
import type { MemoryQuery } from './query.ts';
import { embedderOfTable, memoryDeps, signedBy } from './testing/fixtures.ts';

const { signal } = new AbortController();
const code = (expected: string) => expect.objectContaining({ code: expected });
const other = createIdentity(crypto, seededRandom(51).bytes(32));

describe('The formulas', () => {
  it('are the seed’s', () => {
    expect(similarity(1)).toBeCloseTo(0.7 + 0.3, 12);
    expect(similarity(0)).toBeCloseTo(0.3 / (1 + Math.SQRT2), 12);
    expect(similarity(-1)).toBeCloseTo(-0.7 + 0.1, 12);
    expect(relevance({ similarity: 1, quality: 1, tagMatch: 1, recency: 1 })).toBeCloseTo(1, 12);
    expect(relevance({ similarity: 0.4, quality: 0.5, tagMatch: 0.5, recency: 0 })).toBeCloseTo(0.2 + 0.15 + 0.05, 12);
    expect(recency(168 * 3_600_000)).toBeCloseTo(Math.exp(-1), 12);
    expect(recency(-5)).toBe(1);
    expect([novelty(undefined), novelty(0), novelty(1.2), novelty(2.5)]).toEqual([1, 0, 0.6, 1]);
    expect([importance(0.25, 2), importance(0.9, 4)]).toEqual([0.45, 1]);
    expect([quality(0.7, 0.8, 3), quality(0.71, 0.81, 4)]).toEqual([0.5, 1]);
    expect([tagMatch([], ['a']), tagMatch(['a', 'b'], ['b', 'c']), tagMatch(['a'], ['a'])]).toEqual([0, 0.5, 1]);
  });
});

/** Small whole numbers make equal scores likely, so that ties are tested too. */
const vectors = fc
  .tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }))
  .map((values) => {
    const norm = Math.hypot(...values);
    return Float32Array.from(values, (value) => (norm === 0 ? 0 : value / norm));
  });
const tagLists = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 5 }).map((tags) => tags.sort());
const capsules = fc.record({
  vector: vectors,
  tags: tagLists,
  novelty: fc.constantFrom(0, 0.5, 1),
  importance: fc.constantFrom(0.2, 0.9),
  ageMs: fc.integer({ min: 0, max: 2_000 }).map((hours) => hours * 3_600_000),
  level: fc.constantFrom('behavioral', 'public'),
  summary: fc.string({ maxLength: 5 }).map((text) => text.toWellFormed()),
});
const questions = fc.record(
  {
    tags: fc.array(fc.constantFrom('a', 'b', 'z', ''), { maxLength: 3 }),
    fromAgoMs: fc.integer({ min: 0, max: 2_000 }).map((hours) => hours * 3_600_000),
    toAgoMs: fc.integer({ min: 0, max: 1_000 }).map((hours) => hours * 3_600_000),
    qualityMin: fc.constantFrom(0.5, 0.7, 0.8),
    audience: fc.constantFrom('self', 'paired', 'anyone'),
    ranking: fc.constantFrom('relevance', 'similarity'),
    limit: fc.integer({ min: 1, max: 12 }),
  },
  { requiredKeys: ['limit'] },
);

describe('A search', () => {
  it('finds what looking at everything by the formula finds, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(capsules, { maxLength: 30 }), vectors, questions, async (made, asked, question) => {
        const memory = await openMemory(memoryDeps(1));
        const nowMs = memoryDeps(1).clock.nowMs();
        const bytes = made.map(({ ageMs, ...parts }) =>
          signedBy(other, { ...parts, createdMs: nowMs - ageMs, embedder: 'table/1', embedderKind: 'semantic' }),
        );
        await memory.take(bytes);
        const { fromAgoMs, toAgoMs, ...rest } = question;
        const query: MemoryQuery = {
          ...rest,
          ...(fromAgoMs === undefined ? {} : { fromMs: nowMs - fromAgoMs }),
          ...(toAgoMs === undefined ? {} : { toMs: nowMs - toAgoMs }),
          vector: { space: { name: 'table/1', dimensions: 3, kind: 'semantic' }, values: asked },
        };
        const { hits, searched } = await memory.search(query, signal);
        const all = memory.list({ limit: 100 }).capsules;
        expect(searched).toBe(all.length);
        const vectorOf = new Map(
          await Promise.all(all.map(async ({ id }) => [id, (await memory.get(id))?.vector] as const)),
        );
        const tags = [...new Set(query.tags)].filter((tag) => tag !== '');
        const expected = all
          .filter(
            (card) =>
              (tags.length === 0 || card.tags.some((tag) => tags.includes(tag))) &&
              card.createdMs >= (query.fromMs ?? 0) &&
              card.createdMs < (query.toMs ?? Infinity) &&
              card.quality >= (query.qualityMin ?? 0) &&
              (query.audience !== 'anyone' || card.level === 'public'),
          )
          .map((card) => {
            const vector = vectorOf.get(card.id) ?? new Float32Array();
            const cosine = vector.reduce((sum, value, index) => sum + value * (asked[index] ?? 0), 0);
            const likeness = 0.7 * cosine + 0.3 / (1 + Math.sqrt(Math.max(0, 2 - 2 * cosine)));
            const match = tags.length === 0 ? 0 : tags.filter((tag) => card.tags.includes(tag)).length / tags.length;
            const freshness = Math.exp(-(nowMs - card.createdMs) / 3_600_000 / 168);
            const whole = 0.5 * likeness + 0.3 * card.quality + 0.1 * match + 0.1 * freshness;
            return { id: card.id, score: query.ranking === 'similarity' ? likeness : whole };
          })
          .sort((a, b) => b.score - a.score)
          .slice(0, query.limit);
        expect(hits).toHaveLength(expected.length);
        hits.forEach((hit, place) => {
          const score = query.ranking === 'similarity' ? hit.similarity : hit.relevance;
          expect(score).toBeCloseTo(expected[place]?.score ?? NaN, 6);
          const before = hits[place - 1];
          const scoreBefore = query.ranking === 'similarity' ? before?.similarity : before?.relevance;
          if (before !== undefined && scoreBefore === score) expect(before.capsule.id < hit.capsule.id).toBe(true);
        });
        expect((await memory.search(query, signal)).hits.map(({ capsule }) => capsule.id)).toEqual(
          hits.map(({ capsule }) => capsule.id),
        );
      }),
      { numRuns: 40 },
    );
  }, 30_000);

  it('finds texts by shared words, and says that this is lexical', async () => {
    const memory = await openMemory(memoryDeps(2));
    for (const text of ['how to prune an apple tree', 'the server rack is in the cellar', 'recipe for apple pie'])
      await memory.add({ text, level: 'public' }, signal);
    const { hits } = await memory.search({ text: 'apple trees', limit: 2 }, signal);
    expect(hits.map(({ capsule }) => capsule.summary)).toEqual(['how to prune an apple tree', 'recipe for apple pie']);
    expect(hits[0]?.kind).toBe('lexical');
  });

  it('never compares vectors of two embedders: it asks each one, and says what it left out', async () => {
    const deps = memoryDeps(3);
    const table = embedderOfTable({ sun: [1, 0, 0], warm: [0.9, 0.1, 0] });
    await (await openMemory(deps)).add({ text: 'sun', level: 'public' }, signal);
    const both = await openMemory({ ...deps, embedders: [table, lexicalEmbedder] });
    await both.add({ text: 'warm', level: 'public' }, signal);
    const found = await both.search({ text: 'sun' }, signal);
    expect(found).toMatchObject({ searched: 2, leftOutCount: 0 });
    expect(new Set(found.hits.map(({ kind }) => kind))).toEqual(new Set(['semantic', 'lexical']));
    const one = await openMemory(deps);
    expect(await one.search({ text: 'sun' }, signal)).toMatchObject({
      searched: 1,
      leftOutCount: 1,
      leftOut: [{ embedder: 'table/1', count: 1, reason: 'no-embedder' }],
    });
    const failing = { ...table, embed: () => Promise.reject(new Error('engine is off')) };
    const half = await openMemory({ ...deps, embedders: [lexicalEmbedder, failing] });
    expect((await half.search({ text: 'sun' }, signal)).leftOut).toMatchObject([{ reason: 'embedder-failed' }]);
    await expect(half.search({ text: 'sun' }, AbortSignal.abort())).rejects.toThrow(code('ABORTED'));
    const later = await openMemory({ ...deps, embedders: [embedderOfTable({ sun: [1, 0, 0] }, 'table/2')] });
    await later.add({ text: 'sun', level: 'public' }, signal);
    expect(await later.search({ text: 'sun' }, signal)).toMatchObject({ searched: 1, leftOutCount: 2 });
  });

  it('names as many left-out embedders as its limit, and counts all', async () => {
    const memory = await openMemory(memoryDeps(4));
    const names = Array.from({ length: limits.leftOutNamedMax + 1 }, (_, n) => `e${n}`);
    await memory.take(names.map((embedder) => signedBy(other, { embedder })));
    const { leftOut, leftOutCount } = await memory.search({ text: 'x' }, signal);
    expect(leftOut).toHaveLength(limits.leftOutNamedMax);
    expect(leftOutCount).toBe(limits.leftOutNamedMax + 1);
  });

  it('counts a capsule as used when it was returned to this device, and only then', async () => {
    const memory = await openMemory(memoryDeps(5));
    const [near, far] = [
      await memory.add({ text: 'apple', level: 'public' }, signal),
      await memory.add({ text: 'xyz', level: 'public' }, signal),
    ];
    await memory.search({ text: 'apple', limit: 1 }, signal);
    await memory.search({ text: 'apple', limit: 1 }, signal);
    await memory.search({ text: 'apple', limit: 1, audience: 'paired' }, signal);
    await memory.search({ text: 'apple', limit: 1, audience: 'anyone' }, signal);
    expect([memory.card(near.id)?.uses, memory.card(far.id)?.uses]).toEqual([2, 0]);
  });

  it('takes its most hits and not one more, a text or a vector and not both', async () => {
    const memory = await openMemory(memoryDeps(6));
    const space = { name: 'e', dimensions: 2, kind: 'semantic' } as const;
    await expect(memory.search({ text: 'x', limit: limits.searchHitsMax }, signal)).resolves.toMatchObject({
      hits: [],
    });
    for (const limit of [0, limits.searchHitsMax + 1])
      await expect(memory.search({ text: 'x', limit }, signal)).rejects.toThrow(code('LIMIT_EXCEEDED'));
    for (const query of [
      {},
      { text: 'x', vector: { space, values: Float32Array.of(1, 0) } },
      { vector: { space, values: Float32Array.of(1) } },
      { vector: { space, values: Float32Array.of(NaN, 1) } },
    ])
      await expect(memory.search(query, signal)).rejects.toThrow(code('INVALID_OPTION'));
  });

  it('goes on right when capsules are forgotten in between: each that is left is found by its own vector', async () => {
    const memory = await openMemory(memoryDeps(7));
    const space = { name: 'plane/1', dimensions: 2, kind: 'semantic' } as const;
    const at = (place: number) => Float32Array.of(Math.cos(place / 3), Math.sin(place / 3));
    const parts = { embedder: space.name, embedderKind: space.kind };
    await memory.take(
      Array.from({ length: 9 }, (_, n) => signedBy(other, { ...parts, summary: `${n}`, vector: at(n) })),
    );
    for (const { id, summary } of memory.list().capsules) if ('0367'.includes(summary)) await memory.forget(id);
    for (const place of [1, 2, 4, 5, 8]) {
      const query = { vector: { space, values: at(place) }, ranking: 'similarity', limit: 1 } as const;
      const { hits, searched } = await memory.search(query, signal);
      expect(searched).toBe(5);
      expect(hits[0]).toMatchObject({ cosine: expect.closeTo(1, 6), capsule: { summary: `${place}` } });
    }
  });

  it('looks from the first millisecond asked for to before the last', async () => {
    const deps = memoryDeps(8);
    const memory = await openMemory(deps);
    const { createdMs } = await memory.add({ text: 'apple', level: 'public' }, signal);
    const count = async (fromMs: number, toMs: number) =>
      (await memory.search({ text: 'apple', fromMs, toMs }, signal)).hits.length;
    expect(await count(createdMs, createdMs + 1)).toBe(1);
    expect(await count(createdMs + 1, createdMs + 2)).toBe(0);
    expect(await count(createdMs - 1, createdMs)).toBe(0);
  });
});
