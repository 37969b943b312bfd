import {
  type AnswerPart,
  type LanguageModel,
  type ModelCard,
  PeerAiError,
  type Prompt,
  type Sampling,
  type Usage,
} from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { estimatePromptTokens, estimateTokens } from '../text/tokens.ts';
import { checkReply, parseJson } from './check.ts';
import { type Engine, findModel } from './engine.ts';
import { type HttpEngineDeps, request, requestJson } from './http.ts';
import { generateByCompletion } from './llama-completion.ts';
import { chunkSchema, embeddingsSchema, modelsSchema, propsSchema } from './openai-schema.ts';
import { serverEvents } from './server-events.ts';
import { unitRows } from './unit-rows.ts';

export interface OpenAiCompatibleOptions {
  /** Without `/v1`: `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly apiKey?: string;
  /** For servers that list no models. */
  readonly models?: readonly string[];
}
/** A server and the headers it wants. */
export interface Server {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A llama.cpp server, LM Studio, vLLM and whatever else speaks `/v1/chat/completions`; an old llama.cpp server without `/v1` by its `/completion`. */
export function openAiCompatibleEngine(deps: HttpEngineDeps, options: OpenAiCompatibleOptions): Engine {
  const { apiKey } = options;
  const server = {
    url: options.url.replace(/\/+(v1\/?)?$/, ''),
    headers: {
      'content-type': 'application/json',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
  };
  const list = async (signal: AbortSignal): Promise<readonly LanguageModel[]> => {
    if (options.models !== undefined) return options.models.map((name) => chatModel(deps, server, cardOf(name)));
    try {
      const reply = await requestJson(deps, `${server.url}/v1/models`, signal, { headers: server.headers });
      return checkReply(modelsSchema, reply).data.map(({ id, max_model_len: length, meta }) =>
        chatModel(deps, server, cardOf(id, length ?? meta?.n_ctx_train ?? undefined, meta?.size ?? 0)),
      );
    } catch (error) {
      // 404: a llama.cpp server from before `/v1`.
      if (!PeerAiError.is(error, 'MODEL_UNKNOWN')) throw error;
      return [await completionModel(deps, server, signal)];
    }
  };
  return {
    kind: 'openai-compatible',
    url: server.url,
    list,
    model: async (name, signal) => findModel(await list(signal), name),
  };
}

function cardOf(name: string, contextTokensMax: number = limits.contextTokensAssumed, memoryBytes = 0): ModelCard {
  return {
    name,
    engine: 'openai-compatible',
    contextTokensMax,
    memoryBytes,
    loaded: true,
    deterministic: false,
    fits: true,
    embeds: true,
  };
}

function chatModel(deps: HttpEngineDeps, server: Server, card: ModelCard): LanguageModel {
  return {
    specification: 1,
    card,
    generate: (prompt, sampling, signal) => generate(deps, server, card.name, prompt, sampling, signal),
    embed: (texts, signal) => embed(deps, server, card.name, texts, signal),
  };
}

async function completionModel(deps: HttpEngineDeps, server: Server, signal: AbortSignal): Promise<LanguageModel> {
  const props = await requestJson(deps, `${server.url}/props`, signal, { headers: server.headers });
  const { default_generation_settings: settings, model_path: path } = checkReply(propsSchema, props);
  const name =
    path
      ?.split(/[/\\]/)
      .at(-1)
      ?.replace(/\.gguf$/i, '') ?? 'default';
  return {
    specification: 1,
    card: { ...cardOf(name === '' ? 'default' : name, settings.n_ctx), embeds: false },
    generate: (prompt, sampling, caller) => generateByCompletion(deps, server, prompt, sampling, caller),
  };
}

async function* generate(
  { fetch }: HttpEngineDeps,
  { url, headers }: Server,
  model: string,
  prompt: Prompt,
  sampling: Sampling,
  caller: AbortSignal,
): AsyncGenerator<AnswerPart, void, undefined> {
  if (caller.aborted) throw reasonOf(caller);
  const leaving = new AbortController();
  const signal = AbortSignal.any([caller, leaving.signal]);
  let answer = '';
  let reason: 'stop' | 'length' | undefined;
  let usage: Usage | undefined;
  try {
    const body = JSON.stringify({
      model,
      messages: messagesOf(prompt),
      stream: true,
      stream_options: { include_usage: true },
      ...samplingOf(sampling),
    });
    const response = await request(fetch, `${url}/v1/chat/completions`, { method: 'POST', headers, body, signal });
    for await (const data of serverEvents(response, signal)) {
      if (data === '[DONE]') break;
      const chunk = checkReply(chunkSchema, parseJson(data));
      if (chunk.error !== undefined && chunk.error !== null)
        throw llmError('ENGINE_FAILED', 'the engine broke off with an error');
      const [choice] = chunk.choices ?? [];
      const text = choice?.delta?.content ?? '';
      answer += text;
      if (text !== '') yield { type: 'text-delta', text };
      if (typeof choice?.finish_reason === 'string') reason = choice.finish_reason === 'length' ? 'length' : 'stop';
      if (chunk.usage)
        usage = { promptTokens: chunk.usage.prompt_tokens, answerTokens: chunk.usage.completion_tokens ?? 0 };
    }
    if (reason === undefined) throw llmError('ENGINE_FAILED', 'the engine broke off');
    usage ??= { promptTokens: estimatePromptTokens(prompt), answerTokens: estimateTokens(answer), estimated: true };
    yield { type: 'finish', reason, usage };
  } catch (error) {
    throw caller.aborted ? reasonOf(caller) : error;
  } finally {
    leaving.abort();
  }
}

async function embed(
  deps: HttpEngineDeps,
  { url, headers }: Server,
  model: string,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const body = JSON.stringify({ model, input: texts, encoding_format: 'float' });
  const reply = await requestJson(
    deps,
    `${url}/v1/embeddings`,
    signal,
    { method: 'POST', headers, body },
    limits.embedMs,
  );
  const { data } = checkReply(embeddingsSchema, reply);
  const sorted = data.map((one, place) => ({ place: one.index ?? place, ...one })).sort((a, b) => a.place - b.place);
  return unitRows(
    sorted.map(({ embedding }) => embedding),
    texts.length,
  );
}

const messagesOf = ({ messages }: Prompt): object[] => messages.map(({ role, text }) => ({ role, content: text }));

function samplingOf({ maxTokens, temperature, topP, seed, stop }: Sampling): Record<string, unknown> {
  return {
    max_tokens: maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stop }),
  };
}
