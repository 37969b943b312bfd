import { compareUtf8, type ModelCard, type PeerId, type Provenance } from '@peerai/core-protocol';

/** What is known of one that could answer. */
export interface RouteFacts {
  readonly peer: PeerId;
  readonly card: ModelCard;
  /** `offline`: no link, and none is expected. */
  readonly path: Provenance['path'] | 'offline';
  /** Milliseconds; 0 until measured. */
  readonly roundTripMs: number;
  /** Answers running and waiting there, as far as it is known; 0 else. */
  readonly load: number;
  /** Failures within the last minute. */
  readonly failures: number;
  /** 0 to 1, as this peer sees who would answer; absent: nothing is known of anybody. */
  readonly reputation?: number | undefined;
}
export interface RouteQuestion {
  /** Prompt and answer together, estimated. */
  readonly tokens: number;
}
export interface Ranked<Facts> {
  readonly facts: Facts;
  /** Expected milliseconds until the first token, by the rule below; only their order means something. */
  readonly costMs: number;
  /** Why it stands where it stands, for people. */
  readonly reasons: readonly string[];
}

/** What each fact costs, in milliseconds of waiting. Rough figures: they order candidates, they predict nothing. */
const costsMs = {
  /** One answer before ours, on a home machine. */
  perAnswerAhead: 4_000,
  /** A relay forwards everything, and may be far from both. */
  relayed: 100,
  /** A link whose round trip nobody has measured. */
  unmeasured: 50,
  /** A model that has to be read from disk first. */
  notLoaded: 3_000,
  /** A model larger than its machine's free memory swaps. */
  doesNotFit: 15_000,
  /** It may fail again, and then its time is lost. */
  perFailure: 8_000,
  /** One that is known to break its word may do so again: what is missing to a reputation of 1 costs as a part of this. */
  noReputation: 4_000,
} as const;

/**
 * Who should answer: best first, those that cannot answer left out. Local before direct before relayed when all else is equal; then load,
 * whether the model is loaded and fits, recent failures, reputation (never of this machine, which is always asked as it is). Pure, and the same order for the same facts in any order.
 */
export function rank<Facts extends RouteFacts>(
  candidates: readonly Facts[],
  question: RouteQuestion,
): readonly Ranked<Facts>[] {
  return candidates
    .filter(({ path, card }) => path !== 'offline' && card.contextTokensMax >= question.tokens)
    .map((facts) => ({ facts, ...judge(facts) }))
    .sort(
      (a, b) =>
        a.costMs - b.costMs ||
        compareUtf8(a.facts.peer, b.facts.peer) ||
        compareUtf8(a.facts.card.name, b.facts.card.name),
    );
}

function judge({ path, roundTripMs, load, card, failures, reputation }: RouteFacts): Omit<Ranked<never>, 'facts'> {
  const marks: (readonly [number, string])[] = [pathMark(path, roundTripMs)];
  if (load > 0) marks.push([load * costsMs.perAnswerAhead, `${load} ${load === 1 ? 'answer' : 'answers'} ahead`]);
  if (!card.loaded) marks.push([costsMs.notLoaded, 'the model is not loaded']);
  if (!card.fits) marks.push([costsMs.doesNotFit, 'the model does not fit its memory']);
  if (failures > 0) marks.push([failures * costsMs.perFailure, `failed ${failures} times within a minute`]);
  if (reputation !== undefined && path !== 'local')
    marks.push([(1 - reputation) * costsMs.noReputation, `reputation ${reputation.toFixed(2)}`]);
  return { costMs: marks.reduce((sum, [ms]) => sum + ms, 0), reasons: marks.map(([, reason]) => reason) };
}

function pathMark(path: RouteFacts['path'], roundTripMs: number): readonly [number, string] {
  if (path === 'local') return [0, 'on this machine'];
  const measured = roundTripMs > 0 ? `${Math.round(roundTripMs)} ms away` : 'distance unknown';
  const ms = roundTripMs > 0 ? roundTripMs : costsMs.unmeasured;
  return path === 'direct' ? [ms, `direct link, ${measured}`] : [ms + costsMs.relayed, `${path}, ${measured}`];
}
