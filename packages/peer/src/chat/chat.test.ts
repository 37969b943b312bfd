import { type AnswerPart, type LanguageModel, PeerAiError, type Prompt } from '@peerai/core-protocol';
import { type Engine, scriptedEngine } from '@peerai/llm-bridge';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair } from '../testing/steps.ts';
import { type ChatEvent, type ChatRequest, chatRequestSchema } from './chat.schema.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});

/** An engine that writes down what it is asked, and fails at once while `broken`. */
function listening(world: TestWorld, heard: Prompt[], state = { broken: false }): Engine {
  const engine = scriptedEngine({ clock: world.clock });
  const listen = (model: LanguageModel): LanguageModel => ({
    ...model,
    generate(prompt, sampling, signal): AsyncIterable<AnswerPart> {
      heard.push(prompt);
      if (state.broken) throw new PeerAiError('ENGINE_FAILED', 'broken');
      return model.generate(prompt, sampling, signal);
    },
  });
  return { ...engine, list: async (signal) => (await engine.list(signal)).map(listen) };
}
async function desk() {
  const world = testWorld();
  const heard: Prompt[] = [];
  const a = await world.peer('desk', { seed: 1, engines: [listening(world, heard)] });
  started.push(a);
  return { world, heard, a };
}
const remember = async ({ peer }: TestPeer, text: string, level: 'personal' | 'public' = 'personal') =>
  (await peer.memory.add({ text, level, tags: [level] }, live())).capsule;
async function ask(
  world: TestWorld,
  { peer }: TestPeer,
  request: Partial<ChatRequest>,
): Promise<ChatEvent | undefined> {
  const whole = chatRequestSchema.parse({
    model: 'echo',
    messages: [{ role: 'user', text: 'where does the roof leak?' }],
    ...request,
  });
  const events: ChatEvent[] = [];
  const asking = (async () => {
    for await (const event of peer.chat.ask(whole, live())) events.push(event);
  })();
  await world.clock.until(asking);
  return events.at(-1);
}
const sources = (event: ChatEvent | undefined) =>
  event?.type === 'finish' ? event.sources?.map(({ summary }) => summary) : event;

test('an answer that asks for the memory is given what fits, and says what that was', async () => {
  const { world, heard, a } = await desk();
  const roof = await remember(a, 'the roof leaks above the stairs');
  await remember(a, 'Anna likes green apples and no pears');
  const finish = await ask(world, a, { memory: {} });
  expect(finish).toMatchObject({
    type: 'finish',
    sources: [{ id: roof.id, level: 'personal', authorName: 'desk', kind: 'lexical' }],
  });
  expect(heard.at(-1)?.messages).toMatchObject([
    { role: 'system', text: expect.stringMatching(/no[t] instructions[^]*\[1\] the roof leaks above the stairs$/u) },
    { role: 'user', text: 'where does the roof leak?' },
  ]);
  expect(await a.peer.memory.get(roof.id)).toMatchObject({ uses: 1 });
});

test('without asking, or when nothing fits, the prompt stays as it is', async () => {
  const { world, heard, a } = await desk();
  await remember(a, 'Anna likes green apples and no pears');
  expect(sources(await ask(world, a, {}))).toBeUndefined();
  expect(sources(await ask(world, a, { memory: {} }))).toEqual([]);
  await remember(a, 'the roof leaks above the stairs');
  expect(sources(await ask(world, a, { memory: { tags: ['public'] } }))).toEqual([]);
  expect(heard.map(({ messages }) => messages.map(({ text }) => text))).toEqual(
    Array.from({ length: 3 }, () => ['where does the roof leak?']),
  );
});

test('a model of another peer is told what is public, and nothing else', async () => {
  const { world, heard, a } = await desk();
  const b = await world.peer('laptop', { seed: 2, engine: false });
  started.push(b);
  await pair(world, a, b);
  await remember(b, 'the roof leaks above the money');
  await b.peer.memory.add({ text: 'the roof leaks by the door', level: 'behavioral' }, live());
  await remember(b, 'the roof leaks above the stairs', 'public');
  expect(sources(await ask(world, b, { memory: {} }))).toEqual(['the roof leaks above the stairs']);
  expect(JSON.stringify(heard)).not.toMatch(/money|door/u);
});

test('where both have the model, this peer’s own is told all, and nothing of it goes to the other when it fails', async () => {
  const world = testWorld();
  const heard: Prompt[] = [];
  const own: Prompt[] = [];
  const far = await world.peer('far', { seed: 1, engines: [listening(world, heard)] });
  const state = { broken: false };
  const near = await world.peer('near', { seed: 2, engines: [listening(world, own, state)] });
  started.push(far, near);
  await pair(world, far, near);
  await remember(near, 'the roof leaks above the money');
  expect(sources(await ask(world, near, { memory: {} }))).toEqual(['the roof leaks above the money']);
  state.broken = true;
  expect(await ask(world, near, { memory: {} })).toMatchObject({ type: 'error' });
  expect([own.length, heard]).toEqual([2, []]);
  expect(await ask(world, near, {})).toMatchObject({ type: 'finish', servedBy: { name: 'far' } });
});

test('an engine of this peer on another machine is told what is public, and one on this machine the rest', async () => {
  const world = testWorld();
  const told = async (seed: number, url: string) => {
    const heard: Prompt[] = [];
    const engine = { ...listening(world, heard), kind: 'openai-compatible', url };
    const one = await world.peer(url, { seed, engines: [engine] });
    started.push(one);
    await remember(one, 'the roof leaks above the money');
    await remember(one, 'the roof leaks above the stairs', 'public');
    const all = sources(await ask(world, one, { memory: {} }));
    return { all, heard: JSON.stringify(heard) };
  };
  const far = await told(1, 'http://192.0.2.7:8080');
  expect(far).toMatchObject({ all: ['the roof leaks above the stairs'], heard: expect.not.stringContaining('money') });
  expect((await told(2, 'http://127.0.0.1:8080')).all).toHaveLength(2);
});

test('an answer takes so many notes, each so long, and no more', async () => {
  const { world, heard, a } = await desk();
  const { recallNotesMax, recallCharsMax } = limits;
  const long = 'the roof leaks '.repeat(Math.ceil(recallCharsMax / 15)).slice(0, recallCharsMax);
  await remember(a, `${long}!`);
  await ask(world, a, { memory: { notes: 1 } });
  expect(heard.at(-1)?.messages[0]?.text.endsWith(`[1] ${long}`)).toBe(true);
  for (let count = 0; count < recallNotesMax; count += 1) await remember(a, `the roof leaks at place ${count}`);
  expect(sources(await ask(world, a, { memory: { notes: recallNotesMax } }))).toHaveLength(recallNotesMax);
  const wish = (notes: number) =>
    chatRequestSchema.safeParse({ model: 'echo', messages: [{ role: 'user', text: 'x' }], memory: { notes } }).success;
  expect([wish(recallNotesMax), wish(recallNotesMax + 1), wish(0)]).toEqual([true, false, false]);
});
