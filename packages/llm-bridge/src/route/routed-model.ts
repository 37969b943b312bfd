import {
  type AnswerPart,
  type LanguageModel,
  PeerAiError,
  type PeerId,
  type Prompt,
  type Provenance,
  type Sampling,
} from '@peerai/core-protocol';
import type { ResolvedModel } from '../api/catalogue.ts';
import { llmError } from '../errors.ts';
import { reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';

/** One that can answer, best first in the list given. */
export interface RouteCandidate {
  readonly model: LanguageModel;
  readonly peer: PeerId;
  /** As the link is now. */
  readonly path: () => Provenance['path'];
}
export interface RouteWatch {
  /** It failed before its first part and was replaced, or was the last. */
  failed?(candidate: RouteCandidate, error: unknown): void;
  answered?(candidate: RouteCandidate): void;
}

/**
 * Several that can answer as one model, for one question: who fails before the first part is replaced by the next, who fails after it ends
 * the answer with its own error (PEER_LOST where it went away), and what came stays with the reader.
 *
 * `generate` and `embed` throw the error all have in common, NO_MODELS with `details.attempts` when they differ or nobody is there, and the
 * signal's reason.
 */
export function routedModel(candidates: readonly RouteCandidate[], watch: RouteWatch = {}): ResolvedModel {
  const [best] = candidates;
  if (best === undefined) throw llmError('NO_MODELS', 'nobody has this model now', { attempts: [] });
  const tried = candidates.slice(0, limits.routeTriesMax);
  let serving: RouteCandidate | undefined = tried.length === 1 ? best : undefined;
  const take = (candidate: RouteCandidate): void => {
    serving = candidate;
    watch.answered?.(candidate);
  };
  const embeds = tried.filter(({ model }) => model.embed !== undefined);
  return {
    servedBy: () => (serving === undefined ? undefined : { peer: serving.peer, path: serving.path() }),
    model: {
      specification: 1,
      card: best.model.card,
      generate: (prompt, sampling, signal) => generate(tried, watch, take, prompt, sampling, signal),
      ...(embeds.length === 0
        ? {}
        : { embed: (texts: readonly string[], signal: AbortSignal) => embed(embeds, watch, take, texts, signal) }),
      ...(best.model.warm === undefined
        ? {}
        : { warm: (signal: AbortSignal) => best.model.warm?.(signal) ?? Promise.resolve() }),
    },
  };
}

async function* generate(
  candidates: readonly RouteCandidate[],
  watch: RouteWatch,
  take: (candidate: RouteCandidate) => void,
  prompt: Prompt,
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<AnswerPart, void, undefined> {
  const errors: unknown[] = [];
  for (const candidate of candidates) {
    let begun = false;
    try {
      for await (const part of candidate.model.generate(prompt, sampling, signal)) {
        if (!begun) take(candidate);
        begun = true;
        yield part.type === 'finish' ? withProvenance(part, candidate) : part;
      }
      return;
    } catch (error) {
      if (signal.aborted) throw reasonOf(signal);
      watch.failed?.(candidate, error);
      if (begun) throw error;
      errors.push(error);
    }
  }
  throw together(candidates, errors);
}

async function embed(
  candidates: readonly RouteCandidate[],
  watch: RouteWatch,
  take: (candidate: RouteCandidate) => void,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Float32Array[]> {
  const errors: unknown[] = [];
  for (const candidate of candidates) {
    try {
      const rows = (await candidate.model.embed?.(texts, signal)) ?? [];
      take(candidate);
      return rows;
    } catch (error) {
      if (signal.aborted) throw reasonOf(signal);
      watch.failed?.(candidate, error);
      errors.push(error);
    }
  }
  throw together(candidates, errors);
}

function withProvenance(
  part: Extract<AnswerPart, { type: 'finish' }>,
  { peer, path }: RouteCandidate,
): Extract<AnswerPart, { type: 'finish' }> {
  return part.servedBy === undefined ? { ...part, servedBy: { peer, path: path() } } : part;
}

/** One error for all: theirs when they agree. */
function together(candidates: readonly RouteCandidate[], errors: readonly unknown[]): unknown {
  const codes = errors.map((error) => (PeerAiError.is(error) ? error.code : 'INTERNAL'));
  if (new Set(codes).size === 1) return errors[0];
  const attempts = candidates.map(({ peer }, index) => ({ peer, code: codes[index] }));
  return llmError('NO_MODELS', `none of ${attempts.length} could answer: ${codes.join(', ')}`, { attempts });
}
