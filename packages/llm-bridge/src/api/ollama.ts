import { type AnswerPart, type Prompt, type Sampling, toHex, utf8 } from '@peerai/core-protocol';
import { sameModelName } from '../engines/engine.ts';
import { clampTokens, collect, provenanceHeaders, startAnswer, type Started, stoppable, streamed } from './answer.ts';
import { readBody } from './body.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { embedTexts } from './embed.ts';
import { BadRequest, errorBody, unsupported } from './failure.ts';
import type { GatewayDeps } from './gateway.ts';
import {
  type ChatBody,
  chatSchema,
  embeddingsSchema,
  embedSchema,
  type GenerateBody,
  generateSchema,
  showSchema,
} from './ollama-schema.ts';
import { json, type Route } from './route.ts';

const versionDefault = '0.12.0+peerai';
/** Ollama's commands that change models. */
const writes = [
  ['POST', /^\/api\/(pull|push|create|copy)$/],
  ['DELETE', /^\/api\/delete$/],
  ['POST', /^\/api\/blobs\/.+$/],
  ['HEAD', /^\/api\/blobs\/.+$/],
] as const;

/** Ollama's chat, generate, embeddings and lists, as its command line and clients speak them; what would change models is refused. */
export function ollamaRoutes(deps: GatewayDeps): readonly Route[] {
  const get = (path: RegExp, answer: Route['answer']): Route => ({ method: 'GET', path, answer });
  const post = (path: RegExp, answer: Route['answer']): Route => ({ method: 'POST', path, answer });
  return [
    get(/^\/api\/version$/, async () => json({ version: deps.version ?? versionDefault })),
    get(/^\/api\/tags$/, async (_, signal) =>
      json({ models: (await deps.catalogue.list(signal)).map((entry) => modelView(deps, entry)) }),
    ),
    get(/^\/api\/ps$/, async (_, signal) => {
      const loaded = (await deps.catalogue.list(signal)).filter(({ card, local }) => card.loaded && local);
      return json({
        models: loaded.map((entry) => ({ ...modelView(deps, entry), expires_at: isoNow(deps), size_vram: 0 })),
      });
    }),
    post(/^\/api\/show$/, (request, signal) => show(deps, request, signal)),
    post(/^\/api\/chat$/, (request, signal) => chat(deps, request, signal)),
    post(/^\/api\/generate$/, (request, signal) => generate(deps, request, signal)),
    post(/^\/api\/embed$/, (request, signal) => embed(deps, request, signal)),
    post(/^\/api\/embeddings$/, (request, signal) => embeddings(deps, request, signal)),
    ...writes.map(([method, path]) => ({
      method,
      path,
      answer: async () => {
        throw new BadRequest('models are managed by the engine that has them, not through this gateway', {
          status: 403,
          code: 'forbidden',
        });
      },
    })),
  ];
}

async function chat(deps: GatewayDeps, request: Request, signal: AbortSignal): Promise<Response> {
  const body = await readBody(deps.clock, chatSchema, request, signal);
  if ((body.tools?.length ?? 0) > 0) throw unsupported('tools', 'tools');
  refuseExtras(body);
  const messages = (body.messages ?? []).map((message) => {
    if ((message.images?.length ?? 0) > 0) throw unsupported('messages.images', 'images');
    if ((message.tool_calls?.length ?? 0) > 0) throw unsupported('messages.tool_calls', 'calls of tools');
    return { role: message.role, text: message.content ?? '' };
  });
  return respond(deps, body, { messages }, (text) => ({ message: { role: 'assistant', content: text } }), signal);
}

async function generate(deps: GatewayDeps, request: Request, signal: AbortSignal): Promise<Response> {
  const body = await readBody(deps.clock, generateSchema, request, signal);
  refuseExtras(body);
  if ((body.images?.length ?? 0) > 0) throw unsupported('images', 'images');
  if ((body.suffix ?? '') !== '') throw unsupported('suffix', 'text after the answer');
  const { prompt, system } = body;
  const ask = (prompt ?? '') === '' ? [] : [{ role: 'user', text: prompt ?? '' } as const];
  const before = (system ?? '') === '' || ask.length === 0 ? [] : [{ role: 'system', text: system ?? '' } as const];
  return respond(deps, body, { messages: [...before, ...ask] }, (response) => ({ response }), signal);
}

async function respond(
  deps: GatewayDeps,
  body: ChatBody | GenerateBody,
  prompt: Prompt,
  wrap: (text: string) => object,
  parent: AbortSignal,
): Promise<Response> {
  const { signal, stop } = stoppable(parent);
  const line = (rest: object): object => ({ model: body.model, created_at: isoNow(deps), ...rest });
  // Without a prompt Ollama loads the model and says so.
  if (prompt.messages.length === 0) {
    const resolved = await deps.catalogue.resolve(body.model, signal);
    await resolved.model.warm?.(signal);
    return json(line({ ...wrap(''), done: true, done_reason: 'load' }), provenanceHeaders(resolved));
  }
  const startedMs = deps.clock.elapsedMs();
  const started = await startAnswer(deps, body.model, prompt, samplingOf(body.options), signal);
  const last = (text: string, finish: Extract<AnswerPart, { type: 'finish' }>): object =>
    line({ ...wrap(text), done: true, ...counters(started, finish, deps.clock.elapsedMs() - startedMs) });
  if (body.stream === false) {
    const { text, finish, headers } = await collect(started);
    return json(last(text, finish), headers);
  }
  const lines = (async function* (): AsyncGenerator<string, void, undefined> {
    for await (const part of started.parts) {
      yield `${JSON.stringify('text' in part ? line({ ...wrap(part.text), done: false }) : last('', part.finish))}\n`;
    }
  })();
  return new Response(
    streamed(lines, (error) => `${JSON.stringify(errorBody('ollama', error))}\n`, stop),
    { headers: { 'content-type': 'application/x-ndjson', ...started.headers } },
  );
}

/** Durations in nanoseconds; the prompt's is the time until the first part. */
function counters(
  { resolveMs, firstMs }: Started,
  { reason, usage }: Extract<AnswerPart, { type: 'finish' }>,
  totalMs: number,
): object {
  const nanoseconds = (ms: number): number => Math.round(ms * 1e6);
  return {
    done_reason: reason === 'length' ? 'length' : 'stop',
    total_duration: nanoseconds(totalMs),
    load_duration: nanoseconds(resolveMs),
    prompt_eval_count: usage.promptTokens,
    prompt_eval_duration: nanoseconds(firstMs - resolveMs),
    eval_count: usage.answerTokens,
    eval_duration: nanoseconds(totalMs - firstMs),
  };
}

async function show(deps: GatewayDeps, request: Request, signal: AbortSignal): Promise<Response> {
  const { model } = await readBody(deps.clock, showSchema, request, signal);
  const entry = (await deps.catalogue.list(signal)).find(({ name }) => sameModelName(name, model));
  const card = entry?.card ?? (await deps.catalogue.resolve(model, signal)).model.card;
  return json({
    license: '',
    modelfile: '',
    parameters: '',
    template: '',
    details: detailsOf(card.engine),
    model_info: { 'general.architecture': card.engine, [`${card.engine}.context_length`]: card.contextTokensMax },
    capabilities: ['completion', ...(card.embeds === true ? ['embedding'] : [])],
  });
}

async function embed(deps: GatewayDeps, request: Request, signal: AbortSignal): Promise<Response> {
  const { model, input, dimensions } = await readBody(deps.clock, embedSchema, request, signal);
  const startedMs = deps.clock.elapsedMs();
  const texts = typeof input === 'string' ? [input] : (input ?? []);
  const { rows, promptTokens, headers } = await embedTexts(deps, model, texts, dimensions, signal);
  const total = Math.round((deps.clock.elapsedMs() - startedMs) * 1e6);
  const embeddings = rows.map((row) => [...row]);
  return json({ model, embeddings, total_duration: total, load_duration: 0, prompt_eval_count: promptTokens }, headers);
}

async function embeddings(deps: GatewayDeps, request: Request, signal: AbortSignal): Promise<Response> {
  const { model, prompt } = await readBody(deps.clock, embeddingsSchema, request, signal);
  const { rows, headers } = await embedTexts(deps, model, [prompt ?? ''], undefined, signal);
  return json({ embedding: [...(rows[0] ?? [])] }, headers);
}

/** Throws BadRequest for what the port cannot carry. */
function refuseExtras({ format, think }: Pick<ChatBody, 'format' | 'think'>): void {
  if (format !== undefined && format !== null && format !== '') throw unsupported('format', 'a format for the answer');
  if (think !== undefined && think !== null && think !== false)
    throw unsupported('think', 'thinking apart from the answer');
}

function samplingOf(options: ChatBody['options']): Sampling {
  const { num_predict: tokens, temperature, top_p: topP, seed, stop } = options ?? {};
  const stops = (typeof stop === 'string' ? [stop] : (stop ?? [])).filter((text) => text !== '');
  return {
    maxTokens: clampTokens(tokens),
    ...(typeof temperature === 'number' ? { temperature } : {}),
    ...(typeof topP === 'number' ? { topP } : {}),
    ...(typeof seed === 'number' ? { seed } : {}),
    ...(stops.length === 0 ? {} : { stop: stops }),
  };
}

const isoNow = ({ clock }: GatewayDeps): string => new Date(clock.nowMs()).toISOString();
const detailsOf = (engine: string): object => ({
  parent_model: '',
  format: engine === 'ollama' || engine === 'llama-cpp' ? 'gguf' : '',
  family: engine,
  families: [engine],
  parameter_size: '',
  quantization_level: '',
});

/** The digest is of the name: it tells entries apart and says nothing of the weights. */
function modelView({ crypto, clock }: GatewayDeps, { name, card }: CatalogueEntry): object {
  return {
    name,
    model: name,
    modified_at: new Date(clock.nowMs()).toISOString(),
    size: card.memoryBytes,
    digest: toHex(crypto.sha256(utf8(`peerai model ${name}`))),
    details: detailsOf(card.engine),
  };
}
