import { type LanguageModel, type ModelCard, PeerAiError, type Prompt, type Sampling } from '@peerai/core-protocol';
import type { Ollama } from 'ollama/browser';
import { z } from 'zod';
import { llmError } from '../errors.ts';
import { withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { checkReply } from './check.ts';
import { type Engine, findModel } from './engine.ts';
import { engineUrl, type HttpEngineDeps } from './http.ts';
import { ollamaCards } from './ollama-cards.ts';
import { ollamaFailure, ollamaFetch } from './ollama-fetch.ts';
import { type Heard, oneAnswer } from './one-answer.ts';
import { embedReplyBytesMax, unitRows } from './unit-rows.ts';

const chatSchema = z.object({
  message: z.object({ content: z.string().optional() }).optional(),
  done: z.boolean(),
  done_reason: z.string().nullish(),
  prompt_eval_count: z.number().nullish(),
  eval_count: z.number().nullish(),
});
const embedSchema = z.object({ embeddings: z.array(z.array(z.number())) });

/** One call of the client: the client takes a signal for none, so each call has a client with a fetch of its own. */
type Call = <T>(
  work: (client: Ollama) => Promise<T>,
  signal: AbortSignal,
  bounds?: { readonly timeoutMs?: number; readonly bytesMax?: number },
) => Promise<T>;

/**
 * A running Ollama, through its own client; written against its API of 0.12. Its prompts are refused, not cut, when they are too long
 * (`truncate: false`; versions that do not know it cut them without a word).
 *
 * @param options.url - `http://127.0.0.1:11434`, or `host:port`. Throws INVALID_FORMAT.
 */
export function ollamaEngine(deps: HttpEngineDeps, options: { readonly url: string }): Engine {
  const url = engineUrl(options.url);
  const traits: Parameters<typeof ollamaCards>[1] = new Map();
  const call: Call = async (work, signal, { timeoutMs = limits.engineListMs, bytesMax } = {}) => {
    try {
      return await withDeadline(deps.clock, timeoutMs, signal, async (within) =>
        work(await clientOf(url, ollamaFetch(deps.fetch, within, bytesMax))),
      );
    } catch (error) {
      throw late(ollamaFailure(error, signal));
    }
  };
  const models = async (signal: AbortSignal, only?: string): Promise<readonly LanguageModel[]> => {
    const cards = await call((client) => ollamaCards(client, traits, only), signal);
    return cards.map((card) => modelOf(deps, url, card, call));
  };
  return {
    kind: 'ollama',
    url,
    list: (signal) => models(signal),
    model: async (name, signal) => findModel(await models(signal, name), name),
  };
}

/** Loaded when an Ollama is asked: the client brings a `fetch` of its own that loads Node's. */
async function clientOf(host: string, fetch: typeof globalThis.fetch): Promise<Ollama> {
  const { Ollama: Client } = await import('ollama/browser');
  return new Client({ host, fetch });
}

function modelOf(deps: HttpEngineDeps, url: string, card: ModelCard, call: Call): LanguageModel {
  const model = card.name;
  return {
    specification: 1,
    card,
    generate: (prompt, sampling, caller) =>
      oneAnswer(deps.clock, prompt, sampling, caller, (signal) => chat(deps, url, model, prompt, sampling, signal)),
    async embed(texts, signal) {
      const bounds = { timeoutMs: limits.embedMs, bytesMax: embedReplyBytesMax(texts.length) };
      const request = { model, input: [...texts], truncate: false };
      const reply = await call((client) => client.embed(request), signal, bounds);
      return unitRows(checkReply(embedSchema, reply).embeddings, texts.length);
    },
    async warm(signal) {
      // An empty prompt only loads the model.
      const request = { model, prompt: '', stream: false } as const;
      await call((client) => client.generate(request), signal, { timeoutMs: limits.firstTokenMsMax });
    },
  };
}

async function* chat(
  deps: HttpEngineDeps,
  url: string,
  model: string,
  prompt: Prompt,
  { maxTokens, temperature, topP, seed, stop }: Sampling,
  signal: AbortSignal,
): AsyncGenerator<Heard, void, undefined> {
  const request = {
    model,
    messages: prompt.messages.map(({ role, text }) => ({ role, content: text })),
    stream: true as const,
    truncate: false,
    options: {
      num_predict: maxTokens,
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { top_p: topP }),
      ...(seed === undefined ? {} : { seed }),
      ...(stop === undefined ? {} : { stop: [...stop] }),
    },
  };
  try {
    const client = await clientOf(url, ollamaFetch(deps.fetch, signal));
    const replies = await client.chat(request);
    for await (const reply of replies) {
      const { message, done, ...end } = checkReply(chatSchema, reply);
      yield {
        text: message?.content ?? '',
        ...(done ? { finish: end.done_reason === 'length' ? 'length' : 'stop' } : {}),
        promptTokens: end.prompt_eval_count,
        answerTokens: end.eval_count,
      };
    }
  } catch (error) {
    throw ollamaFailure(error, signal);
  }
}

const late = (error: unknown): unknown =>
  PeerAiError.is(error, 'TIMEOUT')
    ? llmError('ENGINE_UNREACHABLE', 'the engine did not answer in time', {}, error)
    : error;
