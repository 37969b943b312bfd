import type { LanguageModel } from '@peerai/core-protocol';
import type { Catalogue, ResolvedModel } from '@peerai/llm-bridge';
import type { Candidate, Models } from './models.ts';

/** Several ways to ask one model, as one; `first` is the one tried first. */
export interface Routed extends ResolvedModel {
  readonly model: LanguageModel;
  readonly first: Candidate;
}

export function routeTo(candidates: readonly Candidate[]): Routed {
  const [first] = candidates;
  if (first === undefined) throw new RangeError('a route needs a candidate');
  return { model: first.model, first, servedBy: () => ({ peer: first.peer, path: first.path === 'offline' ? 'relayed' : first.path }) };
}

/** The models of this peer and its devices under the gateway's names. */
export function catalogueOf(models: Models, route: (candidates: readonly Candidate[]) => Routed): Catalogue {
  return {
    list: () => models.entries(),
    resolve: async (name, signal) => route(await models.candidates(name, signal)),
  };
}
