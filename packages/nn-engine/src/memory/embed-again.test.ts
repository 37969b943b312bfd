import { createIdentity, PeerAiError } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';

import { type Embedder, lexicalEmbedder } from './embedder.ts';
import { memoryLimits as limits } from './limits.ts';
import { type Memory, openMemory } from './memory.ts';
import { memoryDeps, signedBy } from './testing/fixtures.ts';

const { signal } = new AbortController();
const other = createIdentity(crypto, seededRandom(51).bytes(32));

/** All that is of water lies in one direction, whatever its words are. */
function water(name = 'water/1', dimensions = 3) {
  const asked: (readonly string[])[] = [];
  const state = { error: undefined as unknown, refused: /$^/u };
  const embedder: Embedder = {
    name,
    dimensions,
    kind: 'semantic',
    async embed(texts) {
      asked.push(texts);
      if (state.error !== undefined) throw state.error;
      if (texts.some((text) => state.refused.test(text))) throw new PeerAiError('PROMPT_TOO_LONG', 'too long');
      return texts.map((text) => {
        const row = new Float32Array(dimensions);
        row[/roof|rain|sea/u.test(text) ? 0 : 1] = 1;
        return row;
      });
    },
  };
  return { embedder, asked, state };
}
type Deps = ReturnType<typeof memoryDeps>;
const again = async ({ clock }: Deps, memory: Memory, embedder: Embedder, told?: (left: number) => void) =>
  clock.until(memory.embedAgain(embedder, signal, told));
const madeRows = async ({ store }: Deps): Promise<number> =>
  (await Array.fromAsync(store.range('vector-', 'vector.'))).length;
const found = async (memory: Memory, text: string) =>
  (await memory.search({ text }, signal)).hits.map(({ capsule, kind }) => `${kind} ${capsule.summary}`);

test('what another embedder made is found by the new one too, once each, and stays as its author signed it', async () => {
  const deps = memoryDeps(1);
  const { embedder, state } = water();
  const words = await openMemory(deps);
  const roof = await words.add({ level: 'public', text: 'the roof leaks' }, signal);
  const train = await words.add({ level: 'public', text: 'the train leaves' }, signal);
  const signed = await words.handOut(roof.id, 'paired');
  expect([words.lacking(embedder), words.lacking(lexicalEmbedder)]).toEqual([2, 0]);
  await again(deps, words, embedder);
  const both = { ...deps, embedders: [embedder, lexicalEmbedder] };
  for (const memory of [await openMemory(both), await openMemory(both)]) {
    expect([memory.lacking(embedder), memory.state().capsules, await madeRows(deps)]).toEqual([0, 2, 2]);
    expect(await found(memory, 'rain')).toEqual(['semantic the roof leaks', 'semantic the train leaves']);
    expect(await memory.search({ text: 'rain' }, signal)).toMatchObject({ searched: 2, leftOutCount: 0, leftOut: [] });
    // Away, it is found by words again, and nothing is left out.
    state.error = new PeerAiError('TIMEOUT', 'away');
    expect(await found(memory, 'train')).toEqual(['lexical the train leaves', 'lexical the roof leaks']);
    expect(await memory.search({ text: 'train' }, signal)).toMatchObject({ searched: 2, leftOutCount: 0 });
    state.error = undefined;
    expect(memory.card(roof.id)).toMatchObject({
      embedder: lexicalEmbedder.name,
      embedderKind: 'lexical',
      id: roof.id,
    });
    expect((await memory.get(train.id))?.vector).toHaveLength(lexicalEmbedder.dimensions);
    expect(await memory.handOut(roof.id, 'paired')).toEqual(signed);
    // Each search of this device counts once.
    expect(memory.list().capsules.map(({ uses }) => uses)).toEqual([4, 4]);
  }
});

test('a capsule of an embedder that is not here is left out until it is embedded here', async () => {
  const deps = memoryDeps(2);
  const memory = await openMemory(deps);
  await memory.take([
    signedBy(other, { embedder: 'far/1', embedderKind: 'semantic', vector: Float32Array.of(1, 0) }),
    signedBy(other, { mediaType: 'image/png', summary: 'a red sail', embedder: 'far/1', embedderKind: 'semantic' }),
  ]);
  expect(await memory.search({ text: 'tomatoes' }, signal)).toMatchObject({ searched: 0, leftOutCount: 2 });
  await again(deps, memory, lexicalEmbedder);
  expect((await found(memory, 'tomatoes'))[0]).toBe('lexical tomatoes');
  expect((await found(memory, 'sails'))[0]).toBe('lexical a red sail');
  expect((await memory.search({ text: 'tomatoes' }, signal)).leftOutCount).toBe(0);
  // Where none of its vectors can be compared, it is left out once.
  const far = memoryDeps(2);
  const { embedder, state } = water();
  const lost = await openMemory({ ...far, embedders: [embedder, lexicalEmbedder] });
  await lost.take([signedBy(other, { embedder: 'far/1', embedderKind: 'semantic' })]);
  await again(far, lost, embedder);
  state.error = new PeerAiError('TIMEOUT', 'away');
  expect(await lost.search({ text: 'tomatoes' }, signal)).toMatchObject({ searched: 0, leftOutCount: 1 });
});

test('so many texts at once, the newest first; what is done when it is aborted or fails stays', async () => {
  const deps = memoryDeps(3);
  const { embedder, asked, state } = water();
  const memory = await openMemory(deps);
  const count = 2 * limits.embedAgainTexts + 1;
  for (let place = 0; place < count; place += 1) {
    await deps.clock.advance(1);
    await memory.add({ level: 'personal', text: `the sea ${place}` }, signal);
  }
  const left: number[] = [];
  const leaving = new AbortController();
  const stopped = memory.embedAgain(embedder, leaving.signal, (now) => {
    left.push(now);
    leaving.abort();
  });
  await expect(deps.clock.until(stopped)).rejects.toMatchObject({ code: 'ABORTED' });
  expect([left, asked[0]?.[0], await madeRows(deps)]).toEqual([
    [count - limits.embedAgainTexts],
    `the sea ${count - 1}`,
    limits.embedAgainTexts,
  ]);
  state.error = new PeerAiError('TIMEOUT', 'away');
  await expect(again(deps, memory, embedder)).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(memory.lacking(embedder)).toBe(count - limits.embedAgainTexts);
  state.error = undefined;
  asked.length = 0;
  await again(deps, memory, embedder, (now) => void left.push(now));
  expect([asked.map(({ length }) => length), left.slice(1)]).toEqual([
    [limits.embedAgainTexts, 1],
    [1, 0],
  ]);
  await again(deps, memory, embedder);
  expect(asked).toHaveLength(2);
});

test('a text that the embedder refuses keeps no other from it, and is not tried again', async () => {
  const deps = memoryDeps(4);
  const { embedder, asked, state } = water();
  state.refused = /book/u;
  const memory = await openMemory(deps);
  for (const text of ['a book', 'rain', 'a train']) await memory.add({ level: 'personal', text }, signal);
  await again(deps, memory, embedder);
  expect([memory.lacking(embedder), await madeRows(deps)]).toEqual([0, 2]);
  asked.length = 0;
  await again(deps, memory, embedder);
  expect(asked).toEqual([]);
  const both = await openMemory({ ...deps, embedders: [embedder, lexicalEmbedder] });
  expect(await both.search({ text: 'rain' }, signal)).toMatchObject({ searched: 3, leftOutCount: 0 });
  await expect(again(deps, both, { ...embedder, dimensions: 4, name: 'wrong/1' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  });
});

test('there is room for so many bytes of vectors that were made here, and no more', async () => {
  for (const [more, isWhole] of [
    [0, true],
    [-1, false],
  ] as const) {
    const deps = memoryDeps(5);
    const memory = await openMemory(deps, { localVectorBytesMax: 2 * 3 * 4 + more });
    for (const text of ['rain', 'a train']) await memory.add({ level: 'personal', text }, signal);
    const { embedder } = water();
    await again(deps, memory, embedder);
    expect([memory.lacking(embedder), await madeRows(deps)]).toEqual(isWhole ? [0, 2] : [1, 1]);
    expect(memory.hasRoomFor(embedder)).toBe(false);
    // What is forgotten makes room.
    const [newest] = memory.list().capsules;
    await memory.forget(newest?.id ?? '');
    expect(memory.hasRoomFor(embedder)).toBe(true);
    await again(deps, memory, embedder);
    expect([memory.lacking(embedder), await madeRows(deps)]).toEqual([0, 1]);
  }
});

test('another model’s vectors take the place of the former’s, and the capsule’s own stays', async () => {
  const deps = memoryDeps(6);
  const memory = await openMemory(deps);
  await memory.add({ level: 'personal', text: 'rain' }, signal);
  const [first, second] = [water('first/1'), water('second/1', 4)];
  await again(deps, memory, first.embedder);
  await again(deps, memory, second.embedder);
  expect([await madeRows(deps), memory.lacking(first.embedder), memory.lacking(second.embedder)]).toEqual([1, 1, 0]);
  const opened = await openMemory({ ...deps, embedders: [first.embedder, lexicalEmbedder] });
  expect(await found(opened, 'rain')).toEqual(['lexical rain']);
});

test('vectors go with their capsule: forgotten, expired, and embedded again where it comes back', async () => {
  const deps = memoryDeps(7);
  const { embedder } = water();
  const memory = await openMemory({ ...deps, embedders: [embedder, lexicalEmbedder] });
  await memory.add({ level: 'personal', text: 'rain' }, signal, lexicalEmbedder);
  const sea = await memory.add({ level: 'personal', text: 'sea' }, signal, lexicalEmbedder);
  await again(deps, memory, embedder);
  expect(await madeRows(deps)).toBe(2);
  // By meaning both are the same, and by the words that their own vectors were made of they are not.
  expect(await memory.consolidate(signal)).toMatchObject({ merged: 0, expired: 0 });
  await memory.forget(sea.id);
  expect([await madeRows(deps), await found(memory, 'sea')]).toEqual([1, ['semantic rain']]);
  await deps.clock.advance(limits.expireAfterMs + 1);
  expect(await memory.consolidate(signal)).toMatchObject({ expired: 1 });
  expect([await madeRows(deps), await found(memory, 'sea')]).toEqual([0, []]);
  await memory.undoConsolidation();
  expect([memory.lacking(embedder), await found(memory, 'rain')]).toEqual([1, ['lexical rain']]);
  await again(deps, memory, embedder);
  expect(await found(memory, 'sea')).toEqual(['semantic rain']);
});

test('a row that was swapped or damaged counts for nothing, and is written anew', async () => {
  const deps = memoryDeps(8);
  const { embedder } = water();
  const memory = await openMemory(deps);
  const rain = await memory.add({ level: 'personal', text: 'rain' }, signal);
  const train = await memory.add({ level: 'personal', text: 'train' }, signal);
  await again(deps, memory, embedder);
  const row = await deps.store.get(`vector-semantic/${rain.id}`);
  await deps.store.commit([deps.store.put(`vector-semantic/${train.id}`, row)]);
  const opened = await openMemory({ ...deps, embedders: [embedder, lexicalEmbedder] });
  expect([opened.lacking(embedder), opened.state().damaged]).toEqual([1, []]);
  await again(deps, opened, embedder);
  expect((await openMemory(deps)).lacking(embedder)).toBe(0);
});
