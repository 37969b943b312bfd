import {
  type Clock,
  fromUtf8,
  type LanguageModel,
  orAborted,
  PeerAiError,
  type Store,
  utf8,
} from '@peerai/core-protocol';
import { type Embedder, embedderOf, lexicalEmbedder, memoryLimits } from '@peerai/nn-engine/memory';
import { limits } from '../limits.ts';
import { guarded, type GuardedEmbedder } from './guarded-embedder.ts';
import type { MemoryEmbedderView } from './memory.schema.ts';

/** Who embeds, but for how far that is. */
export type EmbedderNow = Omit<MemoryEmbedderView, 'left'>;

export interface EmbeddersDeps {
  readonly clock: Clock;
  /** `auto`, `lexical` or `off`, or the name of a model. */
  readonly setting: string;
  /** On this machine alone, as what follows: it reads what is personal. */
  readonly find: (name: string, signal: AbortSignal) => Promise<LanguageModel | undefined>;
  /** Models whose engines say that they are made for embeddings, as the engines were last asked. */
  readonly offered: () => readonly LanguageModel[];
  /** Where it is written down which one `auto` chose. */
  readonly store: Store;
}
/** Who gives texts their vectors: a model, when an engine here has it, else words and spellings. */
export interface Embedders {
  /** All of them embed what is asked, the first one before the others where a capsule has vectors of several. */
  readonly list: readonly Embedder[];
  /** Looks for a model unless one is in use, and says who embeds now. Throws ABORTED. */
  ready(signal: AbortSignal): Promise<EmbedderNow>;
  /** Who embeds now, without looking for another: what a question or a text has just shown counts. */
  now(): EmbedderNow;
}

const chosenKey = 'chosen';

export function createEmbedders(deps: EmbeddersDeps): Embedders {
  const { clock, setting } = deps;
  const isAuto = setting === 'auto';
  const list: Embedder[] = [lexicalEmbedder];
  let model: GuardedEmbedder | undefined;
  let problem: string | undefined;
  /** No engine is asked before: one that hangs would hold up every question. */
  let lookAfterMs = -Infinity;
  let missingSinceMs: number | undefined;
  const now = (): EmbedderNow => {
    const why = model === undefined ? problem : model.problem();
    const { name, kind } = model !== undefined && why === undefined ? model : lexicalEmbedder;
    return { name, kind, setting, ...(why === undefined ? {} : { problem: why }) };
  };
  const use = (embedder: Embedder): void => {
    model = guarded(embedder, clock);
    problem = undefined;
    list.splice(0, list.length, model, lexicalEmbedder);
  };
  const drop = (): void => {
    model = undefined;
    list.splice(0, list.length, lexicalEmbedder);
  };
  /** Is the one that was chosen away for so long that another may take its place? */
  const isGone = (chosen: string, offered: readonly LanguageModel[]): boolean => {
    if (offered.some((one) => nameOf(one) === chosen)) missingSinceMs = undefined;
    else missingSinceMs ??= clock.nowMs();
    return missingSinceMs !== undefined && clock.nowMs() - missingSinceMs >= limits.embedderMissingMs;
  };
  /** Whose vectors are already here, else the first that is offered: engines that come and go must not have all embedded anew each time. */
  const candidates = async (): Promise<readonly LanguageModel[]> => {
    const offered = deps.offered();
    const kept = await deps.store.get(chosenKey);
    if (kept === undefined) return offered.slice(0, limits.embedderTriesMax);
    const chosen = fromUtf8(kept);
    if (isGone(chosen, offered)) {
      await deps.store.commit([deps.store.put(chosenKey)]);
      return offered.slice(0, limits.embedderTriesMax);
    }
    const same = offered.filter((one) => nameOf(one) === chosen);
    problem = same.length === 0 ? `${chosen}, which was used before, is not there` : undefined;
    return same;
  };
  const wanted = async (signal: AbortSignal): Promise<readonly LanguageModel[]> => {
    if (isAuto) return candidates();
    const found = await deps.find(setting, signal);
    if (found === undefined) throw new PeerAiError('MODEL_UNKNOWN', `no engine on this machine has ${setting}`);
    return [found];
  };
  const look = async (signal: AbortSignal): Promise<void> => {
    problem = undefined;
    for (const one of await wanted(signal)) {
      try {
        const until = clock.deadline(limits.embedderFirstMs, signal);
        // Whether or not the engine looks at the signal.
        const embedder = fits(await orAborted(embedderOf(one, until), until));
        // Two who look at the same time find the same.
        if (list[0]?.name === embedder.name) return;
        if (isAuto) await deps.store.commit([deps.store.put(chosenKey, utf8(embedder.name))]);
        use(embedder);
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        problem = `${nameOf(one)}: ${messageOf(error)}`;
        lookAfterMs = clock.nowMs() + limits.embedderAwayMs;
      }
    }
  };
  return {
    list,
    now,
    async ready(signal) {
      if (setting === 'lexical' || setting === 'off') return now();
      if (model?.isChanged() === true || (isAuto && model !== undefined && isGone(model.name, deps.offered()))) drop();
      if (model !== undefined || clock.nowMs() < lookAfterMs) return now();
      try {
        await look(signal);
      } catch (error) {
        if (signal.aborted) throw error;
        problem = messageOf(error);
      }
      return now();
    },
  };
}

const nameOf = ({ card }: Pick<LanguageModel, 'card'>): string => `${card.engine}/${card.name}`;

/** What no capsule could carry would be found out at the first text. Throws LIMIT_EXCEEDED. */
function fits(embedder: Embedder): Embedder {
  const { name, dimensions } = embedder;
  const { embedderNameBytesMax, embeddingDimensionsMax } = memoryLimits;
  if (utf8(name).length > embedderNameBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `its name has more than ${embedderNameBytesMax} bytes`);
  if (dimensions < 1 || dimensions > embeddingDimensionsMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `${dimensions} dimensions; 1 to ${embeddingDimensionsMax}`);
  return embedder;
}

const messageOf = (error: unknown): string => (PeerAiError.is(error) ? error.message : 'it failed without a reason');
