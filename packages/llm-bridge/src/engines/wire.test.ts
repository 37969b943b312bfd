import { type AnswerPart, type LanguageModel, PeerAiError, type Prompt, type Sampling } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { limits } from '../limits.ts';
import { realClock as clock } from '../testing/real-clock.ts';
import { type Dialect, spoken, startWireEngine } from '../testing/wire-engines.ts';
import { type Asked, dribble, pause, sendJson, startWireServer, type WireServer } from '../testing/wire-server.ts';
import type { Engine } from './engine.ts';
import { engineUrl } from './http.ts';
import { ollamaEngine } from './ollama.ts';
import { plainPrompt } from './openai-chat.ts';
import { openAiCompatibleEngine } from './openai-compatible.ts';
import { unitRows } from './unit-rows.ts';

const never = new AbortController().signal;
const prompt: Prompt = {
  messages: [
    { role: 'system', text: 'be kind' },
    { role: 'user', text: 'Grüße' },
  ],
};
const sampling: Sampling = { maxTokens: 9, temperature: 0.5, topP: 0.25, seed: 7, stop: ['END'] };
const whole = 'Grüße, 世界 👋🏽 and more';
const all = (model: LanguageModel | undefined, how: Sampling = { maxTokens: 9 }): Promise<AnswerPart[]> =>
  Array.fromAsync((model as LanguageModel).generate(prompt, how, never));
const textOf = (parts: readonly AnswerPart[]): string =>
  parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');
const engineOf = (dialect: Dialect, server: { readonly url: string }): Engine =>
  dialect === 'ollama' ? ollamaEngine({ clock }, server) : openAiCompatibleEngine({ clock }, server);

let servers: WireServer[] = [];
const serve = async (starting: Promise<WireServer>): Promise<WireServer> => {
  const server = await starting;
  servers.push(server);
  return server;
};
afterEach(async () => {
  await Promise.all(servers.map(({ stop }) => stop()));
  servers = [];
});
const lastOf = (server: WireServer, path: string): Asked | undefined =>
  server.asked.findLast((one) => one.path === path);

describe('What is asked', () => {
  it('is Ollama’s chat, with its options and refusing to cut the prompt', async () => {
    const server = await serve(startWireEngine('ollama'));
    await all(await engineOf('ollama', server).model('plain', never), sampling);
    expect(lastOf(server, '/api/chat')?.body).toEqual({
      model: 'plain:latest',
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'Grüße' },
      ],
      stream: true,
      truncate: false,
      options: { num_predict: 9, temperature: 0.5, top_p: 0.25, seed: 7, stop: ['END'] },
    });
  });

  it('is OpenAI’s chat with usage wanted, and the key as a bearer token', async () => {
    const server = await serve(startWireEngine('openai'));
    const engine = openAiCompatibleEngine({ clock }, { url: `${server.url}/v1/`, apiKey: 'k-1' });
    await all(await engine.model('plain', never), sampling);
    const asked = lastOf(server, '/v1/chat/completions');
    expect(asked?.headers.authorization).toBe('Bearer k-1');
    expect(asked?.body).toMatchObject({
      model: 'plain',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.25,
      seed: 7,
      stop: ['END'],
    });
  });

  it('is llama.cpp’s completion where there is no chat, looked for only once', async () => {
    const server = await serve(startWireEngine('completion'));
    const model = await engineOf('completion', server).model('old-7b.Q4', never);
    await all(model, sampling);
    await all(model);
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/v1/models',
      '/props',
      '/v1/chat/completions',
      '/completion',
      '/completion',
    ]);
    expect(server.asked[3]?.body).toMatchObject({
      prompt: 'System: be kind\nUser: Grüße\nAssistant:',
      n_predict: 9,
      stop: ['END', '\nUser:'],
    });
    expect(plainPrompt({ messages: [{ role: 'user', text: 'once upon' }] })).toEqual({ text: 'once upon', stop: [] });
  });
});

describe.each(['ollama', 'openai', 'completion'] as const)('An answer in the dialect %s', (dialect) => {
  const modelNamed = async (behaviour: 'mute' | 'deaf' | 'slow' | 'plain'): Promise<LanguageModel | undefined> => {
    const engine = engineOf(dialect, await serve(startWireEngine(dialect, behaviour)));
    return dialect === 'completion' ? (await engine.list(never))[0] : engine.model(behaviour, never);
  };

  it('comes with the engine’s own counts', async () => {
    const parts = await all(await modelNamed('plain'));
    expect(textOf(parts)).toBe(whole);
    expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'stop', usage: { promptTokens: 7, answerTokens: 6 } });
  });

  it('is counted by estimate, and says so, where the engine counts nothing', async () => {
    const finish = (await all(await modelNamed('mute'))).at(-1);
    expect(finish).toMatchObject({ reason: 'stop', usage: { answerTokens: 9, estimated: true } });
  });

  it('is cut where the engine does not keep to maxTokens', async () => {
    const parts = await all(await modelNamed('deaf'), { maxTokens: 2 });
    expect(parts).toHaveLength(3);
    expect(parts.at(-1)).toMatchObject({ reason: 'length', usage: { answerTokens: 2, estimated: true } });
  });

  it('is the same at every size of packet, also inside of a line and of a character', async () => {
    const tokens = ['Grüße', ', ', '世界', ' 👋🏽', ' and', ' more'].map((one) => spoken[dialect].token(one));
    const text = `${tokens.join('')}${spoken[dialect].end('stop', 6)}`;
    for (const sizeBytes of [5, 64, 1_000_000]) {
      const server = await serve(
        startWireServer((_, reply) => dribble(reply, text, sizeBytes, 0).then(() => void reply.end())),
      );
      const model = await hidden(dialect, server);
      expect(textOf(await all(model))).toBe(whole);
    }
  });

  it('that ends without its end is ENGINE_FAILED, also within a line', async () => {
    for (const end of ['', spoken[dialect].token('half').slice(0, 12)]) {
      const server = await serve(startWireServer((_, reply) => void reply.end(spoken[dialect].token('one') + end)));
      await expect(all(await hidden(dialect, server))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    }
  });

  it('whose line has no end is ENGINE_FAILED, and not kept in memory', async () => {
    const server = await serve(
      startWireServer(async (_, reply) => {
        const mebibyte = 'x'.repeat(limits.engineEventCharsMax);
        while (!reply.destroyed) {
          reply.write(dialect === 'ollama' ? mebibyte : `data: ${mebibyte}`);
          await pause(5);
        }
      }),
    );
    await expect(all(await hidden(dialect, server))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    await vi.waitFor(() => expect(server.working()).toBe(0));
  });

  it('is given up before its first token when the caller goes, and the connection closes', async () => {
    const server = await serve(startWireServer(() => undefined));
    const stopping = new AbortController();
    const asking = Array.fromAsync((await hidden(dialect, server)).generate(prompt, sampling, stopping.signal));
    await vi.waitFor(() => expect(server.working()).toBe(1));
    stopping.abort();
    await expect(asking).rejects.toMatchObject({ code: 'ABORTED' });
    await vi.waitFor(() => expect(server.working()).toBe(0));
  });
});

/** A model whose list came from a true engine and whose questions go to another server. */
async function hidden(dialect: Dialect, server: WireServer, time: typeof clock = clock): Promise<LanguageModel> {
  const listing = await serve(startWireEngine(dialect));
  const answers = /^\/(api\/chat|v1\/chat\/completions|completion)$/;
  const fetch = (url: string, init?: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url);
    const isChatProbe = dialect === 'completion' && pathname === '/v1/chat/completions';
    return globalThis.fetch(answers.test(pathname) && !isChatProbe ? `${server.url}${pathname}` : url, init);
  };
  const deps = { clock: time, fetch };
  const engine = dialect === 'ollama' ? ollamaEngine(deps, listing) : openAiCompatibleEngine(deps, listing);
  return (await engine.list(never)).at(0) as LanguageModel;
}

describe('An engine that is silent', () => {
  it('has failed after the gap that is allowed, before the first token and after it', async () => {
    for (const [first, gapMs] of [
      ['', limits.firstTokenMsMax],
      [spoken.ollama.token('one'), limits.tokenGapMsMax],
    ] as const) {
      const time = new ManualClock();
      const server = await serve(startWireServer((_, reply) => void (first !== '' && reply.write(first))));
      const parts = (await hidden('ollama', server, time)).generate(prompt, sampling, never)[Symbol.asyncIterator]();
      if (first !== '') expect(await parts.next()).toMatchObject({ value: { text: 'one' } });
      const next = parts.next();
      const failing = expect(next).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
      await vi.waitFor(() => expect(server.working()).toBe(1));
      await time.advance(gapMs - 1);
      expect(server.working()).toBe(1);
      await time.advance(1);
      await failing;
      await vi.waitFor(() => expect(server.working()).toBe(0));
      expect(time.pending).toBe(0);
    }
  });
});

describe('The models of an engine', () => {
  it('have the context they run with, not the one they were trained for', async () => {
    const ollama = await serve(startWireEngine('ollama'));
    expect((await engineOf('ollama', ollama).model('plain', never))?.card).toEqual({
      name: 'plain:latest',
      engine: 'ollama',
      contextTokensMax: 8_192,
      memoryBytes: 1_000,
      loaded: false,
      deterministic: false,
      fits: true,
      embeds: true,
      forEmbeddings: true,
    });
    expect((await engineOf('ollama', ollama).model('slow:latest', never))?.card).toMatchObject({
      contextTokensMax: 16_384,
      memoryBytes: 2_000,
      loaded: true,
    });
    const openai = await serve(startWireEngine('openai'));
    expect((await engineOf('openai', openai).model('plain', never))?.card).toMatchObject({
      contextTokensMax: 2_048,
      memoryBytes: 9,
      loaded: true,
    });
    const old = await serve(startWireEngine('completion'));
    const [only] = await engineOf('completion', old).list(never);
    expect(only?.card).toMatchObject({ name: 'old-7b.Q4', contextTokensMax: 1_024 });
  });

  it('are asked for their traits once', async () => {
    const server = await serve(startWireEngine('ollama'));
    const engine = engineOf('ollama', server);
    await engine.list(never);
    const count = (): number => server.asked.filter(({ path }) => path === '/api/show').length;
    const first = count();
    await engine.list(never);
    expect([first, count()]).toEqual([(await engine.list(never)).length, first]);
    expect(await engine.model('mistral', never)).toBeUndefined();
  });

  it('embed with norm 1 in the order of the texts, and say UNSUPPORTED where they cannot', async () => {
    for (const dialect of ['ollama', 'openai'] as const) {
      const model = await engineOf(dialect, await serve(startWireEngine(dialect))).model('plain', never);
      const rows = (await model?.embed?.(['a', 'b'], never)) ?? [];
      expect(rows).toHaveLength(2);
      expect([...(rows[0] ?? [])]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
      expect(Math.hypot(...(rows[1] ?? []))).toBeCloseTo(1, 6);
    }
    const [old] = await engineOf('completion', await serve(startWireEngine('completion'))).list(never);
    await expect(old?.embed?.(['a'], never)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    for (const rows of [
      [[1, 2]],
      [[1, 2], [1]],
      [[], []],
      [
        [0, 0],
        [1, 1],
      ],
      [[Number.NaN], [1]],
    ]) {
      expect(() => unitRows(rows, 2)).toThrow(expect.objectContaining({ code: 'ENGINE_FAILED' }));
    }
  });

  it('warm up by an empty prompt', async () => {
    const server = await serve(startWireEngine('ollama'));
    await (await engineOf('ollama', server).model('plain', never))?.warm?.(never);
    expect(lastOf(server, '/api/generate')?.body).toMatchObject({ model: 'plain:latest', prompt: '' });
  });
});

describe('An engine that cannot be used', () => {
  let printed: unknown[];
  beforeEach(() => {
    printed = [];
    for (const level of ['log', 'warn', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((...words) => void printed.push(words));
    }
  });
  afterEach(() => void vi.restoreAllMocks());

  const listFrom = async (
    dialect: Dialect,
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<unknown> => {
    const server = await serve(
      startWireServer((_, reply) => {
        for (const [name, value] of Object.entries(headers)) reply.setHeader(name, value);
        sendJson(reply, body, status);
      }),
    );
    return engineOf(dialect, server)
      .list(never)
      .catch((error: unknown) => error);
  };

  it.each(['ollama', 'openai'] as const)('%s says why by its code', async (dialect) => {
    for (const [status, body, code] of [
      [503, { error: 'Loading model' }, 'ENGINE_UNREACHABLE'],
      [429, {}, 'ENGINE_UNREACHABLE'],
      [500, { error: 'disk full' }, 'ENGINE_FAILED'],
      [401, {}, 'ENGINE_FAILED'],
      [200, { models: 'many', data: 1 }, 'ENGINE_FAILED'],
      [200, 'x'.repeat(limits.engineEventCharsMax + 1), 'ENGINE_FAILED'],
    ] as const) {
      expect(await listFrom(dialect, status, body)).toMatchObject({ code });
    }
    expect(await listFrom(dialect, 200, {}, { 'x-peerai': '1' })).toMatchObject({ code: 'ENGINE_LOOP' });
    expect(printed).toEqual([]);
  });

  it('has more models than are read', async () => {
    const many = (count: number): object[] => Array.from({ length: count }, (_, index) => ({ id: `m${index}` }));
    expect(await listFrom('openai', 200, { data: many(limits.engineModelsMax) })).toHaveLength(limits.engineModelsMax);
    const over = await listFrom('openai', 200, { data: many(limits.engineModelsMax + 1) });
    expect(over).toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it('says in its own words what broke, as an event and as llama.cpp’s line `error:`', async () => {
    for (const [text, code, words] of [
      ['data: {"error":{"message":"CUDA error"}}\n\n', 'ENGINE_FAILED', 'CUDA error'],
      ['error: {"code":500,"message":"slot lost"}\n\n', 'ENGINE_FAILED', 'slot lost'],
      ['error: {"type":"exceed_context_size_error"}\n\n', 'PROMPT_TOO_LONG', 'longer'],
    ] as const) {
      const server = await serve(startWireServer((_, reply) => void reply.end(text)));
      const error = await all(await hidden('openai', server)).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
    }
  });

  it('is not followed to another host', async () => {
    const target = await serve(startWireEngine('ollama'));
    const list = listFrom('ollama', 307, {}, { location: `${target.url}/api/tags` });
    expect(await list).toMatchObject({ code: 'ENGINE_UNREACHABLE' });
    expect(target.asked).toEqual([]);
  });

  it('never brings the prompt into an error, and nothing onto the console', async () => {
    const quoting = { detail: [{ msg: 'bad', input: 'Grüße' }], error: 'cannot read Grüße' };
    for (const dialect of ['ollama', 'openai', 'completion'] as const) {
      const server = await serve(startWireServer((_, reply) => sendJson(reply, quoting, 422)));
      const error = await all(await hidden(dialect, server)).catch((thrown: unknown) => thrown);
      expect(PeerAiError.is(error, 'ENGINE_FAILED')).toBe(true);
      const { message, details } = error as PeerAiError;
      expect(`${message} ${JSON.stringify(details)}`).not.toContain('Grüße');
    }
    expect(printed).toEqual([]);
  });

  it('has an address that is none', () => {
    expect(engineUrl('127.0.0.1:11434/')).toBe('http://127.0.0.1:11434');
    for (const address of ['', 'ftp://x', 'http://', 'http://x/?a=b', 'javascript://x']) {
      expect(() => engineUrl(address)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
    }
  });
});
