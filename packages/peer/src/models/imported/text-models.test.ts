import { type AnswerPart, type LanguageModel, PeerAiError, type Program, utf8 } from '@peerai/core-protocol';
import { ManualClock, MemoryShelf, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { languageModelContract } from '@peerai/llm-bridge/testing';
import { limits as engineLimits } from '@peerai/nn-engine';
import { describe, expect, it } from 'vitest';
import { modelLimits } from '../limits.ts';
import { createImportedModels } from '../imported-models.ts';
import { importedFile } from './imported-file.ts';
import type { ModelFacts, ModelRunner, Writer } from './runner.ts';

const { signal } = new AbortController();
async function* file(...bytes: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}
const facts: ModelFacts = {
  producer: 'test',
  nodes: 1,
  operators: ['Mul'],
  inputs: [],
  outputs: [],
  texts: 'language',
};
const words = ['one', ' two', ' three'];
const turn = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Writers that count to three; the file's first byte 7 is slow, 9 breaks off, 2 has no template; a question of `long` is too long. */
function world(store = new MemoryStore(), shelf = new MemoryShelf()) {
  const clock = new ManualClock();
  const told: string[] = [];
  let working = 0;
  const writer = (kind: number | undefined): Writer => ({
    facts: { contextTokens: 32, hasTemplate: kind !== 2 },
    async write({ messages }, { maxTokens, seed }, heard, until) {
      working += 1;
      try {
        const prompt = messages.at(-1)?.text ?? '';
        told.push(`asked ${prompt} with ${seed}`);
        if (prompt === 'long') throw new PeerAiError('PROMPT_TOO_LONG', 'too long');
        const said = kind === 7 ? Array.from({ length: 300 }, () => ' slow') : words;
        for (const [at, word] of said.slice(0, maxTokens).entries()) {
          await turn(kind === 7 ? 10 : 0);
          if (until.aborted) return { reason: 'cancelled', promptTokens: 3, answerTokens: at };
          if (kind === 9 && at === 2) throw new PeerAiError('RUN_LIMIT', 'too slow');
          heard(word);
        }
        return {
          reason: maxTokens < said.length ? 'length' : 'stop',
          promptTokens: 3,
          answerTokens: Math.min(maxTokens, said.length),
        };
      } finally {
        working -= 1;
      }
    },
    [Symbol.asyncDispose]: async () => void told.push(`end ${kind}`),
  });
  const modelRunner: ModelRunner = {
    read: async (bytes) => (bytes[0] === 1 ? { ...facts, texts: 'embedding' } : facts),
    load: async () => ({ [Symbol.asyncDispose]: async () => undefined }) as Partial<Program> as Program,
    loadEmbedder: async () => ({
      embed: async () => [Float32Array.of(1)],
      [Symbol.asyncDispose]: async () => undefined,
    }),
    async loadWriter(bytes, files) {
      told.push(`load ${bytes[0]}`);
      if (files[0] === 0) throw new PeerAiError('MODEL_FILE_MISSING', 'tokenizer.json is missing');
      return writer(bytes[0]);
    },
  };
  const deps = { store, shelf, clock, random: seededRandom(5), isTaken: () => false, changed: () => undefined };
  const imported = createImportedModels({ ...deps, modelRunner });
  const bring = async (name: string, kind: number, files = utf8('{"model":{}}')): Promise<LanguageModel> => {
    await imported.add(name, file(Uint8Array.of(kind)), signal);
    await imported.addTokenizer(name, file(files), signal);
    return (await imported.engine.model(name, signal)) as LanguageModel;
  };
  return { imported, store, shelf, clock, told, bring, working: () => working };
}
async function ask(model: LanguageModel | undefined, text: string, until = signal): Promise<AnswerPart[]> {
  const parts = model?.generate({ messages: [{ role: 'user', text }] }, { maxTokens: 8, seed: 3 }, until) ?? [];
  return await Array.fromAsync(parts);
}
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing',
    (error: unknown) => (PeerAiError.is(error) ? error.code : error),
  );

languageModelContract('An imported language model', async () => {
  const { imported, bring, working } = world();
  return {
    model: await bring('model', 5),
    slow: await bring('slow', 7),
    failing: [{ code: 'RUN_LIMIT', model: await bring('failing', 9) }],
    working,
    stop: () => imported.stop(),
  };
});

describe('an imported language model', () => {
  it('stands among the models once it has its text files, and after a restart', async () => {
    const { imported, store, shelf, bring } = world();
    await bring('chats', 5);
    await bring('goes-on', 2);
    const list = await imported.engine.list(signal);
    expect(list.map(({ card }) => [card.name, card.contextTokensMax, card.description])).toEqual([
      ['chats', 32, 'An imported ONNX language model: it answers chats.'],
      ['goes-on', 32, 'An imported ONNX language model: it goes on with what was said, having no chat template.'],
    ]);
    expect(list[0]?.card).toMatchObject({ engine: 'onnx', deterministic: false, fits: true });
    expect(list[0]?.card.embeds).toBe(undefined);
    await imported.stop();
    const again = world(store.reopen(), shelf).imported;
    expect((await ask(await again.engine.model('chats', signal), 'hello')).at(-1)).toMatchObject({
      type: 'finish',
      reason: 'stop',
    });
  });

  it('draws with the seed it is given, else with one of its own', async () => {
    const { told, bring } = world();
    const model = await bring('chats', 5);
    await ask(model, 'hello');
    for await (const _ of model.generate({ messages: [{ role: 'user', text: 'x' }] }, { maxTokens: 1 }, signal));
    expect(told).toContain('asked hello with 3');
    expect(told.at(-1)).toMatch(/^asked x with -?\d{4,}$/u);
  });

  it('without its tokenizer says which file is missing; what takes no words is no model to ask', async () => {
    const { imported, bring } = world();
    await imported.add('bare', file(Uint8Array.of(5)), signal);
    expect(await imported.engine.list(signal)).toEqual([]);
    await expect(ask(await imported.engine.model('bare', signal), 'hello')).rejects.toMatchObject({
      code: 'MODEL_FILE_MISSING',
      message: expect.stringContaining('tokenizer.json') as string,
    });
    await imported.add('vectors', file(Uint8Array.of(1)), signal);
    expect(await imported.engine.model('vectors', signal)).toBe(undefined);
    expect(await codeOf(bring('bare', 5, Uint8Array.of(0)))).toBe('MODEL_FILE_MISSING');
  });

  it('stays loaded after a question that is too long or given up, and is loaded again after a fault', async () => {
    const { told, bring, working } = world();
    const model = await bring('slow', 7);
    expect(await codeOf(ask(model, 'long'))).toBe('PROMPT_TOO_LONG');
    const leaving = new AbortController();
    const parts = model.generate({ messages: [] }, { maxTokens: 50 }, leaving.signal)[Symbol.asyncIterator]();
    await parts.next();
    leaving.abort();
    expect(await codeOf(parts.next())).toBe('ABORTED');
    await expect.poll(working).toBe(0);
    await model.generate({ messages: [] }, { maxTokens: 1 }, signal)[Symbol.asyncIterator]().next();
    expect(told.filter((one) => /^(?:load|end)/u.test(one))).toEqual(['load 7']);
    const faulty = await bring('faulty', 9);
    for (let round = 0; round < 2; round += 1) expect(await codeOf(ask(faulty, 'hello'))).toBe('RUN_LIMIT');
    expect(told.filter((one) => one === 'load 9')).toHaveLength(2);
  });

  it('is removed while it answers', async () => {
    const { imported, shelf, bring } = world();
    const answer = (await bring('slow', 7)).generate({ messages: [] }, { maxTokens: 300 }, signal);
    const parts = answer[Symbol.asyncIterator]();
    await parts.next();
    await imported.remove('slow');
    const rest = async (): Promise<void> => {
      for (let next = await parts.next(); next.done !== true; next = await parts.next());
    };
    expect(await codeOf(rest())).toBe('MODEL_UNKNOWN');
    expect(shelf.files.size).toBe(0);
  });

  it('gives its tokenizer back alone, though it came with other files', async () => {
    const { imported, shelf, bring } = world();
    await bring('chats', 5, utf8('{"tokenizer.json":{"model":{"vocab":{}}},"config.json":{}}'));
    const { name, content } = await importedFile(shelf, await imported.get('chats'), 'tokenizer');
    const [bytes] = await Array.fromAsync(content);
    expect([name, Buffer.from(bytes ?? []).toString()]).toEqual(['chats.tokenizer.json', '{"model":{"vocab":{}}}']);
  });

  it('answers one at a time, and so many wait', async () => {
    const { bring } = world();
    const model = await bring('chats', 5);
    const asked = Array.from({ length: modelLimits.modelRunsWaitingMax + 1 }, () => codeOf(ask(model, 'hello')));
    const codes = await Promise.all(asked);
    expect(codes.slice(0, -1).every((code) => code === 'nothing')).toBe(true);
    expect(codes.at(-1)).toBe('LIMIT_REACHED');
  });
});

it('says of a model that makes vectors that it reads `importedTokensMax`, where the engine cuts', async () => {
  const model = await world().bring('vectors', 1);
  expect(model.card.contextTokensMax).toBe(modelLimits.importedTokensMax);
  // One more is cut: the engine's own test has the texts.
  expect(modelLimits.importedTokensMax).toBe(engineLimits.foreignTokensMax);
});
