import {
  type AnswerPart,
  type Clock,
  PeerAiError,
  type Prompt,
  type Provenance,
  type Sampling,
} from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { checkPromptBytes } from '../share/question.ts';
import type { Catalogue, ResolvedModel } from './catalogue.ts';
import { unsupported } from './failure.ts';

type Finish = Extract<AnswerPart, { type: 'finish' }>;
/** An answer whose first part is there: from here on its status and headers stand. */
export interface Started {
  /** Text pieces, then the finish, once. */
  readonly parts: AsyncIterable<{ readonly text: string } | { readonly finish: Finish }>;
  readonly headers: Readonly<Record<string, string>>;
  readonly resolveMs: number;
  readonly firstMs: number;
}

/** Finds the model and waits for the first part, so that what goes wrong until then has a status of its own. Throws what they throw. */
export async function startAnswer(
  { catalogue, clock }: { readonly catalogue: Catalogue; readonly clock: Clock },
  name: string,
  prompt: Prompt,
  sampling: Sampling,
  signal: AbortSignal,
): Promise<Started> {
  checkPromptBytes(prompt);
  const startedMs = clock.elapsedMs();
  const resolved = await catalogue.resolve(name, signal);
  const resolveMs = clock.elapsedMs() - startedMs;
  const parts = resolved.model.generate(prompt, sampling, signal)[Symbol.asyncIterator]();
  const first = await parts.next();
  const firstMs = clock.elapsedMs() - startedMs;
  const headers = { ...provenanceHeaders(resolved), 'server-timing': timing({ resolve: resolveMs, first: firstMs }) };
  return { parts: rest(first, parts, signal), headers, resolveMs, firstMs };
}

export function provenanceHeaders(resolved: ResolvedModel): Record<string, string> {
  return servedByHeaders(resolved.servedBy());
}
export function servedByHeaders(from: Pick<Provenance, 'peer' | 'path'> | undefined): Record<string, string> {
  return from === undefined ? {} : { 'x-peerai-peer': from.peer, 'x-peerai-path': from.path };
}
export const timing = (durationsMs: Readonly<Record<string, number>>): string =>
  Object.entries(durationsMs)
    .map(([step, ms]) => `${step};dur=${ms.toFixed(1)}`)
    .join(', ');

async function* rest(
  first: IteratorResult<AnswerPart>,
  parts: AsyncIterator<AnswerPart>,
  signal: AbortSignal,
): AsyncGenerator<{ readonly text: string } | { readonly finish: Finish }, void, undefined> {
  let ended = false;
  try {
    for (let next = first; ; next = await parts.next()) {
      if (signal.aborted) throw reasonOf(signal);
      if (next.done) throw llmError('ENGINE_FAILED', 'the answer ended without a finish');
      const part = next.value;
      if (part.type === 'tool-call') throw unsupported('tools', 'a call of a tool');
      if (part.type === 'text-delta') yield { text: part.text };
      else {
        ended = true;
        return yield { finish: part };
      }
    }
  } finally {
    if (!ended) void Promise.resolve(parts.return?.()).catch(() => undefined);
  }
}

/** Everything at once, for answers that are not streamed. */
export async function collect(
  started: Started,
): Promise<{ readonly text: string; readonly finish: Finish; readonly headers: Record<string, string> }> {
  let text = '';
  for await (const part of started.parts) {
    if ('text' in part) text += part.text;
    else
      return { text, finish: part.finish, headers: { ...started.headers, ...servedByHeaders(part.finish.servedBy) } };
  }
  throw new PeerAiError('INTERNAL', 'an answer without its end');
}

/** A signal that a reader who leaves can fire too. */
export interface Stoppable {
  readonly signal: AbortSignal;
  readonly stop: () => void;
}
export function stoppable(parent: AbortSignal): Stoppable {
  const own = new AbortController();
  return { signal: AbortSignal.any([parent, own.signal]), stop: () => own.abort() };
}

/** Text pieces as a streamed body, made as the reader takes them; a reader that goes stops the answer. `fail` writes the last line of one that broke. */
export function streamed(
  pieces: AsyncGenerator<string, void, undefined>,
  fail: (error: unknown) => string,
  stop: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        controller.enqueue(encoder.encode(fail(error)));
        controller.close();
      }
    },
    async cancel() {
      // A generator that waits inside `next` hears of it through the signal.
      stop();
      void pieces.return().catch(() => undefined);
    },
  });
}

export function clampTokens(asked: number | null | undefined): number {
  if (asked === null || asked === undefined || asked < 1) return limits.apiMaxTokensDefault;
  return Math.min(asked, limits.answerTokensMax);
}
