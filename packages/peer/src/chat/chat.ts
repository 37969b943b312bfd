import { type Clock, type LanguageModel, type Logger, PeerAiError, type PeerId, type Sampling } from '@peerai/core-protocol';
import type { z } from 'zod';
import type { ReceiptView } from '../ledger/ledger.schema.ts';
import type { Candidate, Models } from '../models/models.ts';
import { chatEvents, errorEvent } from './chat-events.ts';
import type { ChatEvent, chatRequestSchema } from './chat.schema.ts';

export interface ChatDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly models: Models;
  /** The candidates as one model: the best first, the next when it dies before its first token. */
  readonly route: (candidates: readonly Candidate[]) => { readonly model: LanguageModel; readonly first: Candidate };
  readonly nameOf: (peer: PeerId) => string;
  readonly receiptView: (receipt: Uint8Array) => ReceiptView;
  /** System text put before a conversation that brings none. */
  readonly systemPrompt: string | undefined;
}

/** A conversation's next answer, with its evidence. */
export interface Chat {
  /** Never throws: an error is the last event, and what came before it stays. */
  ask(request: z.output<typeof chatRequestSchema>, signal: AbortSignal): AsyncIterable<ChatEvent>;
}

export function createChat(deps: ChatDeps): Chat {
  return {
    async *ask(request, signal) {
      const { model: name, messages, maxTokens, temperature, topP, seed } = request;
      let routed: ReturnType<ChatDeps['route']>;
      try {
        routed = deps.route(await deps.models.candidates(name, signal));
      } catch (error) {
        if (!PeerAiError.is(error)) deps.logger.error('chat-failed', { error: error instanceof Error ? error.message : 'unknown' });
        return yield errorEvent(error);
      }
      const { model, first } = routed;
      const sampling: Sampling = {
        maxTokens,
        ...(temperature === undefined ? {} : { temperature }),
        ...(topP === undefined ? {} : { topP }),
        ...(seed === undefined ? {} : { seed }),
      };
      const own = messages.some(({ role }) => role === 'system') || deps.systemPrompt === undefined;
      const prompt = { messages: own ? messages : [{ role: 'system' as const, text: deps.systemPrompt ?? '' }, ...messages] };
      yield* chatEvents(deps.clock, model.generate(prompt, sampling, signal), {
        model: first.card.name,
        servedBy: { peerId: first.peer, name: first.peerName, path: first.path === 'offline' ? 'relayed' : first.path },
        nameOf: deps.nameOf,
        receiptView: deps.receiptView,
      });
    },
  };
}
