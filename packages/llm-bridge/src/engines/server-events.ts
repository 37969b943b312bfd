import { createParser } from 'eventsource-parser';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';

/** The data of each server-sent event of a reply, until its end. Throws ENGINE_FAILED when it breaks off or an event is too long, the signal's reason. */
export async function* serverEvents(response: Response, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  if (response.body === null) throw llmError('ENGINE_FAILED', 'the engine answered without a body');
  const events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => void events.push(data) });
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let pending = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      pending += value.length;
      parser.feed(decoder.decode(value, { stream: true }));
      if (events.length > 0) pending = 0;
      if (pending > limits.engineEventCharsMax) throw llmError('ENGINE_FAILED', 'one event of the engine has no end');
      yield* events.splice(0);
    }
  } catch (error) {
    if (signal.aborted) throw reasonOf(signal);
    if (error instanceof TypeError || (error instanceof Error && error.name === 'AbortError')) {
      throw llmError('ENGINE_FAILED', 'the engine broke off', {}, error);
    }
    throw error;
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
