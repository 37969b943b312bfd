import { createIdentity } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CapsuleCard } from './capsule.ts';
import type { Embedder } from './embedder.ts';
import { openForget, signForget } from './forget.ts';
import { memoryLimits as limits } from './limits.ts';
import { type Memory, openMemory } from './memory.ts';
import { memoryDeps, signedBy } from './testing/fixtures.ts';

const { signal } = new AbortController();
const code = (expected: string) => expect.objectContaining({ code: expected });
const other = createIdentity(crypto, seededRandom(52).bytes(32));

/** Texts begin with an angle in degrees: neighbours up to 14 degrees apart have a cosine above 0.97. */
const angles: Embedder = {
  name: 'angle/1',
  dimensions: 2,
  kind: 'semantic',
  embed: async (texts) =>
    texts.map((text) => {
      const angle = (Number.parseInt(text, 10) / 180) * Math.PI;
      return Float32Array.of(Math.cos(angle), Math.sin(angle));
    }),
};
const deps = (seed: number) => memoryDeps(seed, { embedders: [angles] });
const cards = (memory: Memory): readonly CapsuleCard[] => memory.list({ limit: limits.listCapsulesMax }).capsules;
const ids = (memory: Memory) => cards(memory).map(({ id }) => id);

describe('Expiry', () => {
  it('takes what is here for over 30 days and was used fewer than three times, foreign capsules too', async () => {
    const world = deps(1);
    const memory = await openMemory(world);
    const [used, seldom] = [
      await memory.add({ text: '0', level: 'public' }, signal),
      await memory.add({ text: '90', level: 'public' }, signal),
    ];
    await memory.take([signedBy(other)]);
    const find = (text: string) => memory.search({ text, limit: 1 }, signal);
    for (let time = 0; time < limits.keepUsesMin; time += 1) await find('0');
    for (let time = 0; time < limits.keepUsesMin - 1; time += 1) await find('90');
    await world.clock.advance(limits.expireAfterMs);
    expect(await memory.consolidate(signal)).toEqual({ expired: 0, replaced: 0, merged: 0 });
    await world.clock.advance(1);
    expect(await memory.consolidate(signal)).toMatchObject({ expired: 2 });
    expect(ids(memory)).toEqual([used.id]);
    expect((await find('90')).hits[0]?.capsule.id).toBe(used.id);
    expect(await memory.undoConsolidation()).toBe(2);
    expect(memory.card(seldom.id)).toMatchObject({ uses: limits.keepUsesMin - 1 });
  });

  it('goes by commits of a limited size, all of them undone together', async () => {
    const world = deps(2);
    const memory = await openMemory(world);
    const texts = Array.from({ length: limits.expireStepCapsules + 1 }, (_, n) => `${n}`);
    await memory.take(texts.map((summary) => signedBy(other, { summary })));
    await world.clock.advance(limits.expireAfterMs + 1);
    expect(await memory.consolidate(signal)).toMatchObject({ expired: texts.length });
    const after = await openMemory({ ...world, store: world.store.reopen() });
    expect(after.state().capsules).toBe(0);
    expect(await after.undoConsolidation()).toBe(texts.length);
    expect(after.state()).toMatchObject({ capsules: texts.length, damaged: [] });
  });
});

describe('Merging', () => {
  it('makes one of near-equals: the newest’s words, all tags, and what it replaced', async () => {
    const world = deps(3);
    const memory = await openMemory(world);
    const old = await memory.add({ text: '10 old', level: 'public', tags: ['a', 'b'], surprise: 0.5 }, signal);
    await world.clock.advance(5);
    const late = await memory.add({ text: '15 new', level: 'public', tags: ['b', 'c'] }, signal);
    const far = await memory.add({ text: '60', level: 'public' }, signal);
    const hidden = await memory.add({ text: '10', level: 'personal' }, signal);
    await memory.search({ text: '10', limit: 2, tags: ['b'] }, signal);
    expect(await memory.consolidate(signal)).toMatchObject({ expired: 0, replaced: 2, merged: 1 });
    const made = cards(memory).find(({ relations }) => relations.length > 0);
    expect(made).toMatchObject({
      summary: '15 new',
      tags: ['a', 'b', 'c'],
      level: 'public',
      createdMs: late.createdMs,
    });
    expect(made).toMatchObject({ uses: 2, importance: old.importance, mine: true });
    expect(made?.relations.map(({ capsule }) => capsule).toSorted()).toEqual([old.id, late.id].toSorted());
    expect(new Set(ids(memory))).toEqual(new Set([made?.id, far.id, hidden.id]));
    expect((await memory.search({ text: '12', audience: 'anyone' }, signal)).searched).toBe(3);
    await memory.close();
    const after = await openMemory({ ...world, store: world.store.reopen() });
    expect(after.card(made?.id ?? '')).toEqual(made);
  });

  it('is of a cosine of `mergeCosineMin`, and of none that is less', async () => {
    for (const [cosine, merged] of [
      [limits.mergeCosineMin, 1],
      [limits.mergeCosineMin - 2 ** -24, 0],
    ] as const) {
      const embed: Embedder['embed'] = async (texts) =>
        texts.map((text) =>
          text === 'one' ? Float32Array.of(1, 0) : Float32Array.of(cosine, Math.sqrt(1 - cosine ** 2)),
        );
      const memory = await openMemory(memoryDeps(8, { embedders: [{ ...angles, embed }] }));
      for (const text of ['one', 'near']) await memory.add({ text, level: 'public' }, signal);
      expect(await memory.consolidate(signal)).toMatchObject({ merged });
    }
  });

  it('leaves what other peers signed as it is, however near', async () => {
    const memory = await openMemory(deps(4));
    const vector = Float32Array.of(1, 0);
    const parts = { vector, embedder: 'angle/1', embedderKind: 'semantic' } as const;
    await memory.take(['a', 'b'].map((summary) => signedBy(other, { ...parts, summary })));
    await memory.add({ text: '0', level: 'public' }, signal);
    const before = cards(memory);
    expect(await memory.consolidate(signal)).toEqual({ expired: 0, replaced: 0, merged: 0 });
    expect(cards(memory)).toEqual(before);
  });

  it('takes in no more than fits: tags and relations stay in bounds', async () => {
    const memory = await openMemory(deps(5));
    const tags = (from: number, count: number) => Array.from({ length: count }, (_, n) => `t${from + n}`);
    await memory.add({ text: '0', level: 'public', tags: tags(100, limits.capsuleTagsMax / 2) }, signal);
    await memory.add({ text: '1', level: 'public', tags: tags(200, limits.capsuleTagsMax / 2) }, signal);
    await memory.add({ text: '2', level: 'public', tags: ['one more'] }, signal);
    expect(await memory.consolidate(signal)).toMatchObject({ merged: 1, replaced: 2 });
    expect(cards(memory).map((card) => card.tags.length)).toEqual(expect.arrayContaining([limits.capsuleTagsMax, 1]));
    expect(await memory.consolidate(signal)).toMatchObject({ merged: 0 });
    const many = await openMemory(deps(5));
    for (let count = 0; count < limits.capsuleRelationsMax + 2; count += 1)
      await many.add({ text: `0 ${count}`, level: 'public' }, signal);
    expect(await many.consolidate(signal)).toMatchObject({ merged: 2, replaced: limits.capsuleRelationsMax + 2 });
    expect(await many.consolidate(signal)).toMatchObject({ merged: 0 });
  });

  it('lets others have a turn after so many pairs', async () => {
    const random = seededRandom(12);
    const scattered: Embedder = {
      ...angles,
      dimensions: 16,
      embed: async (texts) => texts.map(() => Float32Array.from(random.bytes(16), (value) => value - 127.5)),
    };
    const world = memoryDeps(12, { embedders: [scattered] });
    const sleeps: number[] = [];
    const sleep = async (ms: number): Promise<void> => void sleeps.push(ms);
    const memory = await openMemory({ ...world, clock: Object.assign(world.clock, { sleep }) });
    const enough = Math.ceil((1 + Math.sqrt(1 + 8 * limits.pairsPerTurn)) / 2);
    for (let count = 1; count < enough; count += 1) await memory.add({ text: `${count}`, level: 'public' }, signal);
    const rule = { mergeCosineMin: 0.9999 };
    expect(await memory.consolidate(signal, rule)).toMatchObject({ merged: 0 });
    expect(sleeps).toEqual([]);
    await memory.add({ text: 'one more', level: 'public' }, signal);
    await memory.consolidate(signal, rule);
    expect(sleeps).toEqual([0]);
  });

  it('does not know again what it replaced, and forgets it with what replaced it', async () => {
    const world = deps(6);
    const memory = await openMemory(world);
    const first = await memory.add({ text: '0 first', level: 'public' }, signal);
    await memory.add({ text: '1 second', level: 'public' }, signal);
    const copy = await memory.handOut(first.id, 'anyone');
    await memory.consolidate(signal);
    expect(await memory.take([copy])).toEqual([{ outcome: 'known', id: first.id }]);
    await memory.forget(ids(memory)[0] ?? '');
    expect(await memory.take([copy])).toMatchObject([{ code: 'CAPSULE_FORGOTTEN' }]);
    expect(await memory.undoConsolidation()).toBe(0);
    expect(ids(memory)).toEqual([]);
    for await (const { key } of world.store.range('', '\u{10FFFF}')) expect(key).toMatch(/^forgotten\//);
  });
});

const notes = fc.record({
  angle: fc.integer({ min: 0, max: 24 }).map((step) => step * 4),
  tags: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }),
  level: fc.constantFrom('personal', 'public'),
  waitMs: fc.constantFrom(0, 0, 1, limits.expireAfterMs / 2, limits.expireAfterMs + 1),
  uses: fc.integer({ min: 0, max: 4 }),
  isForeign: fc.boolean(),
});

describe('Whatever is in it', () => {
  it('a second run changes nothing, search and list agree, foreign capsules stay or go whole, and undo brings all back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(notes, { maxLength: 14 }), async (made) => {
        const world = deps(7);
        const memory = await openMemory(world);
        for (const [place, { angle, tags, level, waitMs, uses, isForeign }] of made.entries()) {
          const text = `${angle} ${place}`;
          const [vector = new Float32Array()] = await angles.embed([text], signal);
          const parts = {
            vector,
            embedder: 'angle/1',
            embedderKind: 'semantic',
            createdMs: world.clock.nowMs(),
          } as const;
          if (isForeign) await memory.take([signedBy(other, { ...parts, summary: text })]);
          else await memory.add({ text, tags, level }, signal);
          for (let count = 0; count < uses; count += 1) await memory.search({ text, limit: 1 }, signal);
          await world.clock.advance(waitMs);
        }
        const before = cards(memory);
        const foreign = before.filter(({ mine }) => !mine);
        const result = await memory.consolidate(signal);
        const once = cards(memory);
        expect(once.length).toBe(before.length - result.expired - result.replaced + result.merged);
        expect(foreign).toEqual(expect.arrayContaining(once.filter(({ mine }) => !mine)));
        expect(await memory.consolidate(signal)).toEqual({ expired: 0, replaced: 0, merged: 0 });
        expect(cards(memory)).toEqual(once);
        const after = await openMemory({ ...world, store: world.store.copy() });
        const found = await after.search({ text: '0', limit: 100 }, signal);
        expect(new Set(found.hits.map(({ capsule }) => capsule.id))).toEqual(new Set(once.map(({ id }) => id)));
        if (result.undoUntilMs === undefined) return;
        await memory.undoConsolidation();
        expect(cards(memory)).toEqual(before);
        expect(memory.state().damaged).toEqual([]);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('Undoing', () => {
  it('goes back run by run, to its last moment and no later', async () => {
    const world = deps(8);
    const memory = await openMemory(world);
    await expect(memory.undoConsolidation()).rejects.toThrow(code('NOT_FOUND'));
    const add = (text: string) => memory.add({ text, level: 'public' }, signal);
    const [first, second] = [await add('0'), await add('1')];
    expect(await memory.consolidate(signal)).toMatchObject({ undoUntilMs: world.clock.nowMs() + limits.undoMs });
    const third = await add('2');
    await memory.consolidate(signal);
    expect(memory.state().capsules).toBe(1);
    await world.clock.advance(limits.undoMs);
    expect(await memory.undoConsolidation()).toBe(2);
    expect(await memory.undoConsolidation()).toBe(2);
    expect(new Set(ids(memory))).toEqual(new Set([first.id, second.id, third.id]));
    await memory.consolidate(signal);
    await world.clock.advance(limits.undoMs + 1);
    await expect(memory.undoConsolidation()).rejects.toThrow(code('EXPIRED'));
    await memory.consolidate(signal);
    let away = 0;
    for await (const { key } of world.store.range('away/', 'away0')) away += key.length;
    expect(away).toBe(0);
  });

  it('is given up early when what was taken away has no room', async () => {
    const world = deps(9);
    const one = await openMemory(world);
    await one.add({ text: '0', level: 'public' }, signal);
    const { bytes } = one.state();
    const memory = await openMemory(world, { bytesMax: bytes / limits.undoShareMax });
    await memory.consolidate(signal, { expireAfterMs: -1 });
    expect(await memory.undoConsolidation()).toBe(1);
    const small = await openMemory(world, { bytesMax: bytes / limits.undoShareMax - 4 });
    await small.consolidate(signal, { expireAfterMs: -1 });
    await small.consolidate(signal);
    await expect(small.undoConsolidation()).rejects.toThrow(code('NOT_FOUND'));
  });

  it.each(['dropping', 'comparing', 'joining'] as const)(
    'can be stopped at %s: what it did is taken back',
    async (at) => {
      const world = deps(10);
      const memory = await openMemory(world);
      await memory.take([signedBy(other)]);
      await world.clock.advance(limits.expireAfterMs + 1);
      for (const text of ['0', '1', '90', '91']) await memory.add({ text, level: 'public' }, signal);
      const before = ids(memory).toSorted();
      const stop = new AbortController();
      const steps: string[] = [];
      const told = (step: string, done: number, all: number): void => {
        steps.push(`${step} ${done} of ${all}`);
        if (step === at) stop.abort();
      };
      await expect(memory.consolidate(stop.signal, {}, told)).rejects.toThrow(code('ABORTED'));
      expect(steps.join(', ')).toContain(at);
      const again = await openMemory(world);
      for (const one of [memory, again]) expect(ids(one).toSorted()).toEqual(before);
      await expect(again.undoConsolidation()).rejects.toThrow(code('NOT_FOUND'));
      expect(await again.consolidate(signal)).toMatchObject({ expired: 1, merged: 2 });
    },
  );

  it('says how far it is', async () => {
    const world = deps(14);
    const memory = await openMemory(world);
    await memory.take([signedBy(other)]);
    await world.clock.advance(limits.expireAfterMs + 1);
    for (const text of ['0', '1', '90']) await memory.add({ text, level: 'public' }, signal);
    const steps: string[] = [];
    await memory.consolidate(signal, {}, (step, done, all) => steps.push(`${step} ${done} of ${all}`));
    const compared = [1, 2, 3].map((done) => `comparing ${done} of 3`);
    expect(steps).toEqual(['dropping 1 of 1', ...compared, 'joining 1 of 1']);
  });
});

describe('A request to forget', () => {
  it('is honoured for its author alone, and leaves a tombstone', async () => {
    const memory = await openMemory(deps(11));
    const copy = signedBy(other);
    await memory.take([copy]);
    const [id = ''] = ids(memory);
    const stranger = createIdentity(crypto, seededRandom(53).bytes(32));
    await expect(memory.honourForget(signForget(stranger, id, 1))).rejects.toThrow(code('REFUSED'));
    const asked = signForget(other, id, 1);
    expect(openForget(crypto, asked)).toEqual({ capsule: id, author: other.peer, statedMs: 1 });
    expect(await memory.honourForget(asked)).toBe(true);
    expect(await memory.honourForget(asked)).toBe(false);
    expect(await memory.take([copy])).toMatchObject([{ code: 'CAPSULE_FORGOTTEN' }]);
    expect(asked.length).toBeLessThanOrEqual(limits.forgetBytesMax);
    expect(() => openForget(crypto, new Uint8Array(limits.forgetBytesMax))).toThrow(code('INVALID_FORMAT'));
    expect(() => openForget(crypto, new Uint8Array(limits.forgetBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
    expect(() => openForget(crypto, copy.slice(0, 200))).toThrow();
  });

  it('reaches what a consolidation took away', async () => {
    const world = deps(13);
    const memory = await openMemory(world);
    await memory.take([signedBy(other)]);
    const [id = ''] = ids(memory);
    await world.clock.advance(limits.expireAfterMs + 1);
    expect(await memory.consolidate(signal)).toMatchObject({ expired: 1 });
    expect(await memory.honourForget(signForget(other, id, 1))).toBe(true);
    expect(await memory.undoConsolidation()).toBe(0);
    expect(memory.state()).toMatchObject({ capsules: 0, forgotten: 1 });
  });
});
