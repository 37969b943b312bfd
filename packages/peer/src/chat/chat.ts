import { type Clock, type Logger, PeerAiError, type PeerId, type Sampling } from '@peerai/core-protocol';
import type { z } from 'zod';
import type { ReceiptView } from '../ledger/ledger.schema.ts';
import type { Models } from '../models/models.ts';
import type { Route, Routed } from '../models/route.ts';
import type { PeerMemory } from '../memory/memory.ts';
import type { Recalled } from '../memory/recall.ts';
import { chatEvents, errorEvent } from './chat-events.ts';
import type { AnswerCheckView, ChatEvent, chatRequestSchema } from './chat.schema.ts';
import type { CheckAnswerDeps } from './check-answer.ts';
import { sourceOf, withNotes } from './notes.ts';

type Request = z.output<typeof chatRequestSchema>;

export interface ChatDeps extends CheckAnswerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly models: Models;
  readonly memory: Pick<PeerMemory, 'recall'>;
  /** The candidates as one model: the best first, the next when it dies before its first token. */
  readonly route: Route;
  readonly nameOf: (peer: PeerId) => string;
  readonly receiptView: (receipt: Uint8Array) => ReceiptView;
}

/** A conversation's next answer, with its evidence. */
export interface Chat {
  /** Never throws: an error is the last event, and what came before it stays. */
  ask(request: Request, signal: AbortSignal): AsyncIterable<ChatEvent>;
  /**
   * Asks the model of an answer that was kept with what its provider signed again; the model has to be here, with the same weights. Throws MODEL_UNKNOWN where it is not,
   * INVALID_FORMAT, INVALID_SIGNATURE, HASH_MISMATCH, LIMIT_EXCEEDED.
   */
  check(file: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<AnswerCheckView>;
}

export function createChat(deps: ChatDeps): Chat {
  return {
    check: async (...question) => (await import('./check-answer.ts')).checkAnswerHere(deps, ...question),
    async *ask(request, signal) {
      const { model: name, messages, maxTokens, temperature, topP, seed } = request;
      let routed: Routed;
      let notes: readonly Recalled[] | undefined;
      try {
        const candidates = await deps.models.candidates(name, signal);
        routed = deps.route(candidates);
        // With notes a model on this machine has no stand-in elsewhere: it is told what is personal.
        const isHere = routed.first.here;
        if (request.memory !== undefined && isHere) routed = deps.route(candidates.filter(({ here }) => here));
        notes = await notesFor(deps.memory, request, isHere, signal);
      } catch (error) {
        if (!PeerAiError.is(error))
          deps.logger.error('chat-failed', { error: error instanceof Error ? error.message : 'unknown' });
        return yield errorEvent(error);
      }
      const { model, first } = routed;
      const sampling: Sampling = {
        maxTokens,
        ...(temperature === undefined ? {} : { temperature }),
        ...(topP === undefined ? {} : { topP }),
        ...(seed === undefined ? {} : { seed }),
      };
      yield* chatEvents(deps.clock, model.generate({ messages: withNotes(messages, notes ?? []) }, sampling, signal), {
        model: first.card.name,
        servedBy: { peerId: first.peer, name: first.peerName, path: first.currentPath() },
        nameOf: deps.nameOf,
        receiptView: deps.receiptView,
        ...(notes === undefined ? {} : { sources: notes.map(sourceOf) }),
      });
    },
  };
}

/** Undefined where none are asked for. */
async function notesFor(
  memory: ChatDeps['memory'],
  { memory: wish, messages }: Request,
  isHere: boolean,
  signal: AbortSignal,
): Promise<readonly Recalled[] | undefined> {
  if (wish === undefined) return undefined;
  const text = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  if (text === '') return [];
  const audience = isHere ? 'self' : 'anyone';
  return memory.recall({ text, limit: wish.notes, tags: wish.tags, audience }, signal);
}
