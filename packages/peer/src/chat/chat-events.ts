import { type AnswerPart, type Clock, PeerAiError, type PeerId, toBase64Url } from '@peerai/core-protocol';
import type { ReceiptView } from '../ledger/ledger.schema.ts';
import type { AnswerSource, ChatEvent, ServedBy } from './chat.schema.ts';
import { hintFor } from './hints.ts';

export interface ChatFacts {
  readonly model: string;
  /** Who is asked, as known before the first part. */
  readonly servedBy: ServedBy;
  readonly nameOf: (peer: PeerId) => string;
  /** A receipt's bytes in words. */
  readonly receiptView: (receipt: Uint8Array) => ReceiptView;
  /** What the model was given of the memory, where it was asked for. */
  readonly sources?: readonly AnswerSource[];
}

/** Answer parts as the events a page shows: `start`, `delta`s, then `finish` or `error`. Never throws; what came before an error stays. */
export async function* chatEvents(
  clock: Clock,
  parts: AsyncIterable<AnswerPart>,
  facts: ChatFacts,
): AsyncIterable<ChatEvent> {
  const startedMs = clock.elapsedMs();
  let firstMs: number | undefined;
  yield { type: 'start', model: facts.model, servedBy: facts.servedBy };
  try {
    for await (const part of parts) {
      firstMs ??= clock.elapsedMs();
      if (part.type === 'text-delta') yield { type: 'delta', text: part.text };
      if (part.type === 'finish') yield finish(clock.elapsedMs(), startedMs, firstMs, part, facts);
    }
  } catch (error) {
    yield errorEvent(error);
  }
}

export function errorEvent(error: unknown): ChatEvent {
  if (!PeerAiError.is(error))
    return { type: 'error', code: 'INTERNAL', message: 'something went wrong here; the log says what' };
  const hint = hintFor(error.code);
  return { type: 'error', code: error.code, message: error.message, ...(hint === undefined ? {} : { hint }) };
}

function finish(
  nowMs: number,
  startedMs: number,
  firstMs: number,
  part: Extract<AnswerPart, { type: 'finish' }>,
  facts: ChatFacts,
): ChatEvent {
  const { usage, servedBy } = part;
  const statement = servedBy?.statement;
  const receipt = servedBy?.receipt === undefined ? undefined : facts.receiptView(servedBy.receipt);
  const seconds = Math.max(1, nowMs - firstMs) / 1000;
  return {
    type: 'finish',
    reason: part.reason,
    promptTokens: usage.promptTokens,
    answerTokens: usage.answerTokens,
    firstTokenMs: firstMs - startedMs,
    totalMs: nowMs - startedMs,
    tokensPerSecond: usage.answerTokens / seconds,
    servedBy:
      servedBy === undefined
        ? facts.servedBy
        : {
            peerId: servedBy.peer,
            name: facts.nameOf(servedBy.peer),
            path: servedBy.path,
            ...(statement === undefined ? {} : { statement: toBase64Url(statement) }),
            ...(receipt === undefined
              ? servedBy.path === 'local'
                ? {}
                : { signed: false }
              : { signed: receipt.signedBy === 'both', receipt }),
          },
    ...(part.suggestions === undefined ? {} : { suggestions: [...part.suggestions] }),
    ...(facts.sources === undefined ? {} : { sources: [...facts.sources] }),
  };
}
