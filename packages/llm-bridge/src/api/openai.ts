import { type Prompt, type Sampling, toHex, type Usage } from '@peerai/core-protocol';
import { clampTokens, collect, startAnswer, type Started, stoppable, streamed } from './answer.ts';
import { readBody } from './body.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { embedTexts } from './embed.ts';
import { BadRequest, errorBody, unsupported } from './failure.ts';
import type { GatewayDeps } from './gateway.ts';
import { type ChatBody, chatSchema, type CompletionBody, completionSchema, embeddingSchema } from './openai-schema.ts';
import { json, type Route } from './route.ts';

/** OpenAI's models, chat completions, completions and embeddings, as its official clients speak them. */
export function openAiRoutes(deps: GatewayDeps): readonly Route[] {
  const post = (path: RegExp, answer: Route['answer']): Route => ({ method: 'POST', path, answer });
  const createdS = Math.floor(deps.clock.nowMs() / 1_000);
  return [
    {
      method: 'GET',
      path: /^\/v1\/models$/,
      answer: async (_, signal) =>
        json({ object: 'list', data: (await deps.catalogue.list(signal)).map((entry) => modelView(entry, createdS)) }),
    },
    {
      method: 'GET',
      path: /^\/v1\/models\/.+$/,
      answer: async (_, signal, path) => {
        const id = decode(path.slice('/v1/models/'.length));
        const entry = (await deps.catalogue.list(signal)).find(({ name }) => name === id);
        if (entry === undefined)
          throw new BadRequest(`there is no model ${id.slice(0, 100)}`, { status: 404, code: 'MODEL_UNKNOWN' });
        return json(modelView(entry, createdS));
      },
    },
    post(/^\/v1\/chat\/completions$/, (request, signal) => chat(deps, request, signal)),
    post(/^\/v1\/completions$/, (request, signal) => completions(deps, request, signal)),
    post(/^\/v1\/embeddings$/, (request, signal) => embeddings(deps, request, signal)),
  ];
}

async function chat(deps: GatewayDeps, request: Request, parent: AbortSignal): Promise<Response> {
  const body = await readBody(deps.clock, chatSchema, request, parent);
  const { signal, stop } = stoppable(parent);
  const sampling = samplingOf(body, body.max_completion_tokens);
  const started = await startAnswer(deps, body.model, promptOf(body), sampling, signal);
  const base = { id: `chatcmpl-${idOf(deps)}`, created: Math.floor(deps.clock.nowMs() / 1_000), model: body.model };
  if (body.stream === true) {
    return eventStream(
      started,
      stop,
      chatChunks(started, { ...base, object: 'chat.completion.chunk' }, wantsUsage(body)),
    );
  }
  const { text, finish, headers } = await collect(started);
  const choice = {
    index: 0,
    message: { role: 'assistant', content: text, refusal: null },
    logprobs: null,
    finish_reason: finish.reason,
  };
  return json({ ...base, object: 'chat.completion', choices: [choice], usage: usageView(finish.usage) }, headers);
}

async function* chatChunks(
  started: Started,
  base: object,
  withUsage: boolean,
): AsyncGenerator<string, void, undefined> {
  const chunk = (delta: object, reason: string | null = null): string =>
    event({
      ...base,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
      ...(withUsage ? { usage: null } : {}),
    });
  // One piece with the first text: that is here already.
  let head = chunk({ role: 'assistant', content: '' });
  for await (const part of started.parts) {
    yield head + ('text' in part ? chunk({ content: part.text }) : chunk({}, part.finish.reason));
    head = '';
    if ('finish' in part) {
      if (withUsage) yield event({ ...base, choices: [], usage: usageView(part.finish.usage) });
    }
  }
  yield 'data: [DONE]\n\n';
}

async function completions(deps: GatewayDeps, request: Request, parent: AbortSignal): Promise<Response> {
  const body = await readBody(deps.clock, completionSchema, request, parent);
  const { signal, stop } = stoppable(parent);
  if (body.suffix !== null && body.suffix !== undefined && body.suffix !== '')
    throw unsupported('suffix', 'text after the answer');
  if (body.echo === true) throw unsupported('echo', 'the prompt before the answer');
  if (typeof body.logprobs === 'number') throw unsupported('logprobs', 'log probabilities');
  const sampling = samplingOf(body, undefined);
  const prompts = typeof body.prompt === 'string' ? [body.prompt] : body.prompt;
  const ask = (prompt: string): Promise<Started> =>
    startAnswer(deps, body.model, { messages: [{ role: 'user', text: prompt }] }, sampling, signal);
  const base = {
    id: `cmpl-${idOf(deps)}`,
    object: 'text_completion',
    created: Math.floor(deps.clock.nowMs() / 1_000),
    model: body.model,
  };
  const first = await ask(prompts[0] ?? '');
  const all = inTurn(first, prompts.slice(1), ask);
  if (body.stream === true) return eventStream(first, stop, completionChunks(all, base, wantsUsage(body)));
  const choices: object[] = [];
  let [usage, headers] = [noUsage, {}];
  for await (const started of all) {
    const { text, finish, headers: own } = await collect(started);
    choices.push({ index: choices.length, text, logprobs: null, finish_reason: finish.reason });
    usage = addUsage(usage, finish.usage);
    headers = own;
  }
  return json({ ...base, choices, usage: usageView(usage) }, headers);
}

async function* inTurn(
  first: Started,
  others: readonly string[],
  ask: (prompt: string) => Promise<Started>,
): AsyncGenerator<Started, void, undefined> {
  yield first;
  for (const prompt of others) yield await ask(prompt);
}

async function* completionChunks(
  all: AsyncIterable<Started>,
  base: object,
  withUsage: boolean,
): AsyncGenerator<string, void, undefined> {
  let index = 0;
  let usage = noUsage;
  for await (const started of all) {
    for await (const part of started.parts) {
      const [text, reason] = 'text' in part ? [part.text, null] : ['', part.finish.reason];
      if ('finish' in part) usage = addUsage(usage, part.finish.usage);
      yield event({
        ...base,
        choices: [{ index, text, logprobs: null, finish_reason: reason }],
        ...(withUsage ? { usage: null } : {}),
      });
    }
    index += 1;
  }
  if (withUsage) yield event({ ...base, choices: [], usage: usageView(usage) });
  yield 'data: [DONE]\n\n';
}

async function embeddings(deps: GatewayDeps, request: Request, signal: AbortSignal): Promise<Response> {
  const {
    model,
    input,
    encoding_format: format,
    dimensions,
  } = await readBody(deps.clock, embeddingSchema, request, signal);
  const { rows, promptTokens, headers } = await embedTexts(
    deps,
    model,
    typeof input === 'string' ? [input] : input,
    dimensions,
    signal,
  );
  const data = rows.map((row, index) => ({
    object: 'embedding',
    index,
    embedding: format === 'base64' ? base64(row) : [...row],
  }));
  return json(
    { object: 'list', model, data, usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } },
    headers,
  );
}

function eventStream(started: Started, stop: () => void, events: AsyncGenerator<string, void, undefined>): Response {
  return new Response(
    streamed(events, (error) => event(errorBody('openai', error)), stop),
    {
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...started.headers },
    },
  );
}

/** Throws BadRequest for what the port cannot carry. */
function promptOf({ messages, tools, functions, logprobs, response_format: format }: ChatBody): Prompt {
  if ((tools?.length ?? 0) > 0) throw unsupported('tools', 'tools');
  if ((functions?.length ?? 0) > 0) throw unsupported('functions', 'functions');
  if (logprobs === true) throw unsupported('logprobs', 'log probabilities');
  if (format !== null && format !== undefined && format.type !== 'text')
    throw unsupported('response_format', 'a format for the answer');
  return {
    messages: messages.map(({ role, content, tool_calls: calls }) => {
      if ((calls?.length ?? 0) > 0) throw unsupported('messages.tool_calls', 'calls of tools');
      return { role: role === 'developer' ? 'system' : role === 'function' ? 'tool' : role, text: textOf(content) };
    }),
  };
}

function textOf(content: ChatBody['messages'][number]['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? [])
    .map((part) => {
      if (!('text' in part)) throw unsupported('messages.content', `content of type ${part.type.slice(0, 40)}`);
      return part.text;
    })
    .join('');
}

function samplingOf(
  body: Omit<CompletionBody, 'model' | 'prompt' | 'logprobs'>,
  completionTokens: number | null | undefined,
): Sampling {
  const { n, temperature, top_p: topP, seed, stop } = body;
  if ((n ?? 1) > 1) throw unsupported('n', 'more than one answer');
  const stops = typeof stop === 'string' ? [stop] : (stop ?? []);
  const named = stops.filter((text) => text !== '');
  return {
    maxTokens: clampTokens(completionTokens ?? body.max_tokens),
    ...(typeof temperature === 'number' ? { temperature } : {}),
    ...(typeof topP === 'number' ? { topP } : {}),
    ...(typeof seed === 'number' ? { seed } : {}),
    ...(named.length === 0 ? {} : { stop: named }),
  };
}

const wantsUsage = ({ stream_options: options }: Pick<CompletionBody, 'stream_options'>): boolean =>
  options?.include_usage === true;
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const idOf = ({ random }: GatewayDeps): string => toHex(random.bytes(12));
const noUsage: Usage = { promptTokens: 0, answerTokens: 0 };
const addUsage = (a: Usage, b: Usage): Usage => ({
  promptTokens: a.promptTokens + b.promptTokens,
  answerTokens: a.answerTokens + b.answerTokens,
});
function usageView({ promptTokens, answerTokens }: Usage): object {
  return { prompt_tokens: promptTokens, completion_tokens: answerTokens, total_tokens: promptTokens + answerTokens };
}
function modelView({ name, owner }: CatalogueEntry, created: number): object {
  return { id: name, object: 'model', created, owned_by: owner };
}

/** Throws BadRequest. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadRequest('the path is not well-formed');
  }
}

/** Little-endian float32, as the official client asks for by default. */
function base64(row: Float32Array): string {
  const view = new DataView(new ArrayBuffer(row.length * 4));
  row.forEach((value, index) => view.setFloat32(index * 4, value, true));
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}
