import { type LanguageModel, type ModelCard, PeerAiError } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { limits } from '../limits.ts';
import { checkReply } from './check.ts';
import { type Engine, findModel } from './engine.ts';
import { engineUrl, type HttpEngineDeps, requestJson } from './http.ts';
import { oneAnswer } from './one-answer.ts';
import { ask, isNoSuchAddress, type Server } from './openai-chat.ts';
import { embeddingsSchema, modelsSchema, propsSchema, saysForEmbeddings } from './openai-schema.ts';
import { embedReplyBytesMax, unitRows } from './unit-rows.ts';

export interface OpenAiCompatibleOptions {
  /** `http://127.0.0.1:8080`; a `/v1` at its end may be left out. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly apiKey?: string;
}

/**
 * A llama.cpp server, LM Studio, vLLM and whatever else speaks `/v1/chat/completions`; a llama.cpp server without that, by its `/completion`.
 * Throws INVALID_FORMAT for an address that is none.
 */
export function openAiCompatibleEngine(deps: HttpEngineDeps, options: OpenAiCompatibleOptions): Engine {
  const server: Server = {
    url: engineUrl(options.url).replace(/\/v1$/, ''),
    headers: {
      'content-type': 'application/json',
      ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
    },
    completionOnly: false,
  };
  const list = async (signal: AbortSignal): Promise<readonly LanguageModel[]> =>
    (await cardsOf(deps, server, signal)).map((card) => modelOf(deps, server, card));
  return {
    kind: 'openai-compatible',
    url: server.url,
    list,
    model: async (name, signal) => findModel(await list(signal), name),
  };
}

async function cardsOf(deps: HttpEngineDeps, server: Server, signal: AbortSignal): Promise<readonly ModelCard[]> {
  try {
    const reply = await getJson(deps, server, '/v1/models', signal);
    const { data } = checkReply(modelsSchema, reply);
    // llama.cpp runs a model with a context of its own choice, which only `/props` tells.
    const ofLlamaCpp = data.some(({ owned_by: owner }) => owner === 'llamacpp');
    const context = ofLlamaCpp ? (await propsOf(deps, server, signal).catch(() => undefined))?.context : undefined;
    const ofLmStudio = data.some(({ owned_by: owner }) => owner === 'organization_owner');
    const typed = ofLmStudio ? await embeddersOfLmStudio(deps, server, signal) : undefined;
    if (signal.aborted) signal.throwIfAborted();
    return data.map((one) => {
      const { id, owned_by: owner, max_model_len: length, meta } = one;
      return {
        ...cardOf(id, length ?? context ?? meta?.n_ctx_train ?? undefined, typed?.has(id) ?? saysForEmbeddings(one)),
        memoryBytes: meta?.size ?? 0,
        loaded: owner === 'llamacpp' || owner === 'vllm',
      };
    });
  } catch (error) {
    if (!isNoSuchAddress(error)) throw inTime(error);
  }
  // A llama.cpp server from before `/v1`.
  const { name, context } = await propsOf(deps, server, signal);
  return [{ ...cardOf(name, context), loaded: true }];
}

const getJson = (deps: HttpEngineDeps, server: Server, path: string, signal: AbortSignal): Promise<unknown> =>
  requestJson(deps, `${server.url}${path}`, signal, { headers: server.headers });

/** LM Studio says only in a list of its own what each model is for (its REST API v0, of 0.3.6 and later); undefined where that list is not. */
async function embeddersOfLmStudio(
  deps: HttpEngineDeps,
  server: Server,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const reply = await getJson(deps, server, '/api/v0/models', signal).catch(() => undefined);
  const listed = modelsSchema.safeParse(reply).data?.data;
  return listed && new Set(listed.filter((one) => saysForEmbeddings(one) === true).map(({ id }) => id));
}

async function propsOf(
  deps: HttpEngineDeps,
  server: Server,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly context?: number | undefined }> {
  const props = checkReply(propsSchema, await getJson(deps, server, '/props', signal));
  const file =
    props.model_path
      ?.split(/[/\\]/)
      .at(-1)
      ?.replace(/\.gguf$/i, '') ?? '';
  return { name: file === '' ? 'default' : file, context: props.default_generation_settings.n_ctx };
}

/** Where a server does not say what embeds, its name may: a heuristic, and only for the card; asking is always possible. */
const embedsByName = /embed|\bbge\b|\bgte\b|\be5\b|minilm/i;

function cardOf(
  name: string,
  contextTokensMax: number = limits.contextTokensAssumed,
  forEmbeddings?: boolean,
): ModelCard {
  const embeds = forEmbeddings ?? embedsByName.test(name);
  return {
    name,
    engine: 'openai-compatible',
    contextTokensMax,
    memoryBytes: 0,
    loaded: false,
    deterministic: false,
    fits: true,
    ...(embeds ? { embeds } : {}),
    ...(forEmbeddings === undefined ? {} : { forEmbeddings }),
  };
}

function modelOf(deps: HttpEngineDeps, server: Server, card: ModelCard): LanguageModel {
  return {
    specification: 1,
    card,
    generate: (prompt, sampling, caller) =>
      oneAnswer(deps.clock, prompt, sampling, caller, (signal) =>
        ask(deps, server, card.name, prompt, sampling, signal),
      ),
    embed: (texts, signal) => embed(deps, server, card.name, texts, signal),
  };
}

async function embed(
  deps: HttpEngineDeps,
  { url, headers }: Server,
  model: string,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const body = JSON.stringify({ model, input: texts, encoding_format: 'float' });
  const bounds = { timeoutMs: limits.embedMs, bytesMax: embedReplyBytesMax(texts.length) };
  const asked = requestJson(deps, `${url}/v1/embeddings`, signal, { method: 'POST', headers, body }, bounds);
  const reply = await asked.catch((error: unknown) => {
    throw isNoSuchAddress(error) ? llmError('UNSUPPORTED', 'this engine has no embeddings', {}, error) : inTime(error);
  });
  const { data } = checkReply(embeddingsSchema, reply);
  const rows = data.map(({ index, embedding }, place) => ({ embedding, place: index ?? place }));
  return unitRows(
    rows.toSorted((a, b) => a.place - b.place).map(({ embedding }) => embedding),
    texts.length,
  );
}

const inTime = (error: unknown): unknown =>
  PeerAiError.is(error, 'TIMEOUT')
    ? llmError('ENGINE_UNREACHABLE', 'the engine did not answer in time', {}, error)
    : error;
