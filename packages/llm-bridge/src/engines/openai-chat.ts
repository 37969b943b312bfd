import { PeerAiError, type Prompt, type Sampling } from '@peerai/core-protocol';
import { checkReply } from './check.ts';
import { type HttpEngineDeps, request } from './http.ts';
import type { Heard } from './one-answer.ts';
import { chunkSchema, completionSchema } from './openai-schema.ts';
import { serverEvents } from './server-events.ts';

/** A server, the headers it wants, and what was learned of it. */
export interface Server {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** It has no `/v1/chat/completions`, but llama.cpp's `/completion`. */
  completionOnly: boolean;
}

/** Asks `POST /v1/chat/completions`; a server without that address, once and from then on, llama.cpp's `POST /completion`. */
export async function* ask(
  deps: HttpEngineDeps,
  server: Server,
  model: string,
  prompt: Prompt,
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<Heard, void, undefined> {
  if (!server.completionOnly) {
    try {
      return yield* chat(deps, server, model, prompt, sampling, signal);
    } catch (error) {
      if (!isNoSuchAddress(error)) throw error;
    }
  }
  yield* complete(deps, server, prompt, sampling, signal);
  server.completionOnly = true;
}

/** A 404 that is not about the model. */
export const isNoSuchAddress = (error: unknown): boolean =>
  PeerAiError.is(error, 'ENGINE_FAILED') && (error.details['status'] === 404 || error.details['status'] === 405);

async function* chat(
  { fetch }: HttpEngineDeps,
  { url, headers }: Server,
  model: string,
  prompt: Prompt,
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<Heard, void, undefined> {
  const body = JSON.stringify({
    model,
    // A tool's result needs the id of its call, which a prompt does not have: it comes as the user's.
    messages: prompt.messages.map(({ role, text }) => ({ role: role === 'tool' ? 'user' : role, content: text })),
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: sampling.maxTokens,
    ...choosing(sampling),
  });
  const response = await request(fetch, `${url}/v1/chat/completions`, { method: 'POST', headers, body, signal });
  for await (const event of serverEvents(response)) {
    const { choices, usage } = checkReply(chunkSchema, event);
    const [choice] = choices ?? [];
    yield {
      text: choice?.delta?.content ?? '',
      ...(typeof choice?.finish_reason === 'string' ? { finish: reasonFrom(choice.finish_reason) } : {}),
      promptTokens: usage?.prompt_tokens,
      answerTokens: usage?.completion_tokens,
    };
  }
}

/** llama.cpp's own: each event carries `content`, the last one `stop: true` and the counts. */
async function* complete(
  { fetch }: HttpEngineDeps,
  { url, headers }: Server,
  prompt: Prompt,
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<Heard, void, undefined> {
  const { text, stop } = plainPrompt(prompt);
  const body = JSON.stringify({
    prompt: text,
    stream: true,
    n_predict: sampling.maxTokens,
    ...choosing({ ...sampling, stop: [...(sampling.stop ?? []), ...stop] }),
  });
  const response = await request(fetch, `${url}/completion`, { method: 'POST', headers, body, signal });
  for await (const event of serverEvents(response)) {
    const { content, stop: ends, ...end } = checkReply(completionSchema, event);
    const limited = end.stopped_limit === true || end.stop_type === 'limit';
    yield {
      text: content,
      ...(ends ? { finish: limited ? 'length' : 'stop' } : {}),
      promptTokens: end.tokens_evaluated,
      answerTokens: end.tokens_predicted,
    };
  }
}

/** Turns in plain words, for a server that applies no template of the model's own, and where the model must stop so as not to play the user. */
export function plainPrompt({ messages }: Prompt): { readonly text: string; readonly stop: readonly string[] } {
  const names = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool' } as const;
  const [only] = messages;
  if (messages.length === 1 && only?.role === 'user') return { text: only.text, stop: [] };
  const turns = messages.map(({ role, text }) => `${names[role]}: ${text}`);
  return { text: `${turns.join('\n')}\nAssistant:`, stop: ['\nUser:'] };
}

const reasonFrom = (reason: string): 'stop' | 'length' =>
  reason === 'length' || reason === 'max_tokens' ? 'length' : 'stop';

function choosing({ temperature, topP, seed, stop }: Omit<Sampling, 'maxTokens'>): Record<string, unknown> {
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined || stop.length === 0 ? {} : { stop }),
  };
}
