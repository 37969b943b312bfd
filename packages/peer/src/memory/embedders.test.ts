import { type LanguageModel, PeerAiError } from '@peerai/core-protocol';
import { ManualClock, MemoryStore } from '@peerai/core-protocol/testing';
import { lexicalEmbedder, memoryLimits } from '@peerai/nn-engine/memory';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { live } from '../testing/steps.ts';
import { createEmbedders } from './embedders.ts';

/** A model for embeddings, what it was asked, and how it answers now. */
function modelOf(name: string, dimensions = 2) {
  const asked: string[] = [];
  const state = { dimensions, charsMax: Infinity, hangs: false, error: undefined as unknown };
  const model: LanguageModel = {
    specification: 1,
    card: {
      name,
      engine: 'ollama',
      contextTokensMax: 512,
      memoryBytes: 0,
      loaded: false,
      deterministic: false,
      fits: true,
      embeds: true,
      forEmbeddings: true,
    },
    async *generate() {
      await Promise.reject(new Error('a model for embeddings answers nothing'));
      yield { type: 'text-delta', text: '' };
    },
    async embed(texts) {
      asked.push(...texts);
      if (state.hangs) return new Promise(() => undefined);
      if (state.error !== undefined) throw state.error;
      if (texts.some((text) => text.length > state.charsMax)) throw new PeerAiError('PROMPT_TOO_LONG', 'too long');
      return texts.map(() => new Float32Array(state.dimensions).fill(Math.sqrt(1 / state.dimensions)));
    },
  };
  return { model, asked, state };
}
function world(setting = 'auto', store = new MemoryStore(), clock = new ManualClock()) {
  const offered: LanguageModel[] = [];
  const find = async (name: string) => offered.find(({ card }) => card.name === name);
  const embedders = createEmbedders({ clock, setting, find, offered: () => offered, store });
  return { clock, store, offered, embedders, ready: () => embedders.ready(live()) };
}
const words = { name: lexicalEmbedder.name, kind: 'lexical', setting: 'auto' };
const meaning = (name: string) => ({ name: `ollama/${name}`, kind: 'semantic', setting: 'auto' });
const down = new PeerAiError('ENGINE_UNREACHABLE', 'no engine answers');

test('auto takes a model once an engine offers one, and compares words until then, which is no problem', async () => {
  const { offered, ready, embedders } = world();
  expect(await ready()).toEqual(words);
  offered.push(modelOf('nomic').model, modelOf('other').model);
  expect(await ready()).toEqual(meaning('nomic'));
  expect(embedders.list.map(({ name }) => name)).toEqual(['ollama/nomic', lexicalEmbedder.name]);
});

test.each(['lexical', 'off'])('%s asks no model', async (setting) => {
  const { offered, ready } = world(setting);
  const { model, asked } = modelOf('nomic');
  offered.push(model);
  expect([await ready(), asked]).toEqual([{ ...words, setting }, []]);
});

test('an engine that is away is said, left in peace for a while, and used again', async () => {
  const { offered, ready, embedders, clock } = world();
  const { model, asked, state } = modelOf('nomic');
  offered.push(model);
  await ready();
  const [used] = embedders.list;
  state.error = down;
  await expect(used?.embed(['roof'], live())).rejects.toBe(down);
  asked.length = 0;
  // The list of its models may be gone too; the choice stays.
  offered.length = 0;
  await clock.advance(limits.embedderAwayMs - 1);
  await expect(used?.embed(['roof'], live())).rejects.toBe(down);
  expect([await ready(), asked]).toEqual([{ ...words, problem: 'ollama/nomic: no engine answers' }, []]);
  state.error = undefined;
  await clock.advance(1);
  expect(await used?.embed(['roof'], live())).toHaveLength(1);
  expect([await ready(), asked]).toEqual([meaning('nomic'), ['roof']]);
});

test('who asks and leaves makes no engine away', async () => {
  const { offered, ready, embedders, clock } = world();
  const { model, state } = modelOf('nomic');
  offered.push(model);
  await ready();
  state.hangs = true;
  const leaving = new AbortController();
  const asking = embedders.list[0]?.embed(['roof'], leaving.signal);
  leaving.abort(new Error('gone'));
  await expect(asking).rejects.toMatchObject({ code: 'ABORTED' });
  expect(embedders.now()).toEqual(meaning('nomic'));
  // One that hangs is.
  const hanging = embedders.list[0]?.embed(['roof'], live());
  hanging?.catch(() => undefined);
  await clock.advance(limits.embedMs - 1);
  expect(embedders.now().problem).toBeUndefined();
  await clock.advance(1);
  await expect(hanging).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(embedders.now().kind).toBe('lexical');
});

test('what was chosen stays chosen through a restart, until it is missing for long', async () => {
  const before = world();
  before.offered.push(modelOf('nomic').model);
  await before.ready();
  const { offered, ready, clock } = world('auto', before.store);
  const nomic = modelOf('nomic').model;
  offered.push(modelOf('first').model, nomic);
  expect(await ready()).toEqual(meaning('nomic'));
  offered.pop();
  expect(await ready()).toEqual(meaning('nomic'));
  await clock.advance(limits.embedderMissingMs - 1);
  expect(await ready()).toEqual(meaning('nomic'));
  await clock.advance(1);
  expect(await ready()).toEqual(meaning('first'));

  const again = world('auto', before.store);
  again.offered.push(nomic);
  expect(await again.ready()).toEqual({
    ...words,
    problem: 'ollama/first, which was used before, is not there',
  });
  await again.clock.advance(limits.embedderMissingMs);
  expect(await again.ready()).toEqual(meaning('nomic'));
});

test('where nothing is offered any more, what was chosen is forgotten in the end, and words are no problem', async () => {
  const before = world();
  before.offered.push(modelOf('nomic').model);
  await before.ready();
  const { ready, clock } = world('auto', before.store);
  expect((await ready()).problem).toBeDefined();
  await clock.advance(limits.embedderMissingMs);
  expect(await ready()).toEqual(words);
});

test('of a text as much is embedded as the model reads, down to so many characters', async () => {
  const { offered, ready, embedders } = world();
  const { model, asked, state } = modelOf('minilm');
  offered.push(model);
  await ready();
  asked.length = 0;
  state.charsMax = 300;
  expect(await embedders.list[0]?.embed(['short', 'x'.repeat(1_000)], live())).toHaveLength(2);
  expect(asked.map((text) => text.length)).toEqual([5, 1_000, 5, 1_000, 500, 250]);
  state.charsMax = 0;
  for (const [length, tries] of [
    [limits.embedRefusedCharsMin, 1],
    [limits.embedRefusedCharsMin + 1, 2],
  ] as const) {
    asked.length = 0;
    await expect(embedders.list[0]?.embed(['x'.repeat(length)], live())).rejects.toMatchObject({
      code: 'PROMPT_TOO_LONG',
    });
    expect(asked).toHaveLength(tries);
  }
  // The engine is not away for that.
  expect(embedders.now()).toEqual(meaning('minilm'));
});

test('what no capsule could carry is not used, nor looked at again at once; the next is', async () => {
  const nameMax = memoryLimits.embedderNameBytesMax - 'ollama/'.length;
  const dimensionsMax = memoryLimits.embeddingDimensionsMax;
  for (const [name, dimensions, isTaken] of [
    ['n'.repeat(nameMax), 2, true],
    ['n'.repeat(nameMax + 1), 2, false],
    ['n', dimensionsMax, true],
    ['n', dimensionsMax + 1, false],
    ['n', 0, false],
  ] as const) {
    const { offered, ready } = world();
    offered.push(modelOf(name, dimensions).model);
    const view = await ready();
    expect([view.kind === 'semantic', view.problem === undefined]).toEqual([isTaken, isTaken]);
    offered.push(modelOf('good').model);
    expect((await ready()).kind).toBe(isTaken ? 'semantic' : 'lexical');
  }
  const wide = () => modelOf('wide', dimensionsMax + 1);
  for (const [count, isTaken] of [
    [limits.embedderTriesMax - 1, true],
    [limits.embedderTriesMax, false],
  ] as const) {
    const { offered, ready, clock } = world();
    const all = Array.from({ length: count }, wide);
    offered.push(...all.map(({ model }) => model), modelOf('good').model);
    expect((await ready()).kind).toBe(isTaken ? 'semantic' : 'lexical');
    await clock.advance(limits.embedderAwayMs - 1);
    await ready();
    expect(all.map(({ asked }) => asked.length)).toEqual(all.map(() => 1));
    await clock.advance(1);
    await ready();
    expect(all.map(({ asked }) => asked.length)).toEqual(all.map(() => (isTaken ? 1 : 2)));
  }
});

test('another model under the same name is seen by the length of its vectors', async () => {
  const { offered, ready, embedders } = world();
  const { model, state } = modelOf('nomic');
  offered.push(model);
  await ready();
  state.dimensions = 3;
  await embedders.list[0]?.embed(['roof'], live());
  await ready();
  expect(embedders.list.map(({ dimensions }) => dimensions)).toEqual([3, lexicalEmbedder.dimensions]);
});

test('a model that is named is looked for at each question until it is there', async () => {
  const { offered, ready } = world('nomic');
  expect(await ready()).toEqual({ ...words, setting: 'nomic', problem: 'no engine on this machine has nomic' });
  offered.push(modelOf('other').model, modelOf('nomic').model);
  expect(await ready()).toEqual({ ...meaning('nomic'), setting: 'nomic' });
});

test('the first vector of a model is waited for `embedderFirstMs`, then words are compared', async () => {
  const { offered, ready, clock } = world();
  const { model, state } = modelOf('slow');
  state.hangs = true;
  offered.push(model);
  let now: unknown;
  void ready().then((found) => (now = found));
  await clock.advance(limits.embedderFirstMs - 1);
  expect(now).toBeUndefined();
  await clock.advance(1);
  expect(now).toMatchObject({ ...words, problem: expect.stringContaining('ollama/slow') as string });
});
