import { type LanguageModel, PeerAiError } from '@peerai/core-protocol';
import {
  type Catalogue,
  type Failures,
  rank,
  type ResolvedModel,
  type RouteCandidate,
  routedModel,
} from '@peerai/llm-bridge';
import type { PeerReputation } from '../reputation/reputation.ts';
import type { Candidate, Models } from './models.ts';

/** Several ways to ask one model, as one; `first` is the one tried first. */
export interface Routed extends ResolvedModel {
  readonly model: LanguageModel;
  readonly first: Candidate;
}
export type Route = (candidates: readonly Candidate[]) => Routed;

/**
 * The best candidate first, the next when it dies before its first token; failures are remembered for a minute. Who is refused is not asked; where
 * nobody else is there the route throws REFUSED.
 */
export function createRoute(
  failures: Failures,
  ownLoad: () => number,
  reputation: () => Pick<PeerReputation, 'now' | 'isRefused' | 'failed'>,
): Route {
  return (all) => {
    const { now, isRefused, failed } = reputation();
    const candidates = all.filter(({ peer }) => !isRefused(peer));
    const keyOf = ({ peer, card }: Pick<Candidate, 'peer' | 'card'>): string => `${peer} ${card.name}`;
    const facts = candidates.map((candidate) => ({
      ...candidate,
      candidate,
      load: candidate.local ? ownLoad() : 0,
      failures: failures.count(keyOf(candidate)),
      reputation: candidate.local ? undefined : now(candidate.peer),
    }));
    const ranked = rank(facts, { tokens: 0 }).map((one) => one.facts.candidate);
    // Nobody has a link: dialling may still reach one.
    const ordered = ranked.length > 0 ? ranked : candidates;
    const [first] = ordered;
    if (first === undefined) throw refusedHere(all);
    const keys = new Map(ordered.map((candidate) => [candidate.model, keyOf(candidate)] as const));
    const key = ({ model, peer }: RouteCandidate): string => keys.get(model) ?? peer;
    const routed = routedModel(
      ordered.map(({ model, peer, currentPath }) => ({ model, peer, path: currentPath })),
      {
        failed(candidate, error) {
          failures.note(key(candidate));
          if (candidate.path() !== 'local') failed(candidate.peer, error);
        },
        answered: (candidate) => failures.forgive(key(candidate)),
      },
    );
    return { ...routed, first };
  };
}

function refusedHere([one]: readonly Candidate[]): Error {
  if (one === undefined) return new RangeError('a route needs a candidate');
  return new PeerAiError(
    'REFUSED',
    `${one.peerName} is refused here for a while: peerai peers reputation ${one.peerName}`,
  );
}

/** The models of this peer and its devices under the gateway's names. */
export function catalogueOf(models: Models, route: Route): Catalogue {
  return {
    list: () => models.entries(),
    resolve: async (name, signal) => route(await models.candidates(name, signal)),
  };
}
