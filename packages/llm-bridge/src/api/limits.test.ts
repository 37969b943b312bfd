import type { LanguageModel, Sampling } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { createGatewayWorld, failingModel } from '../testing/gateway-world.ts';

const url = 'http://127.0.0.1:8006/v1/chat/completions';
const messages = [{ role: 'user', content: 'x' }];

describe('Limits of the faces', () => {
  it('a body that does not end within its time is 408', async () => {
    const { gateway, clock } = createGatewayWorld();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{')),
    });
    const streamed: RequestInit & { readonly duplex: 'half' } = { method: 'POST', body, duplex: 'half' };
    const answering = gateway.fetch(new Request(url, streamed));
    let answered = false;
    void answering.then(() => (answered = true));
    await clock.advance(limits.apiBodyMs - 1);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect((await answering).status).toBe(408);
    expect(clock.pending).toBe(0);
  });

  it('an answer has the default of tokens where none are named, and never more than the most', async () => {
    const asked: Sampling[] = [];
    const noting: LanguageModel = {
      ...failingModel(new Error('unused')),
      async *generate(_prompt, sampling) {
        asked.push(sampling);
        yield { type: 'finish', reason: 'stop', usage: { promptTokens: 1, answerTokens: 0 } };
      },
    };
    const { post } = createGatewayWorld({ noting });
    const most = limits.answerTokensMax;
    for (const tokens of [undefined, null, most, most + 1]) {
      await post('/v1/chat/completions', { model: 'noting', messages, max_tokens: tokens });
      await post('/api/chat', { model: 'noting', messages, stream: false, options: { num_predict: tokens } });
    }
    await post('/api/chat', { model: 'noting', messages, stream: false, options: { num_predict: -1 } });
    const { apiMaxTokensDefault: usual } = limits;
    expect(asked.map(({ maxTokens }) => maxTokens)).toEqual([
      usual,
      usual,
      usual,
      usual,
      most,
      most,
      most,
      most,
      usual,
    ]);
  });

  it('as many texts are embedded as the limit says, and not one more', async () => {
    const { post } = createGatewayWorld();
    const input = (count: number): string[] => Array.from({ length: count }, () => 'x');
    const status = async (path: string, count: number): Promise<number> =>
      (await post(path, { model: 'echo', input: input(count) })).status;
    for (const path of ['/v1/embeddings', '/api/embed']) {
      expect([await status(path, limits.embedTextsMax), await status(path, limits.embedTextsMax + 1)]).toEqual([
        200, 400,
      ]);
    }
  });

  it('a body of so many bytes is read, and not one of more: as it is told, or as it comes', async () => {
    const { gateway } = createGatewayWorld();
    const status = async (bytes: number, told?: number): Promise<number> => {
      const body = '{}'.padEnd(bytes);
      const headers = told === undefined ? {} : { 'content-length': String(told) };
      return (await gateway.fetch(new Request(url, { method: 'POST', body, headers }))).status;
    };
    const most = limits.apiBodyBytesMax;
    // What is read is no question.
    expect([await status(most), await status(most + 1)]).toEqual([400, 413]);
    expect([await status(2, most), await status(2, most + 1)]).toEqual([400, 413]);
  });

  it.each(['/v1/chat/completions', '/api/chat'])(
    '%s: so many texts end an answer, each of so many bytes',
    async (path) => {
      const { post } = createGatewayWorld();
      const status = async (stop: unknown): Promise<number> =>
        (await post(path, { model: 'echo', messages, stream: false, stop, options: { stop } })).status;
      const [most, more] = [
        `é${'x'.repeat(limits.stopTextBytesMax - 2)}`,
        `é${'x'.repeat(limits.stopTextBytesMax - 1)}`,
      ];
      const many = (count: number): string[] => Array.from({ length: count }, () => most);
      expect([await status(most), await status(more)]).toEqual([200, 400]);
      expect([await status(many(limits.stopTextsMax)), await status(many(limits.stopTextsMax + 1))]).toEqual([
        200, 400,
      ]);
    },
  );

  it.each(['/v1/chat/completions', '/api/chat'])('%s: a model has a name of so many characters', async (path) => {
    const { post } = createGatewayWorld();
    const status = async (length: number): Promise<number> =>
      (await post(path, { model: 'x'.repeat(length), messages, stream: false })).status;
    // There is none of that name.
    expect([await status(limits.apiModelNameCharsMax), await status(limits.apiModelNameCharsMax + 1)]).toEqual([
      404, 400,
    ]);
  });

  it('a message comes in so many parts', async () => {
    const { post } = createGatewayWorld();
    const status = async (count: number): Promise<number> => {
      const content = Array.from({ length: count }, () => ({ type: 'text', text: 'x' }));
      return (await post('/v1/chat/completions', { model: 'echo', messages: [{ role: 'user', content }] })).status;
    };
    expect([await status(limits.apiContentPartsMax), await status(limits.apiContentPartsMax + 1)]).toEqual([200, 400]);
  });
});
