import type { AnswerPart, Prompt, Sampling } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { estimatePromptTokens, estimateTokens } from '../text/tokens.ts';
import { checkReply, parseJson } from './check.ts';
import { type HttpEngineDeps, request } from './http.ts';
import type { Server } from './openai-compatible.ts';
import { completionSchema } from './openai-schema.ts';
import { serverEvents } from './server-events.ts';

/** Turns in plain words, for a server that applies no template of the model's own. */
export function plainPrompt({ messages }: Prompt): string {
  const names = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool' } as const;
  const [only] = messages;
  if (messages.length === 1 && only?.role === 'user') return only.text;
  return `${messages.map(({ role, text }) => `${names[role]}: ${text}`).join('\n')}\nAssistant:`;
}

/** llama.cpp's own `POST /completion`, streamed: each event carries `content`, the last one `stop: true` and the counts. */
export async function* generateByCompletion(
  { fetch }: HttpEngineDeps,
  { url, headers }: Server,
  prompt: Prompt,
  { maxTokens, temperature, topP, seed, stop }: Sampling,
  caller: AbortSignal,
): AsyncGenerator<AnswerPart, void, undefined> {
  if (caller.aborted) throw reasonOf(caller);
  const leaving = new AbortController();
  const signal = AbortSignal.any([caller, leaving.signal]);
  const body = JSON.stringify({
    prompt: plainPrompt(prompt),
    stream: true,
    n_predict: maxTokens,
    temperature,
    top_p: topP,
    seed,
    stop,
  });
  let answer = '';
  try {
    const response = await request(fetch, `${url}/completion`, { method: 'POST', headers, body, signal });
    for await (const data of serverEvents(response, signal)) {
      if (data === '[DONE]') break;
      const reply = checkReply(completionSchema, parseJson(data));
      if (reply.error !== undefined && reply.error !== null)
        throw llmError('ENGINE_FAILED', 'the engine broke off with an error');
      answer += reply.content;
      if (reply.content !== '') yield { type: 'text-delta', text: reply.content };
      if (!reply.stop) continue;
      const {
        tokens_evaluated: promptTokens,
        tokens_predicted: answerTokens,
        stopped_limit: limited,
        stop_type: type,
      } = reply;
      const counted = typeof promptTokens === 'number' && typeof answerTokens === 'number';
      const usage = counted
        ? { promptTokens, answerTokens }
        : { promptTokens: estimatePromptTokens(prompt), answerTokens: estimateTokens(answer), estimated: true };
      return yield { type: 'finish', reason: limited === true || type === 'limit' ? 'length' : 'stop', usage };
    }
    throw llmError('ENGINE_FAILED', 'the engine broke off');
  } catch (error) {
    throw caller.aborted ? reasonOf(caller) : error;
  } finally {
    leaving.abort();
  }
}
