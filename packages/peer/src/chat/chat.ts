import { type Clock, type Logger, PeerAiError, type PeerId, type Sampling } from '@peerai/core-protocol';
import type { z } from 'zod';
import type { ReceiptView } from '../ledger/ledger.schema.ts';
import type { Models } from '../models/models.ts';
import type { Route, Routed } from '../models/route.ts';
import { chatEvents, errorEvent } from './chat-events.ts';
import type { ChatEvent, chatRequestSchema } from './chat.schema.ts';

export interface ChatDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly models: Models;
  /** The candidates as one model: the best first, the next when it dies before its first token. */
  readonly route: Route;
  readonly nameOf: (peer: PeerId) => string;
  readonly receiptView: (receipt: Uint8Array) => ReceiptView;
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
      let routed: Routed;
      try {
        routed = deps.route(await deps.models.candidates(name, signal));
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
      yield* chatEvents(deps.clock, model.generate({ messages }, sampling, signal), {
        model: first.card.name,
        servedBy: { peerId: first.peer, name: first.peerName, path: first.currentPath() },
        nameOf: deps.nameOf,
        receiptView: deps.receiptView,
      });
    },
  };
}
