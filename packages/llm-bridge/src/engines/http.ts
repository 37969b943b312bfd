import { type Clock, PeerAiError } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;
export interface HttpEngineDeps {
  readonly clock: Clock;
  /** The platform's own where absent. */
  readonly fetch?: Fetch;
}

/** Our gateway puts this header on every answer: an engine that sends it is ourselves, or another PeerAI. */
export const loopHeader = 'x-peerai';

/** An engine's address without a slash at its end; `host:port` means `http://host:port`. Throws INVALID_FORMAT. */
export function engineUrl(address: string): string {
  const text = address.includes('://') ? address : `http://${address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hash !== '' || url.search !== '') {
    throw new PeerAiError('INVALID_FORMAT', 'an engine’s address is an http or https URL without a query');
  }
  return url.href.replace(/\/+$/, '');
}

/**
 * A reply of an engine with a good status. Throws ENGINE_UNREACHABLE when nothing answers or it is loading or overloaded (429, 502–504),
 * ENGINE_LOOP, PROMPT_TOO_LONG, MODEL_UNKNOWN, UNSUPPORTED, ENGINE_FAILED with `details.status` for every other status, the signal's reason.
 */
export async function request(
  fetch: Fetch = globalThis.fetch,
  url: string,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<Response> {
  let response: Response;
  try {
    // A redirect could lead the prompt to a host that nobody chose.
    response = await fetch(url, { ...init, redirect: 'error' });
  } catch (cause) {
    if (init.signal.aborted) throw reasonOf(init.signal);
    if (PeerAiError.is(cause)) throw cause;
    throw llmError('ENGINE_UNREACHABLE', `no engine answers at ${new URL(url).origin}`, {}, cause);
  }
  if (response.headers.has(loopHeader)) {
    await response.body?.cancel().catch(() => undefined);
    throw llmError('ENGINE_LOOP', `at ${new URL(url).origin} answers PeerAI itself, which is no engine`);
  }
  if (response.ok) return response;
  throw refusalOf(response.status, await readText(response, limits.engineErrorCharsMax, 'cut').catch(() => ''));
}

/** A JSON reply within a time and a size in bytes. Throws as `request`, ENGINE_FAILED for what is no JSON or too long, TIMEOUT. */
export function requestJson(
  { fetch, clock }: HttpEngineDeps,
  url: string,
  signal: AbortSignal,
  init: RequestInit = {},
  bounds: { readonly timeoutMs?: number; readonly bytesMax?: number } = {},
): Promise<unknown> {
  const { timeoutMs = limits.engineListMs, bytesMax = limits.engineEventCharsMax } = bounds;
  return withDeadline(clock, timeoutMs, signal, async (within) => {
    const response = await request(fetch, url, { ...init, signal: within });
    try {
      return JSON.parse(await readText(response, bytesMax)) as unknown;
    } catch (cause) {
      if (within.aborted) throw reasonOf(within);
      if (PeerAiError.is(cause)) throw cause;
      throw llmError('ENGINE_FAILED', 'the engine answered something that is no JSON', {}, cause);
    }
  });
}

/** A body as text. Throws ENGINE_FAILED beyond `bytesMax`, unless it may be cut there. */
export async function readText(
  response: Response,
  bytesMax: number,
  beyond: 'refuse' | 'cut' = 'refuse',
): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.length;
      text += decoder.decode(value, { stream: true });
      if (bytes <= bytesMax) continue;
      if (beyond === 'cut') return text.slice(0, bytesMax);
      throw llmError('ENGINE_FAILED', `the engine’s reply is longer than ${bytesMax} bytes`);
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/**
 * An engine's refusal in our words. Its own sentence is shown only where a server failed (5xx): a complaint about a request (4xx) may quote
 * the prompt, and errors go to logs.
 */
export function refusalOf(status: number, text: string): PeerAiError {
  const details = { status };
  if (tooLong.test(text)) return llmError('PROMPT_TOO_LONG', 'the prompt is longer than the model’s context', details);
  if (status === 429 || (status >= 502 && status <= 504)) {
    return llmError('ENGINE_UNREACHABLE', `the engine is loading or overloaded (status ${status})`, details);
  }
  if (status === 404 && /model/i.test(text)) {
    return llmError('MODEL_UNKNOWN', 'the engine does not have this model', details);
  }
  if (status === 501 || /does not support/i.test(text)) {
    return llmError('UNSUPPORTED', 'the engine cannot do this with this model', details);
  }
  if (status === 401 || status === 403) return llmError('ENGINE_FAILED', 'the engine wants another API key', details);
  const why = status >= 500 ? sentenceOf(text) : '';
  return llmError('ENGINE_FAILED', `the engine refused with status ${status}${why === '' ? '' : `: ${why}`}`, details);
}

/** llama.cpp: `exceed_context_size_error`; OpenAI: `context_length_exceeded`; vLLM: `maximum context length`; Ollama: `prompt too long`. */
const tooLong = /context[ _](size|length|window)|prompt (is )?too long|input length exceeds/i;

/** `{"error": "…"}`, `{"error": {"message": "…"}}`, or the text; one line. */
function sentenceOf(text: string): string {
  let found: unknown = text;
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    found = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  } catch {
    // Not JSON: the text itself.
  }
  return typeof found === 'string' ? found.replace(/\s+/g, ' ').trim().slice(0, 200) : '';
}
