import { type Clock, orAborted, PeerAiError } from '@peerai/core-protocol';
import type { Embedder } from '@peerai/nn-engine/memory';
import { limits } from '../limits.ts';

/** An engine's embedder whose engine may be away, and whose model may read less than a text has. */
export interface GuardedEmbedder extends Embedder {
  /** Why it is not used for now. */
  problem(): string | undefined;
  /** Its vectors have another length than they had: another model has its name. */
  isChanged(): boolean;
}

/** After a failure it is not asked again for a while and fails at once: what asks it compares words meanwhile. */
export function guarded(embedder: Embedder, clock: Clock): GuardedEmbedder {
  const { name, dimensions, kind } = embedder;
  let away: { readonly error: unknown; readonly untilMs: number } | undefined;
  let isChanged = false;
  return {
    name,
    dimensions,
    kind,
    isChanged: () => isChanged,
    problem() {
      if (away === undefined) return undefined;
      return `${name}: ${PeerAiError.is(away.error) ? away.error.message : 'it failed without a reason'}`;
    },
    async embed(texts, signal) {
      if (away !== undefined && clock.nowMs() < away.untilMs) throw away.error;
      try {
        const rows = await embedBeginning(embedder, texts, clock.deadline(limits.embedMs, signal));
        isChanged = rows.some((row) => row.length !== dimensions);
        away = undefined;
        return rows;
      } catch (error) {
        if (!signal.aborted && !PeerAiError.is(error, 'PROMPT_TOO_LONG'))
          away = { error, untilMs: clock.nowMs() + limits.embedderAwayMs };
        throw error;
      }
    },
  };
}

/**
 * As much of each text as the model reads: half of what it refused, until it takes it. A model for embeddings may read 256 tokens, engines refuse what is
 * longer, and some fail at it without saying why.
 */
async function embedBeginning(
  embedder: Embedder,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  try {
    return await orAborted(embedder.embed(texts, signal), signal);
  } catch (error) {
    const mayBeLong = PeerAiError.is(error, 'PROMPT_TOO_LONG') || PeerAiError.is(error, 'ENGINE_FAILED');
    if (signal.aborted || !mayBeLong || texts.every((text) => text.length <= limits.embedRefusedCharsMin)) throw error;
    const rows: Float32Array[] = [];
    for (const text of texts) {
      const one = texts.length > 1 ? text : text.slice(0, text.length / 2).toWellFormed();
      rows.push(...(await embedBeginning(embedder, [one], signal)));
    }
    return rows;
  }
}
