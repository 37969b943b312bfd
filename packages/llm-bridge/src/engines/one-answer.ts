import { type AnswerPart, type Clock, PeerAiError, type Prompt, type Sampling, utf8 } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { estimatePromptTokens } from '../text/tokens.ts';

/** What one event of an engine's stream says; an empty one is a sign of life (a keep-alive, a thinking model's thoughts). */
export interface Heard {
  readonly text?: string;
  /** The answer is whole; counts may still follow. */
  readonly finish?: 'stop' | 'length';
  readonly promptTokens?: number | null | undefined;
  readonly answerTokens?: number | null | undefined;
}

/**
 * The parts of one answer of an engine over HTTP. Whoever stops reading closes the connection. Where the engine gives no counts they are
 * estimated, and marked so; an engine that goes on beyond `maxTokens` deltas is cut there (each delta is at least one token).
 *
 * @param read - asks the engine; its signal fires when the answer is not wanted any more.
 *
 * Throws what `read` throws; ENGINE_FAILED when it ends or breaks without a finish, or is silent for `limits.firstTokenMsMax`, later
 * `limits.tokenGapMsMax`; the caller's reason.
 */
export async function* oneAnswer(
  clock: Clock,
  prompt: Prompt,
  { maxTokens }: Pick<Sampling, 'maxTokens'>,
  caller: AbortSignal,
  read: (signal: AbortSignal) => AsyncGenerator<Heard, void, undefined>,
): AsyncGenerator<AnswerPart, void, undefined> {
  if (caller.aborted) throw reasonOf(caller);
  const leaving = new AbortController();
  const leave = (): void => leaving.abort(reasonOf(caller));
  caller.addEventListener('abort', leave, { once: true });
  const events = read(leaving.signal);
  const count = createCount(prompt);
  try {
    for (;;) {
      const heard = await nextOf(clock, events, count, leaving.signal);
      if (heard === undefined) break;
      if (heard.text !== undefined && heard.text !== '') {
        if (count.deltas >= maxTokens) return yield count.cut(maxTokens);
        count.add(heard.text);
        yield { type: 'text-delta', text: heard.text };
      }
      count.note(heard);
    }
    yield count.finish();
  } finally {
    caller.removeEventListener('abort', leave);
    leaving.abort();
    void events.return().catch(() => undefined);
  }
}

/** The next event; nothing when the answer is whole, also where the engine then forgets to close. */
async function nextOf(
  clock: Clock,
  events: AsyncGenerator<Heard, void, undefined>,
  count: Count,
  signal: AbortSignal,
): Promise<Heard | undefined> {
  const gapMs = count.whole ? limits.engineListMs : count.events === 0 ? limits.firstTokenMsMax : limits.tokenGapMsMax;
  try {
    const { done, value } = await withDeadline(clock, gapMs, signal, () => events.next());
    if (!done) return value;
    if (count.whole) return undefined;
  } catch (error) {
    if (signal.aborted) throw reasonOf(signal);
    if (count.whole) return undefined;
    if (PeerAiError.is(error, 'TIMEOUT')) throw llmError('ENGINE_FAILED', `the engine was silent for ${gapMs} ms`);
    if (PeerAiError.is(error)) throw error;
    throw llmError('ENGINE_FAILED', 'the engine broke off', {}, error);
  }
  throw llmError('ENGINE_FAILED', 'the engine broke off');
}

type Count = ReturnType<typeof createCount>;

function createCount(prompt: Prompt) {
  let answerBytes = 0;
  let reason: 'stop' | 'length' | undefined;
  let promptTokens: number | undefined;
  let answerTokens: number | undefined;
  const estimated = (answer: number): AnswerPart => ({
    type: 'finish',
    reason: reason ?? 'length',
    usage: { promptTokens: promptTokens ?? estimatePromptTokens(prompt), answerTokens: answer, estimated: true },
  });
  return {
    deltas: 0,
    events: 0,
    whole: false,
    add(text: string) {
      this.deltas += 1;
      answerBytes += utf8(text).length;
    },
    note(heard: Heard) {
      this.events += 1;
      this.whole ||= heard.finish !== undefined;
      reason = heard.finish ?? reason;
      promptTokens = countOf(heard.promptTokens) ?? promptTokens;
      answerTokens = countOf(heard.answerTokens) ?? answerTokens;
    },
    cut: (maxTokens: number): AnswerPart => estimated(maxTokens),
    finish(): AnswerPart {
      if (promptTokens === undefined || answerTokens === undefined) {
        return estimated(answerTokens ?? Math.ceil(answerBytes / 4));
      }
      return { type: 'finish', reason: reason ?? 'stop', usage: { promptTokens, answerTokens } };
    },
  };
}

const countOf = (value: number | null | undefined): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
