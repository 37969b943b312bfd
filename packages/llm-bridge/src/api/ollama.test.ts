import { PeerAiError } from '@peerai/core-protocol';
import { Ollama } from 'ollama/browser';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { createGatewayWorld, failingModel, type GatewayWorld, studyPc } from '../testing/gateway-world.ts';

const messages = [{ role: 'user', content: 'hello there' }];
const clientOf = ({ gateway }: GatewayWorld): Ollama =>
  new Ollama({ host: 'http://127.0.0.1:8006', fetch: (url, init) => gateway.fetch(new Request(url, init)) });

describe('The Ollama face, asked by Ollama’s own client', () => {
  const world = createGatewayWorld();
  const ollama = clientOf(world);

  it('chats, streaming and not, with counts and durations', async () => {
    const whole = await ollama.chat({ model: 'echo@study-pc', messages });
    expect(whole).toMatchObject({
      model: 'echo@study-pc',
      message: { role: 'assistant', content: 'echo: hello there' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 2,
      eval_count: 3,
    });
    for (const key of ['total_duration', 'load_duration', 'prompt_eval_duration', 'eval_duration'] as const) {
      expect(Number.isInteger(whole[key])).toBe(true);
    }
    const pieces: string[] = [];
    for await (const part of await ollama.chat({ model: 'echo', messages, stream: true }))
      pieces.push(part.message.content);
    expect(pieces).toEqual(['echo:', ' hello', ' there', '']);
  });

  it('generates, with a system text and options', async () => {
    const options = { num_predict: 2, temperature: 0, stop: ['zzz'] };
    expect(await ollama.generate({ model: 'echo', prompt: 'a b', system: 'be kind', options })).toMatchObject({
      response: 'echo: a',
      done_reason: 'length',
      prompt_eval_count: 4,
    });
    let text = '';
    for await (const part of await ollama.generate({ model: 'echo', prompt: 'a b', stream: true }))
      text += part.response;
    expect(text).toBe('echo: a b');
  });

  it('embeds one text and several, by the new call and the old', async () => {
    const { embeddings } = await ollama.embed({ model: 'echo', input: ['a', 'b'] });
    expect(embeddings.map((row) => row.length)).toEqual([64, 64]);
    expect((await ollama.embed({ model: 'echo', input: 'a' })).embeddings).toEqual([embeddings[0]]);
    expect((await ollama.embeddings({ model: 'echo', prompt: 'a' })).embedding).toEqual(embeddings[0]);
  });

  it('lists, shows, and tells its version, which says what it is', async () => {
    const { models } = await ollama.list();
    expect(models.map(({ name }) => name)).toEqual(['echo', 'echo@study-pc']);
    expect(models[0]).toMatchObject({ model: 'echo', digest: expect.stringMatching(/^[0-9a-f]{64}$/), details: {} });
    expect((await ollama.ps()).models.map(({ name }) => name)).toEqual(['echo']);
    expect(await ollama.show({ model: 'echo:latest' })).toMatchObject({
      capabilities: ['completion', 'embedding'],
      model_info: { 'scripted.context_length': 131_072 },
    });
    expect((await ollama.version()).version).toMatch(/^\d+\.\d+\.\d+.*peerai/);
  });

  it('refuses to change models', async () => {
    for (const change of [
      () => ollama.pull({ model: 'echo' }),
      () => ollama.push({ model: 'echo' }),
      () => ollama.create({ model: 'echo' }),
      () => ollama.copy({ source: 'echo', destination: 'b' }),
      () => ollama.delete({ model: 'echo' }),
    ]) {
      await expect(change()).rejects.toMatchObject({ status_code: 403, error: expect.stringContaining('engine') });
    }
  });
});

describe('The Ollama face', () => {
  const { post, get } = createGatewayWorld();

  it('streams when `stream` is absent, as NDJSON that names who answered', async () => {
    const response = await post('/api/chat', { model: 'echo@study-pc', messages });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect([response.headers.get('x-peerai-peer'), response.headers.get('x-peerai-path')]).toEqual([studyPc, 'direct']);
    const lines = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { done: boolean });
    expect(lines.map(({ done }) => done)).toEqual([false, false, false, true]);
  });

  it('loads a model when there is no prompt', async () => {
    for (const [path, body] of [
      ['/api/generate', { model: 'echo' }],
      ['/api/chat', { model: 'echo', messages: [], keep_alive: '5m' }],
    ] as const) {
      const response = await post(path, body);
      expect(await response.json()).toMatchObject({ done: true, done_reason: 'load' });
    }
    expect((await post('/api/generate', { model: 'mistral' })).status).toBe(404);
  });

  it.each([
    ['no JSON', '/api/chat', '{', 400],
    ['a wrong type', '/api/chat', { model: 'echo', messages: 'hi' }, 400],
    ['tools', '/api/chat', { model: 'echo', messages, tools: [{}] }, 400],
    ['images', '/api/chat', { model: 'echo', messages: [{ role: 'user', content: 'x', images: ['aGk='] }] }, 400],
    ['a format', '/api/generate', { model: 'echo', prompt: 'x', format: 'json' }, 400],
    ['thinking', '/api/generate', { model: 'echo', prompt: 'x', think: true }, 400],
    ['a suffix', '/api/generate', { model: 'echo', prompt: 'x', suffix: 'y' }, 400],
    ['no model to show', '/api/show', {}, 400],
    ['an unknown model', '/api/chat', { model: 'mistral', messages }, 404],
    ['an unknown model to show', '/api/show', { name: 'mistral' }, 404],
    [
      'too many texts',
      '/api/embed',
      { model: 'echo', input: Array.from({ length: limits.embedTextsMax + 1 }, () => 'x') },
      400,
    ],
    ['a body too long', '/api/chat', 'x'.repeat(limits.apiBodyBytesMax + 1), 413],
    ['an unknown path', '/api/nothing', {}, 404],
  ])('refuses %s in its own shape', async (_, path, body, status) => {
    const response = await post(path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: expect.any(String) });
  });

  it('says 405 for a wrong method', async () => {
    expect((await get('/api/chat')).status).toBe(405);
  });

  it('gives a status before the first token, and an error line after it', async () => {
    const world = createGatewayWorld({
      busy: failingModel(new PeerAiError('QUEUE_FULL', 'busy', { retryAfterMs: 9_000 })),
      lost: failingModel(new PeerAiError('PEER_LOST', 'gone'), 1),
    });
    const busy = await world.post('/api/chat', { model: 'busy', messages });
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '9']);
    const lost = await world.post('/api/chat', { model: 'lost', messages });
    expect(lost.status).toBe(200);
    expect((await lost.text()).trimEnd().split('\n').at(-1)).toBe('{"error":"gone"}');
    const reading = (async () => {
      for await (const _ of await clientOf(world).chat({ model: 'lost', messages, stream: true }));
    })();
    await expect(reading).rejects.toThrow('gone');
  });
});
