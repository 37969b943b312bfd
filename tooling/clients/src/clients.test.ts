import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTwoAgents, type TwoAgents } from './network.ts';

const run = promisify(execFile);
const model = 'echo';
const question = 'one two three';
const answer = `echo: ${question}`;

let net: TwoAgents;
beforeAll(async () => {
  net = await startTwoAgents();
}, 60_000);
afterAll(() => net?.testnet.stop(), 20_000);

const openai = ({ base, key }: { readonly base: string; readonly key: string }): OpenAI =>
  // Without a key the client insists on sending one: the header is taken off again, as curl would not send it.
  new OpenAI({
    baseURL: `${base}/v1`,
    apiKey: key === '' ? 'none' : key,
    maxRetries: 0,
    ...(key === '' ? { defaultHeaders: { authorization: null } } : {}),
  });
const ollama = ({ base, key }: { readonly base: string; readonly key: string }): Ollama =>
  new Ollama({ host: base, ...(key === '' ? {} : { headers: { authorization: `Bearer ${key}` } }) });
const ways = ['with the token', 'with a gateway key', 'with /t/<key>/', 'bare from loopback'] as const;
const wayOf = (name: string) => {
  const way = net.ways.find((one) => one.way === name);
  if (way === undefined) throw new Error(name);
  return way;
};

describe.each(ways)('%s', (name) => {
  test('openai: chat, whole and streamed, says the same', async () => {
    const client = openai(wayOf(name));
    const messages = [{ role: 'user' as const, content: question }];
    const whole = await client.chat.completions.create({ model, messages });
    expect(whole.choices[0]?.message.content).toBe(answer);
    expect(whole.usage).toMatchObject({ completion_tokens: 4 });
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage ??= chunk.usage ?? undefined;
    }
    expect(text).toBe(answer);
    expect(usage).toMatchObject({ completion_tokens: 4 });
  });

  test('openai: models, completions and embeddings', async () => {
    const client = openai(wayOf(name));
    const names = (await client.models.list()).data.map(({ id }) => id);
    expect(names).toContain('echo@study-pc');
    expect(names).toContain('nano');
    expect((await client.completions.create({ model, prompt: question })).choices[0]?.text).toBe(answer);
    const { data } = await client.embeddings.create({ model, input: ['a', 'b'] });
    expect(data).toHaveLength(2);
    const norm = Math.hypot(...(data[0]?.embedding ?? []));
    expect(norm).toBeCloseTo(1, 3);
  });

  test('ollama: chat and generate, whole and streamed, list, show, embed', async () => {
    const client = ollama(wayOf(name));
    const messages = [{ role: 'user', content: question }];
    expect((await client.chat({ model, messages })).message.content).toBe(answer);
    let text = '';
    for await (const part of await client.chat({ model, messages, stream: true })) text += part.message.content;
    expect(text).toBe(answer);
    expect((await client.generate({ model, prompt: question })).response).toBe(answer);
    expect((await client.list()).models.map(({ name: one }) => one)).toContain('echo@study-pc');
    expect((await client.show({ model: 'echo@study-pc' })).details).toBeDefined();
    expect((await client.embed({ model, input: 'a' })).embeddings).toHaveLength(1);
  });

  test('ai with @ai-sdk/openai-compatible: generated and streamed', async () => {
    const { base, key } = wayOf(name);
    const provider = createOpenAICompatible({
      name: 'peerai',
      baseURL: `${base}/v1`,
      ...(key === '' ? {} : { apiKey: key }),
    });
    expect((await generateText({ model: provider(model), prompt: question })).text).toBe(answer);
    let text = '';
    for await (const delta of streamText({ model: provider(model), prompt: question }).textStream) text += delta;
    expect(text).toBe(answer);
  });

  test('curl: whole and streamed', async () => {
    const { base, key } = wayOf(name);
    const auth = key === '' ? [] : ['-H', `authorization: Bearer ${key}`];
    const body = (stream: boolean): string =>
      JSON.stringify({ model, stream, messages: [{ role: 'user', content: question }] });
    const whole = await run('curl', [
      '-s',
      `${base}/v1/chat/completions`,
      ...auth,
      '-H',
      'content-type: application/json',
      '-d',
      body(false),
    ]);
    expect(JSON.parse(whole.stdout)).toMatchObject({ choices: [{ message: { content: answer } }] });
    const streamed = await run('curl', [
      '-sN',
      `${base}/v1/chat/completions`,
      ...auth,
      '-H',
      'content-type: application/json',
      '-d',
      body(true),
    ]);
    expect(streamed.stdout.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });
});

test('every answer names the peer and the path it came from', async () => {
  const { consumer, provider } = net;
  const response = await fetch(`${consumer.info.api}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: question }] }),
  });
  expect(response.headers.get('x-peerai-peer')).toBe(provider.info.peerId);
  expect(response.headers.get('x-peerai-path')).toMatch(/^(?:direct|relayed)$/);
  expect(response.headers.get('server-timing')).toBeTruthy();
});

test('receipts of all these answers stand in both logs, signed by both', async () => {
  // The last signature may still be on its way to the provider.
  await vi.waitFor(async () => {
    const [there, here] = await Promise.all([net.provider.client.verifyLedger(), net.consumer.client.verifyLedger()]);
    expect(there.ok && here.ok).toBe(true);
    expect(there.receipts).toBeGreaterThan(20);
    expect(here.receipts).toBe(there.receipts);
  });
});
