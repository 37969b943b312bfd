import { PeerAiError } from '@peerai/core-protocol';
import { settle } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { createGatewayWorld, failingModel, self, studyPc } from '../testing/gateway-world.ts';

const messages = [{ role: 'user', content: 'hello there' }];
const chat = '/v1/chat/completions';
const eventsOf = async (response: Response): Promise<unknown[]> =>
  (await response.text())
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''))
    .map((data) => (data === '[DONE]' ? data : (JSON.parse(data) as unknown)));

describe('The OpenAI face', () => {
  const { get, post, gateway } = createGatewayWorld();

  it('answers a chat at once, with usage and who answered', async () => {
    const response = await post(chat, { model: 'echo@study-pc', messages });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('x-peerai-peer')).toBe(studyPc);
    expect(response.headers.get('x-peerai-path')).toBe('direct');
    expect(response.headers.get('server-timing')).toMatch(/^resolve;dur=[\d.]+, first;dur=[\d.]+$/);
    expect(await response.json()).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{24}$/),
      object: 'chat.completion',
      model: 'echo@study-pc',
      choices: [{ index: 0, message: { role: 'assistant', content: 'echo: hello there' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 },
    });
  });

  it('streams a chat: role, pieces, reason, usage when asked for, [DONE]', async () => {
    const body = { model: 'echo', messages, stream: true, stream_options: { include_usage: true } };
    const response = await post(chat, body);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(response.headers.get('x-peerai-peer')).toBe(self);
    const events = await eventsOf(response);
    expect(events.at(-1)).toBe('[DONE]');
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { total_tokens: 5 } });
    const deltas = events.slice(0, -2) as {
      choices: { delta: { content?: string; role?: string }; finish_reason: string | null }[];
    }[];
    expect(deltas[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' });
    expect(deltas.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('echo: hello there');
    expect(deltas.at(-1)?.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
    const without = await eventsOf(await post(chat, { ...body, stream_options: null }));
    expect(without.filter((event) => (event as { usage?: unknown }).usage !== undefined)).toEqual([]);
  });

  it('takes content in parts, the developer role, max_completion_tokens, stop and null for what is not given', async () => {
    const response = await post(chat, {
      model: 'echo',
      messages: [
        { role: 'developer', content: 'be kind' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a b ' },
            { type: 'text', text: 'c d' },
          ],
        },
      ],
      max_completion_tokens: 4,
      stop: null,
      temperature: null,
      unknown_key: { any: 'thing' },
    });
    expect(await response.json()).toMatchObject({
      choices: [{ message: { content: 'echo: a b c' }, finish_reason: 'length' }],
    });
    const stopped = await post(chat, { model: 'echo', messages, stop: ' there' });
    expect(await stopped.json()).toMatchObject({ choices: [{ message: { content: 'echo: hello' } }] });
  });

  it('answers completions, of one prompt and of several', async () => {
    const one = await post('/v1/completions', { model: 'echo', prompt: 'hi' });
    expect(await one.json()).toMatchObject({ object: 'text_completion', choices: [{ text: 'echo: hi', index: 0 }] });
    const two = await post('/v1/completions', { model: 'echo', prompt: ['hi', 'ho'] });
    expect(await two.json()).toMatchObject({
      choices: [{ text: 'echo: hi' }, { text: 'echo: ho', index: 1 }],
      usage: { total_tokens: 6 },
    });
    const events = await eventsOf(await post('/v1/completions', { model: 'echo', prompt: ['hi', 'ho'], stream: true }));
    const texts = events
      .slice(0, -1)
      .map((event) => (event as { choices: { index: number; text: string }[] }).choices[0]);
    expect(
      texts
        .filter((choice) => choice?.index === 1)
        .map((choice) => choice?.text)
        .join(''),
    ).toBe('echo: ho');
    expect(events.at(-1)).toBe('[DONE]');
  });

  it('embeds as numbers, and as little-endian base64 when asked', async () => {
    const floats = (await (await post('/v1/embeddings', { model: 'echo', input: 'hi' })).json()) as {
      data: { embedding: number[] }[];
    };
    const row = floats.data[0]?.embedding ?? [];
    expect(row).toHaveLength(64);
    const base64 = (await (
      await post('/v1/embeddings', { model: 'echo', input: ['hi'], encoding_format: 'base64' })
    ).json()) as {
      data: { embedding: string }[];
    };
    const bytes = Uint8Array.from(atob(base64.data[0]?.embedding ?? ''), (char) => char.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    expect(row.map((_, index) => view.getFloat32(index * 4, true))).toEqual(row);
    expect((await post('/v1/embeddings', { model: 'echo', input: 'hi', dimensions: 64 })).status).toBe(200);
    expect((await post('/v1/embeddings', { model: 'echo', input: 'hi', dimensions: 65 })).status).toBe(400);
  });

  it('lists models and shows one, also with an @ in its name', async () => {
    expect(await (await get('/v1/models')).json()).toMatchObject({
      object: 'list',
      data: [
        { id: 'echo', object: 'model', owned_by: 'laptop' },
        { id: 'echo@study-pc', owned_by: 'study-pc' },
      ],
    });
    for (const path of ['/v1/models/echo@study-pc', '/v1/models/echo%40study-pc']) {
      expect(await (await get(path)).json()).toMatchObject({ id: 'echo@study-pc' });
    }
    expect((await get('/v1/models/mistral')).status).toBe(404);
    expect((await get('/v1/models/%ff')).status).toBe(400);
  });

  it.each([
    ['no JSON', '{', 400],
    ['no body', '', 400],
    ['no model', { messages }, 400],
    ['no messages', { model: 'echo', messages: [] }, 400],
    ['a wrong role', { model: 'echo', messages: [{ role: 'boss', content: 'x' }] }, 400],
    ['a wrong type', { model: 'echo', messages, temperature: 'hot' }, 400],
    ['temperature out of range', { model: 'echo', messages, temperature: 2.1 }, 400],
    ['no tokens', { model: 'echo', messages, max_tokens: 0 }, 400],
    ['an image', { model: 'echo', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, 400],
    ['tools', { model: 'echo', messages, tools: [{ type: 'function' }] }, 400],
    ['calls of tools', { model: 'echo', messages: [{ role: 'assistant', tool_calls: [{}] }] }, 400],
    ['two answers', { model: 'echo', messages, n: 2 }, 400],
    ['a JSON answer', { model: 'echo', messages, response_format: { type: 'json_object' } }, 400],
    ['an unknown model', { model: 'mistral', messages }, 404],
    [
      'a prompt too long',
      { model: 'echo', messages: [{ role: 'user', content: 'x'.repeat(limits.promptBytesMax + 1) }] },
      400,
    ],
    ['a body too long', 'x'.repeat(limits.apiBodyBytesMax + 1), 413],
  ])('refuses %s in its own shape', async (_, body, status) => {
    const response = await post(chat, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      error: {
        message: expect.any(String),
        type: 'invalid_request_error',
        param: expect.toSatisfy((param: unknown) => param === null || typeof param === 'string'),
        code: expect.any(String),
      },
    });
  });

  it('takes limits themselves', async () => {
    const full = await post(chat, {
      model: 'echo',
      messages: [{ role: 'user', content: 'x'.repeat(limits.promptBytesMax) }],
    });
    expect(full.status).toBe(200);
    const prompts = (count: number): string[] => Array.from({ length: count }, () => 'x');
    expect((await post('/v1/completions', { model: 'echo', prompt: prompts(limits.apiPromptsMax) })).status).toBe(200);
    expect((await post('/v1/completions', { model: 'echo', prompt: prompts(limits.apiPromptsMax + 1) })).status).toBe(
      400,
    );
    const padded = JSON.stringify({ model: 'echo', messages });
    expect((await post(chat, padded.padEnd(limits.apiBodyBytesMax, ' '))).status).toBe(200);
    expect((await post(chat, padded.padEnd(limits.apiBodyBytesMax + 1, ' '))).status).toBe(413);
  });

  it('says 404 and 405 where there is nothing to do', async () => {
    expect((await get('/v1/responses')).status).toBe(404);
    const wrong = await get(chat);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect([gateway.handles(chat), gateway.handles('/v1/responses'), gateway.handles('/api/v1/node')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('What fails behind the OpenAI face', () => {
  it.each([
    ['QUEUE_FULL', 429, { retryAfterMs: 2_500 }, '3'],
    ['TOO_MANY', 429, {}, '1'],
    ['BUDGET_SPENT', 429, {}, '1'],
    ['TICKET_EXPIRED', 403, {}, null],
    ['PROMPT_TOO_LONG', 400, {}, null],
    ['DEVICE_UNKNOWN', 404, {}, null],
    ['ENGINE_FAILED', 502, {}, null],
    ['ENGINE_UNREACHABLE', 503, {}, null],
    ['PEER_UNREACHABLE', 503, {}, null],
    ['TIMEOUT', 504, {}, null],
    ['SOMETHING_NEW', 502, {}, null],
  ])('is %s with status %i', async (code, status, details, retryAfter) => {
    const { post } = createGatewayWorld({ bad: failingModel(new PeerAiError(code, 'no', details)) });
    for (const stream of [false, true]) {
      const response = await post(chat, { model: 'bad', messages, stream });
      expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter]);
      expect(await response.json()).toMatchObject({ error: { code, message: 'no' } });
    }
  });

  it('is 500 without a word only for what is our own fault', async () => {
    const { post } = createGatewayWorld({ bad: failingModel(new Error('secret')) });
    const response = await post(chat, { model: 'bad', messages });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });

  it('ends a stream that has begun with an error event, and no [DONE]', async () => {
    const { post } = createGatewayWorld({ bad: failingModel(new PeerAiError('PEER_LOST', 'gone'), 2) });
    const events = await eventsOf(await post(chat, { model: 'bad', messages, stream: true }));
    expect(events.at(-1)).toMatchObject({ error: { code: 'PEER_LOST', message: 'gone' } });
    expect(events).not.toContain('[DONE]');
  });
});

describe('A caller that leaves', () => {
  it.each(['the request', 'the stream', 'the context'])('stops the model: %s', async (how) => {
    const { gateway, clock } = createGatewayWorld();
    const leaving = new AbortController();
    const body = JSON.stringify({ model: 'echo-slow', messages: [{ role: 'user', content: 'a b c d' }], stream: true });
    const init = { method: 'POST', body, ...(how === 'the request' ? { signal: leaving.signal } : {}) };
    const answering = gateway.fetch(
      new Request(`http://127.0.0.1${chat}`, init),
      how === 'the context' ? { signal: leaving.signal } : {},
    );
    await clock.advance(50);
    const reader = (await answering).body?.getReader();
    await reader?.read();
    const next = reader?.read();
    await settle();
    expect(clock.pending).toBe(1);
    if (how === 'the stream') await reader?.cancel();
    else leaving.abort();
    await next?.catch(() => undefined);
    await settle();
    expect(clock.pending).toBe(0);
  });
});
