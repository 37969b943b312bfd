import {
  type AnswerPart,
  type LanguageModel,
  type ModelCard,
  PeerAiError,
  type Prompt,
  type Sampling,
} from '@peerai/core-protocol';
import { Ollama } from 'ollama/browser';
import { z } from 'zod';
import { llmError } from '../errors.ts';
import { reasonOf, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { estimatePromptTokens, estimateTokens } from '../text/tokens.ts';
import { checkReply } from './check.ts';
import { type Engine, findModel } from './engine.ts';
import { type HttpEngineDeps, request } from './http.ts';
import { unitRows } from './unit-rows.ts';

const tagsSchema = z.object({
  models: z
    .array(z.object({ name: z.string().min(1), size: z.number().nonnegative().optional() }))
    .max(limits.engineModelsMax),
});
const psSchema = z.object({ models: z.array(z.object({ name: z.string() })) });
const showSchema = z.object({
  capabilities: z.array(z.string()).optional(),
  model_info: z.record(z.string(), z.unknown()).optional(),
});
const chatSchema = z.object({
  message: z.object({ content: z.string() }).optional(),
  done: z.boolean(),
  done_reason: z.string().optional(),
  prompt_eval_count: z.number().nonnegative().optional(),
  eval_count: z.number().nonnegative().optional(),
});
const embedSchema = z.object({ embeddings: z.array(z.array(z.number())) });

type Traits = Pick<ModelCard, 'contextTokensMax' | 'embeds'>;

/** A running Ollama, through its own client. @param url - `http://127.0.0.1:11434`. */
export function ollamaEngine(deps: HttpEngineDeps, { url }: { readonly url: string }): Engine {
  /** Asked once a model: they do not change while it has its size. */
  const known = new Map<string, Traits>();
  const traitsOf = async (name: string, size: number, signal: AbortSignal): Promise<Traits> => {
    const key = `${name} ${size}`;
    const found = known.get(key) ?? (await traits(deps, url, name, signal));
    if (known.size >= limits.engineModelsMax) known.clear();
    known.set(key, found);
    return found;
  };
  const list = async (signal: AbortSignal): Promise<readonly LanguageModel[]> => {
    const [tags, loaded] = await withDeadline(deps.clock, limits.engineListMs, signal, async (within) => {
      const client = clientFor(deps, url, within);
      const asked = client.list().then((reply) => checkReply(tagsSchema, reply));
      const running = client.ps().then((reply) => checkReply(psSchema, reply).models.map((model) => model.name));
      return Promise.all([asked, running.catch(() => [])]);
    }).catch((error: unknown) => {
      throw translate(signal, error);
    });
    const cards = await Promise.all(
      tags.models.map(async ({ name, size }) => ({
        name,
        memoryBytes: size ?? 0,
        loaded: loaded.includes(name),
        ...(await traitsOf(name, size ?? 0, signal)),
      })),
    );
    return cards.map((card) => modelOf(deps, url, { engine: 'ollama', deterministic: false, fits: true, ...card }));
  };
  return { kind: 'ollama', url, list, model: async (name, signal) => findModel(await list(signal), name) };
}

/** Context and embeddings, where this Ollama tells them. */
async function traits(deps: HttpEngineDeps, url: string, name: string, signal: AbortSignal): Promise<Traits> {
  try {
    return await withDeadline(deps.clock, limits.engineListMs, signal, async (within) => {
      const { capabilities = [], model_info: info = {} } = checkReply(
        showSchema,
        await clientFor(deps, url, within).show({ model: name }),
      );
      const context = Object.entries(info).find(([key]) => key.endsWith('.context_length'))?.[1];
      return {
        contextTokensMax: typeof context === 'number' && context > 0 ? context : limits.contextTokensAssumed,
        embeds: capabilities.includes('embedding'),
      };
    });
  } catch {
    if (signal.aborted) throw reasonOf(signal);
    return { contextTokensMax: limits.contextTokensAssumed, embeds: false };
  }
}

function modelOf(deps: HttpEngineDeps, url: string, card: ModelCard): LanguageModel {
  return {
    specification: 1,
    card,
    generate: (prompt, sampling, signal) => generate(deps, url, card.name, prompt, sampling, signal),
    embed: async (texts, signal) => {
      try {
        const reply = await withDeadline(deps.clock, limits.embedMs, signal, (within) =>
          clientFor(deps, url, within).embed({ model: card.name, input: [...texts] }),
        );
        return unitRows(checkReply(embedSchema, reply).embeddings, texts.length);
      } catch (error) {
        throw translate(signal, error);
      }
    },
    warm: async (signal) => {
      try {
        await withDeadline(deps.clock, limits.firstTokenMsMax, signal, (within) =>
          clientFor(deps, url, within).generate({ model: card.name, prompt: '', stream: false }),
        );
      } catch (error) {
        throw translate(signal, error);
      }
    },
  };
}

async function* generate(
  deps: HttpEngineDeps,
  url: string,
  name: string,
  prompt: Prompt,
  sampling: Sampling,
  caller: AbortSignal,
): AsyncGenerator<AnswerPart, void, undefined> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([caller, leaving.signal]);
  let answer = '';
  try {
    const replies = await clientFor(deps, url, signal).chat({
      model: name,
      messages: prompt.messages.map(({ role, text }) => ({ role, content: text })),
      stream: true,
      options: optionsOf(sampling),
    });
    for await (const reply of replies) {
      const {
        message,
        done,
        done_reason: reason,
        prompt_eval_count: promptTokens,
        eval_count: answerTokens,
      } = checkReply(chatSchema, reply);
      const text = message?.content ?? '';
      answer += text;
      if (text !== '') yield { type: 'text-delta', text };
      if (!done) continue;
      const counted = promptTokens !== undefined && answerTokens !== undefined;
      const usage = counted
        ? { promptTokens, answerTokens }
        : {
            promptTokens: promptTokens ?? estimatePromptTokens(prompt),
            answerTokens: answerTokens ?? estimateTokens(answer),
            estimated: true,
          };
      return yield { type: 'finish', reason: reason === 'length' ? 'length' : 'stop', usage };
    }
    throw llmError('ENGINE_FAILED', 'the engine ended without a last line');
  } catch (error) {
    throw translate(caller, error);
  } finally {
    leaving.abort();
  }
}

function optionsOf({ maxTokens, temperature, topP, seed, stop }: Sampling): Record<string, unknown> {
  return {
    num_predict: maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stop: [...stop] }),
  };
}

/** The client takes no signal for most calls, so each call gets a client whose fetch has one, and which sees good replies only. */
function clientFor({ fetch }: HttpEngineDeps, url: string, signal: AbortSignal): Ollama {
  const withSignal: typeof globalThis.fetch = (input, init) => {
    const target = input instanceof Request ? input.url : input.toString();
    return request(fetch, target, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, signal]) : signal });
  };
  return new Ollama({ host: url, fetch: withSignal });
}

/** Our own errors as they are; what the client throws besides is an `error` line or a broken stream. */
function translate(signal: AbortSignal, error: unknown): unknown {
  if (signal.aborted) return reasonOf(signal);
  if (PeerAiError.is(error) || !(error instanceof Error)) return error;
  return llmError(
    'ENGINE_FAILED',
    'the engine broke off',
    { reason: error.message.slice(0, limits.engineErrorCharsMax) },
    error,
  );
}
