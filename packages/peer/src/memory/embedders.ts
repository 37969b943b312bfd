import { type Clock, type LanguageModel, PeerAiError } from '@peerai/core-protocol';
import { type Embedder, embedderOf, lexicalEmbedder } from '@peerai/nn-engine/memory';
import { limits } from '../limits.ts';
import type { MemoryEmbedderView } from './memory.schema.ts';

export interface EmbeddersDeps {
  readonly clock: Clock;
  /** The model the configuration names; without one words and spellings are compared. */
  readonly wanted: string | undefined;
  /** On this machine alone: it reads what is personal. */
  readonly find: (name: string, signal: AbortSignal) => Promise<LanguageModel | undefined>;
}
/** Who gives texts their vectors: the model that is wanted, when an engine here has it, else words and spellings. */
export interface Embedders {
  /** The first embeds what is added, all of them what is asked. It grows once, when the wanted model is found. */
  readonly list: readonly Embedder[];
  /** Looks for the wanted model unless it was found before, and says who embeds now. Throws ABORTED. */
  ready(signal: AbortSignal): Promise<MemoryEmbedderView>;
}

export function createEmbedders({ clock, wanted, find }: EmbeddersDeps): Embedders {
  const list: Embedder[] = [lexicalEmbedder];
  let isSettled = wanted === undefined;
  const now = (): MemoryEmbedderView => {
    const { name, kind } = list[0] ?? lexicalEmbedder;
    return { name, kind };
  };
  return {
    list,
    async ready(signal) {
      if (isSettled || wanted === undefined) return now();
      try {
        const limited = clock.deadline(limits.questionMs, signal);
        const model = await find(wanted, limited);
        if (model === undefined) throw new PeerAiError('MODEL_UNKNOWN', `no engine on this machine has ${wanted}`);
        const embedder = await embedderOf(model, limited);
        // Two who look at the same time find the same.
        if (!list.some(({ name }) => name === embedder.name)) list.unshift(embedder);
        isSettled = true;
        return now();
      } catch (error) {
        if (signal.aborted || !PeerAiError.is(error)) throw error;
        return { ...now(), problem: error.message };
      }
    },
  };
}
