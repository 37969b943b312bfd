import { createParser } from 'eventsource-parser';
import { llmError } from '../errors.ts';
import { limits } from '../limits.ts';
import { refusalOf } from './http.ts';

/**
 * What one server-sent event of an engine carries, parsed: until `[DONE]` or the end of the body. Throws ENGINE_FAILED for an event that is
 * no JSON object or too long, what `refusalOf` makes of an `error` (llama.cpp also sends it as a line `error: {…}`), what the body throws.
 */
export async function* serverEvents(response: Response): AsyncGenerator<object, void, undefined> {
  if (response.body === null) throw llmError('ENGINE_FAILED', 'the engine answered without a body');
  const events: string[] = [];
  const parser = createParser({
    onEvent: ({ data }) => void events.push(data),
    onError: ({ field, value = '' }) => {
      if (field === 'error') events.push(`{"error":${value}}`);
    },
  });
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let pendingBytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      pendingBytes += value.length;
      parser.feed(decoder.decode(value, { stream: true }));
      if (events.length > 0) pendingBytes = 0;
      if (pendingBytes > limits.engineEventCharsMax)
        throw llmError('ENGINE_FAILED', 'one event of the engine has no end');
      for (const data of events.splice(0)) {
        if (data === '[DONE]') return;
        yield objectOf(data);
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function objectOf(data: string): object {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch (cause) {
    throw llmError('ENGINE_FAILED', 'the engine sent an event that is no JSON', {}, cause);
  }
  if (typeof event !== 'object' || event === null)
    throw llmError('ENGINE_FAILED', 'an event of the engine is no object');
  if ('error' in event && event.error !== null && event.error !== undefined) throw refusalOf(500, data);
  return event;
}
