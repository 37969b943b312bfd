import type { LanguageModel } from '@peerai/core-protocol';
import { type Engine, ollamaEngine, scriptedEngine } from '@peerai/llm-bridge';
import { type WireEmbedder, wireEmbedder } from '@peerai/llm-bridge/testing';
import { memoryLimits } from '@peerai/nn-engine/memory';
import { afterEach, describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { memoryAddSchema, memorySearchSchema } from './memory.schema.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
async function peerOf(world: TestWorld, options: PeerOptions = {}): Promise<TestPeer> {
  const one = await world.peer('a', { seed: 1, ...options });
  started.push(one);
  return one;
}
/** A dead process is not stopped: it would wait for its disk for ever. */
function kill(world: TestWorld, one: TestPeer): TestPeer['store'] {
  started.splice(started.indexOf(one), 1);
  return world.kill(one);
}
const remember = async ({ peer }: TestPeer, text: string, tags: string[] = []) =>
  (await peer.memory.add({ text, tags }, live())).capsule;
const texts = async ({ peer }: TestPeer, text: string) =>
  (await peer.memory.search({ text }, live())).hits.map(({ capsule }) => capsule.summary);

test('what is remembered is listed, found, told of, and there after a kill', async () => {
  const world = testWorld();
  const a = await peerOf(world);
  const heard: unknown[] = [];
  void (async () => {
    for await (const { event } of a.peer.events.subscribe(live())) heard.push(event);
  })();
  const roof = await remember(a, 'the roof leaks above the stairs', ['house']);
  expect(roof).toMatchObject({ level: 'personal', mine: true, authorName: 'a', kind: 'lexical', tags: ['house'] });
  await world.clock.advance(1_000);
  await remember(a, 'the train leaves at nine');
  const { capsules, count } = await a.peer.memory.list({});
  expect([count, capsules.map(({ summary }) => summary)]).toEqual([
    2,
    ['the train leaves at nine', 'the roof leaks above the stairs'],
  ]);
  const first = await a.peer.memory.list({ limit: 1 });
  expect((await a.peer.memory.list({ after: first.next ?? '' })).capsules).toMatchObject([{ id: roof.id }]);
  await a.peer.memory.add({ text: 'the roof is red', level: 'public' }, live());
  const ofLevel = async (level: 'personal' | 'behavioral' | 'public') =>
    (await a.peer.memory.search({ text: 'roof', level, limit: 1 }, live())).hits.map(({ capsule }) => capsule.summary);
  expect([await ofLevel('public'), await ofLevel('behavioral')]).toEqual([['the roof is red'], []]);
  const found = await a.peer.memory.search({ text: 'leaking roof', limit: 1 }, live());
  expect(found).toMatchObject({
    hits: [{ capsule: { id: roof.id }, kind: 'lexical' }],
    searched: 3,
    embedder: { name: 'lexical-hash/1', kind: 'lexical' },
  });
  expect(heard).toContainEqual({ type: 'memory-changed', capsuleId: roof.id, isHere: true });
  const again = await peerOf(world, { store: kill(world, a) });
  expect(await again.peer.memory.get(roof.id.slice(0, 8))).toMatchObject({
    id: roof.id,
    text: 'the roof leaks above the stairs',
  });
});

test('what is forgotten is gone, and ids that nothing has are said', async () => {
  const a = await peerOf(testWorld());
  const { id } = await remember(a, 'a secret');
  expect(await a.peer.memory.get(id.slice(0, 8))).toMatchObject({ id });
  await expect(a.peer.memory.get(id.slice(0, 7))).rejects.toThrow('needs 8 digits or more');
  expect(await a.peer.memory.forget(id.slice(0, 12))).toMatchObject({ id });
  for (const text of [id, id.slice(0, 12), id.slice(0, 7), 'roof'])
    await expect(a.peer.memory.get(text)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(a.peer.memory.forget(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await texts(a, 'secret')).toEqual([]);
});

test('a picture of the memory has so many of the newest capsules, and what binds them', async () => {
  const world = testWorld();
  const a = await peerOf(world);
  const first = await remember(a, 'the first of all');
  const relations = [{ kind: 'related' as const, capsule: first.id }];
  for (let count = 1; count < limits.memoryGraphCapsulesMax; count += 1) {
    await world.clock.advance(1);
    await a.peer.memory.add({ text: `apple ${count}`, ...(count === 1 ? { relations } : {}) }, live());
  }
  const whole = await a.peer.memory.graph();
  expect([whole.capsules.length, whole.capsules.at(-1)?.id]).toEqual([limits.memoryGraphCapsulesMax, first.id]);
  expect(whole.links[0]).toMatchObject({ from: whole.capsules.at(-2)?.id, to: first.id, kind: 'related' });
  await world.clock.advance(1);
  await remember(a, 'a boat');
  const { count, capsules, links } = await a.peer.memory.graph();
  expect([count, capsules.length]).toEqual([limits.memoryGraphCapsulesMax + 1, limits.memoryGraphCapsulesMax]);
  expect([capsules[0]?.summary, links.some(({ to }) => to === first.id)]).toEqual(['a boat', false]);
});

test('near-equal capsules become one, and come apart again', async () => {
  const a = await peerOf(testWorld());
  await remember(a, 'the roof leaks', ['x']);
  await remember(a, 'the roof leaks', ['y']);
  const listening = new AbortController();
  const hearing = (async () => {
    for await (const { event } of a.peer.events.subscribe(listening.signal))
      if (event.type === 'memory-progress' && event.name === 'joining') return event;
    return undefined;
  })();
  expect(await a.peer.memory.consolidate(live())).toMatchObject({ replaced: 2, merged: 1, expired: 0 });
  expect(await hearing).toMatchObject({ work: 'tidy', done: 1, all: 1 });
  listening.abort();
  expect((await a.peer.memory.list({})).capsules).toMatchObject([{ tags: ['x', 'y'] }]);
  expect(await a.peer.memory.undoConsolidation()).toEqual({ v: 1, restored: 2 });
  expect((await a.peer.memory.list({})).count).toBe(2);
});

test('the model of the setting embeds; while it is away words are compared, and that is said', async () => {
  const asked: string[] = [];
  const world = testWorld();
  const inner = scriptedEngine({ clock: world.clock });
  const [echo] = await inner.list(live());
  if (echo === undefined) throw new TypeError('the scripted engine has a model');
  let isThere = false;
  const vectors: LanguageModel = {
    card: { ...echo.card, name: 'vectors', engine: 'ollama', embeds: true },
    specification: 1,
    generate: (...parts) => echo.generate(...parts),
    embed: async (given) => {
      asked.push(...given);
      // All that is of water lies in one direction, whatever its words are.
      return given.map((text) => Float32Array.from(/roof|rain/u.test(text) ? [1, 0, 0] : [0, 1, 0]));
    },
  };
  const engine: Engine = {
    ...inner,
    list: async () => (isThere ? [vectors] : []),
    model: async (name) => (isThere && name === 'vectors' ? vectors : undefined),
  };
  const a = await peerOf(world, { engines: [engine], settings: { memoryEmbedder: 'vectors' } });
  const early = await a.peer.memory.add({ text: 'the train leaves' }, live());
  expect(early.embedder).toEqual({
    name: 'lexical-hash/1',
    kind: 'lexical',
    setting: 'vectors',
    left: 0,
    problem: 'no engine on this machine has vectors',
  });
  isThere = true;
  const later = await a.peer.memory.add({ text: 'the roof leaks' }, live());
  expect(later).toMatchObject({
    embedder: { name: 'ollama/vectors', kind: 'semantic' },
    capsule: { kind: 'semantic', embedder: 'ollama/vectors' },
  });
  expect(later.embedder).not.toHaveProperty('problem');
  const { hits, searched } = await a.peer.memory.search({ text: 'rain comes in' }, live());
  expect([searched, hits[0]?.capsule.summary, hits[0]?.kind]).toEqual([2, 'the roof leaks', 'semantic']);
  expect(hits[0]?.similarity).toBeCloseTo(1);
  expect(asked).toContain('rain comes in');
  // What is personal is not embedded on another machine.
  const away = { ...engine, url: 'http://192.0.2.7:11434' };
  const far = await peerOf(testWorld(), { seed: 6, engines: [away], settings: { memoryEmbedder: 'vectors' } });
  asked.length = 0;
  expect((await far.peer.memory.add({ text: 'the roof' }, live())).embedder).toEqual(early.embedder);
  expect(asked).toEqual([]);
  const plain = await peerOf(testWorld(), { seed: 5, engines: [engine] });
  expect((await plain.peer.memory.add({ text: 'x' }, live())).embedder.kind).toBe('lexical');
});

describe('an engine that offers a model for embeddings', () => {
  const meaning = 'ollama/nomic-embed-text:latest';
  const url = 'http://127.0.0.1:11434';
  const wet = (text: string) => (/roof|rain/u.test(text) ? [1, 0, 0] : [0, 1, 0]);
  async function desk(ollama: WireEmbedder) {
    const world = testWorld();
    const engine = ollamaEngine({ clock: world.clock, fetch: ollama.fetch }, { url });
    // The client is loaded in real time.
    await engine.list(live());
    const offering = { isThere: true };
    const list = async (signal: AbortSignal) => (offering.isThere ? engine.list(signal) : []);
    const engines = [scriptedEngine({ clock: world.clock }), { ...engine, list }];
    const a = async () => peerOf(world, { engines });
    return { world, offering, a };
  }
  const asker = async (world: TestWorld, a: TestPeer) => {
    const b = await world.peer('b', { seed: 2 });
    started.push(b);
    await pair(world, a, b, ['chat', 'memory']);
    return async (text: string) => (await world.clock.until(b.peer.memory.search({ text, peer: 'a' }, live()))).hits;
  };
  const best = async ({ peer }: TestPeer, text: string) => {
    const { hits, embedder, leftOutCount } = await peer.memory.search({ text, limit: 1 }, live());
    return [hits.map(({ kind, capsule }) => `${kind} ${capsule.summary}`), embedder.kind, leftOutCount];
  };
  const embedder = async ({ peer }: TestPeer) => (await peer.memory.list({})).embedder;

  test('is used by itself, by peers that ask too, and what is longer than its model reads is cut', async () => {
    const ollama = wireEmbedder(wet, 300);
    const { world, a: desktop } = await desk(ollama);
    const a = await desktop();
    const ask = await asker(world, a);
    const text = `the roof leaks ${'above the stairs '.repeat(20)}`;
    const added = await a.peer.memory.add({ text, level: 'public' }, live());
    expect(added.embedder).toEqual({ name: meaning, kind: 'semantic', setting: 'auto', left: 0 });
    expect(added.capsule).toMatchObject({ kind: 'semantic', embedder: meaning });
    expect(await ask('rain')).toMatchObject([{ kind: 'semantic', capsule: { id: added.capsule.id } }]);
    expect(ollama.asked.map(({ model }) => `ollama/${model}`)).toEqual(ollama.asked.map(() => meaning));
    expect(ollama.asked.map(({ text: one }) => one)).toContain('rain');
  });

  test('embeds what was here before it came; while it is away all is found by words', async () => {
    const ollama = wireEmbedder(wet);
    const { world, offering, a: desktop } = await desk(ollama);
    offering.isThere = false;
    const a = await desktop();
    const ask = await asker(world, a);
    await a.peer.memory.add({ text: 'the roof leaks', level: 'public' }, live());
    await a.peer.memory.add({ text: 'the train leaves' }, live());
    expect((await best(a, 'rain')).slice(1)).toEqual(['lexical', 0]);
    expect(await embedder(a)).toEqual({ name: 'lexical-hash/1', kind: 'lexical', setting: 'auto', left: 0 });
    offering.isThere = true;
    await world.clock.advance(limits.engineListEveryMs + limits.embedAgainEveryMs);
    expect(await embedder(a)).toEqual({ name: meaning, kind: 'semantic', setting: 'auto', left: 0 });
    expect(await best(a, 'rain')).toEqual([['semantic the roof leaks'], 'semantic', 0]);
    // Its author signed it with the words' vector.
    expect(await ask('rain')).toMatchObject([{ kind: 'semantic', capsule: { kind: 'lexical' } }]);
    await a.peer.memory.add({ text: 'a boat with a red sail' }, live());
    await world.clock.advance(limits.embedAgainEveryMs);
    ollama.isAway = true;
    expect(await best(a, 'red sails')).toEqual([['lexical a boat with a red sail'], 'lexical', 0]);
    const problem = expect.stringMatching(/nomic.*no engine answers/u);
    expect(await a.peer.memory.add({ text: 'a black dog' }, live())).toMatchObject({
      capsule: { kind: 'lexical' },
      embedder: { kind: 'lexical', left: 1, problem },
    });
    // Back again, only what came meanwhile is embedded.
    ollama.isAway = false;
    const before = ollama.asked.length;
    await world.clock.advance(limits.embedderAwayMs + limits.embedAgainEveryMs);
    expect(await embedder(a)).toMatchObject({ kind: 'semantic', left: 0 });
    expect(ollama.asked.slice(before).map(({ text }) => text)).toEqual(['a black dog']);
  });
});

test('what is remembered opens after the key of this peer has changed', async () => {
  const world = testWorld();
  let next: Uint8Array | undefined;
  const a = await peerOf(world, { replaceKey: async (key) => void (next = key) });
  await remember(a, 'the roof leaks');
  await a.peer.keys.rotate({ graceMs: 60_000, force: false });
  if (next === undefined) throw new TypeError('the key was not replaced');
  const renewed = await peerOf(world, { key: next, store: kill(world, a) });
  expect(renewed.identity.peer).not.toBe(a.identity.peer);
  expect(await texts(renewed, 'roof')).toEqual(['the roof leaks']);
  expect((await renewed.peer.memory.list({})).damaged).toEqual([]);
});

test('what was signed with a former key of this peer is its own, and peers that have it forget it at the new key’s word', async () => {
  const world = testWorld();
  const keys: Uint8Array[] = [];
  const a = await peerOf(world, { replaceKey: async (key) => void keys.push(key) });
  const b = await world.peer('b', { seed: 2 });
  started.push(b);
  await pair(world, a, b, ['chat', 'memory']);
  const { capsule } = await a.peer.memory.add({ text: 'the roof leaks', level: 'behavioral' }, live());
  await world.clock.until(a.peer.memory.share(capsule.id, 'b', live()));
  const bCount = async () => (await b.peer.memory.list({})).count;
  expect(await bCount()).toBe(1);
  await a.peer.keys.rotate({ graceMs: 600_000, force: true });
  const [key] = keys;
  if (key === undefined) throw new TypeError('the key was not replaced');
  const renewed = await peerOf(world, { key, store: kill(world, a) });
  const page = await renewed.peer.memory.list({});
  expect(page).toMatchObject({ ofOtherPeers: 0, capsules: [{ id: capsule.id, mine: true, authorName: 'a' }] });
  await until(world.clock, () => b.peer.peers.list().some(({ peerId }) => peerId === renewed.identity.peer));
  // It may be handed on, as only an author may.
  expect(await world.clock.until(renewed.peer.memory.share(capsule.id, 'b', live()))).toMatchObject({
    outcome: 'known',
  });
  expect((await b.peer.memory.list({})).capsules).toMatchObject([{ mine: false, authorName: 'a' }]);
  await renewed.peer.memory.forget(capsule.id);
  await until(world.clock, async () => (await bCount()) === 0);
});

test('requests are as large as the memory takes, and no larger', () => {
  const { memoryTextCharsMax, memorySummaryCharsMax, memoryTagsMax, memoryTagCharsMax, memoryRelationsMax } = limits;
  expect([memoryTextCharsMax, memorySummaryCharsMax, memoryTagsMax, memoryTagCharsMax, memoryRelationsMax]).toEqual([
    memoryLimits.capsuleDataBytesMax,
    memoryLimits.capsuleSummaryBytesMax,
    memoryLimits.capsuleTagsMax,
    memoryLimits.capsuleTagBytesMax,
    memoryLimits.capsuleRelationsMax,
  ]);
  expect([limits.memoryHitsMax, limits.memoryPageMax, limits.memoryQuestionCharsMax]).toEqual([
    memoryLimits.searchHitsMax,
    memoryLimits.listCapsulesMax,
    memoryLimits.embeddedCharsMax,
  ]);
  const relation = { kind: 'related', capsule: '0'.repeat(64) };
  const adds = (more: number): object[] => [
    { text: 'x'.repeat(memoryTextCharsMax + more) },
    { text: 'x', summary: 'x'.repeat(memorySummaryCharsMax + more) },
    { text: 'x', tags: Array<string>(memoryTagsMax + more).fill('x') },
    { text: 'x', tags: ['x'.repeat(memoryTagCharsMax + more)] },
    { text: 'x', relations: Array.from({ length: memoryRelationsMax + more }, () => relation) },
  ];
  const searches = (more: number): object[] => [
    { text: 'x'.repeat(limits.memoryQuestionCharsMax + more) },
    { text: 'x', limit: limits.memoryHitsMax + more },
    { text: 'x', tags: Array<string>(memoryTagsMax + more).fill('x') },
  ];
  for (const [more, passes] of [
    [0, true],
    [1, false],
  ] as const) {
    expect(adds(more).map((body) => memoryAddSchema.safeParse(body).success)).toEqual(adds(more).map(() => passes));
    expect(searches(more).map((body) => memorySearchSchema.safeParse(body).success)).toEqual(
      searches(more).map(() => passes),
    );
  }
});
