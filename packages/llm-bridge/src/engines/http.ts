import { type Clock, PeerAiError } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;
export interface HttpEngineDeps {
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/**
 * A reply of an engine with a good status. Throws ENGINE_UNREACHABLE when nothing answers or it is loading or overloaded (429, 503),
 * PROMPT_TOO_LONG, ENGINE_FAILED with `details.status` for other statuses, the signal's reason.
 */
export async function request(
  fetch: Fetch,
  url: string,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    throw unreachable(url, init.signal, cause);
  }
  if (response.ok) return response;
  throw refusalOf(response.status, (await response.text().catch(() => '')).slice(0, limits.engineErrorCharsMax));
}

/** A JSON reply within a time and a size. Throws as `request`, ENGINE_FAILED for what is not JSON, TIMEOUT. */
export function requestJson(
  { fetch, clock }: HttpEngineDeps,
  url: string,
  signal: AbortSignal,
  init: RequestInit = {},
  timeoutMs: number = limits.engineListMs,
): Promise<unknown> {
  return withDeadline(clock, timeoutMs, signal, async (within) => {
    const response = await request(fetch, url, { ...init, signal: within });
    try {
      return JSON.parse(await response.text()) as unknown;
    } catch (cause) {
      if (within.aborted) throw reasonOf(within);
      throw llmError('ENGINE_FAILED', 'the engine answered something that is no JSON', {}, cause);
    }
  });
}

/** An engine's refusal in our words. The engine's own text travels in `details.reason`, cut. */
export function refusalOf(status: number, text: string): PeerAiError {
  const details = { status, reason: text };
  if (status === 429 || status === 503)
    return llmError('ENGINE_UNREACHABLE', `the engine is busy or loading (${status})`, details);
  if (status === 404) return llmError('MODEL_UNKNOWN', 'the engine does not have this model', details);
  if (isTooLong(status, text))
    return llmError('PROMPT_TOO_LONG', 'the prompt is longer than the model’s context', details);
  return llmError('ENGINE_FAILED', `the engine refused with status ${status}`, details);
}

/** What fetch or a broken body threw. */
export function unreachable(url: string, signal: AbortSignal, cause: unknown): PeerAiError {
  if (signal.aborted) return reasonOf(signal);
  if (PeerAiError.is(cause)) return cause;
  return llmError('ENGINE_UNREACHABLE', `no engine answers at ${url}`, { url }, cause);
}

/** llama.cpp: `exceed_context_size_error`; OpenAI: `context_length_exceeded`; others say it in words. */
function isTooLong(status: number, text: string): boolean {
  return (status === 400 || status === 413) && /context[ _](size|length|window)|too long/i.test(text);
}
