import { PeerAiError } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { type Fetch, readText, refusalOf, request } from './http.ts';

/**
 * The `fetch` that the ollama client is given. The client by itself cannot stop a call before its reply has begun, prints refusals and
 * broken lines to the console, and keeps a line of any length; behind this fetch it never sees one. Throws as `request`.
 *
 * @param bytesMax - of a reply that is no stream.
 */
export function ollamaFetch(
  fetch: Fetch | undefined,
  signal: AbortSignal,
  bytesMax: number = limits.engineEventCharsMax,
): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await request(fetch, input instanceof Request ? input.url : input.toString(), { ...init, signal });
    const headers = { 'content-type': response.headers.get('content-type') ?? '' };
    const streams = typeof init?.body === 'string' && /"stream":true/.test(init.body);
    if (streams && response.body !== null) return new Response(response.body.pipeThrough(wholeLines()), { headers });
    return new Response(await readText(response, bytesMax), { headers });
  };
}

/** Passes on lines that are JSON objects without `error`; ends with ENGINE_FAILED (or the code of its `error`) at the first other one. */
function wholeLines(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = '';
  const take = (line: string, out: TransformStreamDefaultController<Uint8Array>): void => {
    if (line.trim() === '') return;
    checkLine(line);
    out.enqueue(encoder.encode(`${line}\n`));
  };
  return new TransformStream({
    transform(chunk, out) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line, out);
      if (rest.length > limits.engineEventCharsMax)
        throw llmError('ENGINE_FAILED', 'one line of the engine has no end');
    },
    flush(out) {
      take(rest + decoder.decode(), out);
    },
  });
}

function checkLine(line: string): void {
  let reply: unknown;
  try {
    reply = JSON.parse(line);
  } catch (cause) {
    throw llmError('ENGINE_FAILED', 'the engine broke off within a line', {}, cause);
  }
  if (typeof reply !== 'object' || reply === null) throw llmError('ENGINE_FAILED', 'a line of the engine is no object');
  if ('error' in reply) throw refusalOf(500, line);
}

/** What the client threw, in our codes. Throws nothing itself. */
export function ollamaFailure(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return reasonOf(signal);
  return PeerAiError.is(error) ? error : llmError('ENGINE_FAILED', 'the engine broke off', {}, error);
}
