import type { ServerResponse } from 'node:http';
import { type Asked, pause, sendJson, startWireServer, type WireServer } from './wire-server.ts';

/** The dialects of the engines, as their servers speak them. */
export type Dialect = 'ollama' | 'openai' | 'completion';

const answerTokens = ['Grüße', ', ', '世界', ' 👋🏽', ' and', ' more'];
const slowTokens = Array.from({ length: 300 }, (_, index) => ` ${index}`);
const promptTokens = 7;

const behaviours = ['plain', 'slow', 'dies', 'error', 'mute', 'deaf', 'gone', 'busy', 'narrow'] as const;
export type Behaviour = (typeof behaviours)[number];

/**
 * A server that speaks one dialect over true HTTP. The model's name says what it does (`/completion` names none: there `always`): `slow` gives 20 ms a token for six seconds, `dies`
 * breaks the connection after two tokens, `error` sends the dialect's error object then, `mute` no counts, `deaf` ignores the token limit,
 * `gone` is unknown (404), `busy` answers 503, `narrow` finds the prompt too long; every other one gives six tokens with accents, CJK and an emoji.
 */
export function startWireEngine(dialect: Dialect, always: Behaviour = 'plain'): Promise<WireServer> {
  return startWireServer(async (asked, reply) => {
    if (!isAnswer(dialect, asked)) return catalogue(dialect, asked, reply);
    const behaviour = dialect === 'completion' ? always : String(asked.body.model).replace(/:latest$/, '');
    if (refuses(dialect, behaviour, reply)) return;
    const limit = behaviour === 'deaf' ? Number.POSITIVE_INFINITY : limitOf(dialect, asked);
    const tokens = behaviour === 'slow' ? slowTokens : answerTokens;
    reply.writeHead(200, { 'content-type': dialect === 'ollama' ? 'application/x-ndjson' : 'text/event-stream' });
    for (const [index, token] of tokens.slice(0, limit).entries()) {
      if (reply.destroyed) return;
      if (index === 2 && behaviour === 'dies') return void reply.destroy();
      if (index === 2 && behaviour === 'error') return void reply.end(failing[dialect]);
      reply.write(spoken[dialect].token(token));
      await pause(behaviour === 'slow' ? 20 : 1);
    }
    const count = Math.min(tokens.length, limit);
    reply.end(spoken[dialect].end(count < tokens.length ? 'length' : 'stop', behaviour === 'mute' ? undefined : count));
  });
}

const isAnswer = (dialect: Dialect, { path }: Asked): boolean =>
  path === { ollama: '/api/chat', openai: '/v1/chat/completions', completion: '/completion' }[dialect];

const limitOf = (dialect: Dialect, { body }: Asked): number =>
  ({ ollama: body.options?.num_predict, openai: body.max_tokens, completion: body.n_predict })[dialect] as number;

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: object, reason: string | null): object => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: reason }],
});
const head = { model: 'm', created_at: '2026-01-01T00:00:00Z' };

export const spoken: Readonly<
  Record<Dialect, { token(text: string): string; end(reason: 'stop' | 'length', count: number | undefined): string }>
> = {
  ollama: {
    token: (content) => line({ ...head, message: { role: 'assistant', content }, done: false }),
    end: (reason, count) =>
      line({
        ...head,
        message: { role: 'assistant', content: '' },
        done: true,
        done_reason: reason,
        ...(count === undefined ? {} : { prompt_eval_count: promptTokens, eval_count: count }),
      }),
  },
  openai: {
    token: (content) => event(chunk({ content }, null)),
    end: (reason, count) => {
      const usage = {
        prompt_tokens: promptTokens,
        completion_tokens: count,
        total_tokens: promptTokens + (count ?? 0),
      };
      const counts = count === undefined ? '' : event({ ...chunk({}, null), choices: [], usage });
      return `${event(chunk({}, reason))}${counts}data: [DONE]\n\n`;
    },
  },
  completion: {
    token: (content) => event({ content, stop: false }),
    end: (reason, count) =>
      event({
        content: '',
        stop: true,
        stop_type: reason === 'length' ? 'limit' : 'eos',
        ...(count === undefined ? {} : { tokens_evaluated: promptTokens, tokens_predicted: count }),
      }),
  },
};

const failing: Readonly<Record<Dialect, string>> = {
  ollama: line({ error: 'an error was encountered while running the model' }),
  openai: event({ error: { code: 500, message: 'CUDA error', type: 'server_error' } }),
  completion: `error: ${JSON.stringify({ code: 500, message: 'slot lost', type: 'server_error' })}\n\n`,
};

function refuses(dialect: Dialect, behaviour: string, reply: ServerResponse): boolean {
  const refuse = (status: number, message: string, type: string): true => {
    sendJson(reply, { error: dialect === 'ollama' ? message : { code: status, message, type } }, status);
    return true;
  };
  if (behaviour === 'gone') return refuse(404, "model 'gone' not found", 'not_found_error');
  if (behaviour === 'busy') return refuse(503, 'Loading model', 'unavailable_error');
  if (behaviour === 'narrow') {
    return refuse(400, 'the request exceeds the available context size', 'exceed_context_size_error');
  }
  return false;
}

/** Everything but answers: versions, lists, embeddings, and the 404 of each server. */
function catalogue(dialect: Dialect, { path, body }: Asked, reply: ServerResponse): void {
  const vector = (_: unknown, index: number): number[] => [3, 4 + index];
  const pages: Readonly<Record<Dialect, Readonly<Record<string, () => unknown>>>> = {
    ollama: {
      '/': () => undefined,
      '/api/version': () => ({ version: '0.12.3' }),
      '/api/tags': () => ({ models: behaviours.map(tag) }),
      '/api/ps': () => ({ models: [{ name: 'slow:latest', size: 2_000, context_length: 16_384 }] }),
      '/api/show': () => ({
        details: {},
        parameters: 'num_ctx                        8192\nstop "<|im_end|>"',
        model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 },
        capabilities: ['completion', 'embedding'],
      }),
      '/api/embed': () => ({ model: 'm', embeddings: body.input.map(vector) }),
      '/api/generate': () => ({ ...head, response: '', done: true, done_reason: 'load' }),
    },
    openai: {
      '/v1/models': () => ({
        object: 'list',
        data: behaviours.map((id) => ({
          id,
          object: 'model',
          created: 1,
          owned_by: 'llamacpp',
          meta: { n_ctx_train: 32_768, size: 9 },
        })),
      }),
      '/props': () => ({ default_generation_settings: { n_ctx: 2_048 }, total_slots: 1 }),
      '/v1/embeddings': () => ({
        object: 'list',
        data: body.input
          .map((_: unknown, index: number) => ({ object: 'embedding', index, embedding: vector(_, index) }))
          .toReversed(),
      }),
    },
    completion: {
      '/props': () => ({ default_generation_settings: { n_ctx: 1_024 }, model_path: '/models/old-7b.Q4.gguf' }),
    },
  };
  const page = pages[dialect][path];
  if (page !== undefined) return sendJson(reply, page());
  if (dialect === 'ollama')
    return void reply.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
  sendJson(reply, { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } }, 404);
}

const tag = (name: string): object => ({ name: `${name}:latest`, model: name, size: 1_000, digest: name, details: {} });
