import { type Clock, type Logger, PeerAiError } from '@peerai/core-protocol';
import type { Memory } from '@peerai/nn-engine/memory';
import { limits } from '../limits.ts';
import type { Embedders } from './embedders.ts';

export interface EmbeddingAgainDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly memory: Pick<Memory, 'lacking' | 'embedAgain'>;
  readonly embedders: Embedders;
  readonly stopping: AbortSignal;
}

/**
 * Gives each capsule a vector of the embedder in use, and one of its words for when that is away: now, and again each time some came or an engine came back.
 * Resolves when the peer stops.
 */
export async function keepEmbedded({ clock, logger, memory, embedders, stopping }: EmbeddingAgainDeps): Promise<void> {
  while (!stopping.aborted) {
    try {
      await embedders.ready(stopping);
      for (const embedder of embedders.list.slice())
        if (memory.lacking(embedder) > 0) await memory.embedAgain(embedder, stopping);
    } catch (error) {
      // An engine that is away says so where it is asked; it is tried again.
      if (stopping.aborted) return;
      logger.debug('not-embedded-again', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
    await clock.sleep(limits.embedAgainEveryMs, stopping).catch(() => undefined);
  }
}
