import { PeerAiError } from '@peerai/core-protocol';
import { ManualClock, settle } from '@peerai/core-protocol/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import type { Engine } from './engine.ts';
import type { Fetch } from './http.ts';
import { ollamaEngine } from './ollama.ts';
import { ollamaFetch } from './ollama-fetch.ts';
import { openAiCompatibleEngine } from './openai-compatible.ts';
import { serverEvents } from './server-events.ts';
import { unitRows } from './unit-rows.ts';

const never = new AbortController().signal;
const url = 'http://127.0.0.1:9';
const clock = new ManualClock();
const engines = {
  ollama: (fetch: Fetch): Engine => ollamaEngine({ clock, fetch }, { url }),
  openai: (fetch: Fetch): Engine => openAiCompatibleEngine({ clock, fetch }, { url }),
};
const dialects = ['ollama', 'openai'] as const;
const codeOf = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    () => 'fine',
    (error: unknown) => (PeerAiError.is(error) ? error.code : error),
  );
// The client is loaded in real time.
beforeAll(() => import('ollama/browser'));

/** An Ollama of so many models; `show` answers for each. */
const ollamaOf =
  (count: number, show: () => Promise<Response> | Response = () => Response.json({})): Fetch =>
  async (address) => {
    const models = Array.from({ length: count }, (_, place) => ({ name: `m${place}`, size: 1, digest: `${place}` }));
    if (address.endsWith('/api/tags')) return Response.json({ models });
    return address.endsWith('/api/show') ? show() : Response.json({ models: [] });
  };

describe('Of an engine', () => {
  it('so many models are read, and a list of more is refused whole', async () => {
    expect(await engines.ollama(ollamaOf(limits.engineModelsMax)).list(never)).toHaveLength(limits.engineModelsMax);
    expect(await codeOf(engines.ollama(ollamaOf(limits.engineModelsMax + 1)).list(never))).toBe('ENGINE_FAILED');
  });

  it('so many questions about single models are asked at once', async () => {
    const open: (() => void)[] = [];
    const show = () => new Promise<Response>((resolve) => void open.push(() => resolve(Response.json({}))));
    const listing = engines.ollama(ollamaOf(limits.engineQuestionsAtOnce + 1, show)).list(never);
    await settle();
    expect(open).toHaveLength(limits.engineQuestionsAtOnce);
    open[0]?.();
    await settle();
    expect(open).toHaveLength(limits.engineQuestionsAtOnce + 1);
    for (const answer of open) answer();
    expect(await listing).toHaveLength(limits.engineQuestionsAtOnce + 1);
  });

  it.each(dialects)('%s: a reply of so many bytes is read, and none that is longer', async (dialect) => {
    const padded = (bytes: number) => JSON.stringify({ models: [], data: [] }).padEnd(bytes, ' ');
    const list = (bytes: number) => codeOf(engines[dialect](async () => new Response(padded(bytes))).list(never));
    expect([await list(limits.engineEventCharsMax), await list(limits.engineEventCharsMax + 1)]).toEqual([
      'fine',
      'ENGINE_FAILED',
    ]);
  });

  it('of its own error so many characters are looked at', async () => {
    const word = 'context length';
    const list = (start: number) =>
      codeOf(
        engines.openai(async () => new Response(word.padStart(start + word.length, '.'), { status: 400 })).list(never),
      );
    const last = limits.engineErrorCharsMax - word.length;
    expect([await list(last), await list(last + 1)]).toEqual(['PROMPT_TOO_LONG', 'ENGINE_FAILED']);
  });

  it.each(dialects)('%s: vectors are waited for as long as the limit says', async (dialect) => {
    const models = [{ name: 'm', size: 1, digest: 'm' }];
    const fetch: Fetch = (address, init) => {
      if (!/embed/u.test(address)) return Promise.resolve(Response.json({ models, data: [{ id: 'm' }] }));
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
      });
    };
    let told: unknown;
    const model = await engines[dialect](fetch).model('m', never);
    const asking = codeOf(model?.embed?.(['x'], never) ?? Promise.resolve()).then((code) => (told = code));
    await settle();
    await clock.advance(limits.embedMs - 1);
    expect(told).toBeUndefined();
    await clock.advance(1);
    expect(await asking).toBe('ENGINE_UNREACHABLE');
  });

  it('a vector has so many numbers at most', () => {
    const row = (length: number) => [Array.from({ length }, () => 1)];
    expect(unitRows(row(limits.embedDimensionsMax), 1)[0]).toHaveLength(limits.embedDimensionsMax);
    expect(() => unitRows(row(limits.embedDimensionsMax + 1), 1)).toThrow(
      expect.objectContaining({ code: 'ENGINE_FAILED' }),
    );
  });
});

describe('An event of an engine that has no end yet', () => {
  /** A body in two pieces, of which the first has so many characters and no end. */
  const body = (start: string, length: number, end: string) =>
    new ReadableStream({
      start(out) {
        out.enqueue(new TextEncoder().encode(start.padEnd(length, 'x')));
        out.enqueue(new TextEncoder().encode(end));
        out.close();
      },
    });
  const most = limits.engineEventCharsMax;

  it('is kept up to so many characters of a line', async () => {
    const read = async (length: number) => {
      const fetch = ollamaFetch(async () => new Response(body('{"a":"', length, '"}\n')), never);
      return (await fetch(url, { method: 'POST', body: '{"stream":true}' })).text();
    };
    expect([await codeOf(read(most)), await codeOf(read(most + 1))]).toEqual(['fine', 'ENGINE_FAILED']);
  });

  it('is kept up to so many bytes of a server-sent event', async () => {
    const read = (length: number) =>
      codeOf(Array.fromAsync(serverEvents(new Response(body('data: {"a":"', length, '"}\n\n')))));
    expect([await read(most), await read(most + 1)]).toEqual(['fine', 'ENGINE_FAILED']);
  });
});
