import { type Deed, isProof, weightOf } from './deeds.ts';
import { reputationLimits as limits } from './limits.ts';

/** A peer that gets no link and no answer for a while. */
export interface Refusal {
  /** What brought it about. */
  readonly deed: Deed;
  /** The how manieth: each takes twice as long as the one before. */
  readonly strikes: number;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export const isOver = ({ untilMs }: Refusal, nowMs: number): boolean => nowMs >= untilMs;
/** Nothing of it counts any more. */
export const isForgotten = ({ untilMs }: Refusal, nowMs: number): boolean => nowMs - untilMs >= limits.strikesKeptMs;

/**
 * The refusal that a deed leads to, if it does: a proof, or a bad deed of a peer whose score is below `refuseBelow` with it. What the owner did,
 * and what happens while it is refused anyway, leads to none.
 *
 * @param score - with the deed in it.
 */
export function refusalFor(deed: Deed, score: number, before: Refusal | undefined, nowMs: number): Refusal | undefined {
  if (before !== undefined && !isOver(before, nowMs)) return undefined;
  const isBad = weightOf(deed).side === 'bad' && deed !== 'blocked';
  if (!isProof(deed) && !(isBad && score < limits.refuseBelow)) return undefined;
  const strikes = before === undefined || isForgotten(before, nowMs) ? 1 : before.strikes + 1;
  const lengthMs = Math.min(limits.firstRefusalMs * 2 ** (strikes - 1), limits.longestRefusalMs);
  return { deed, strikes, sinceMs: nowMs, untilMs: nowMs + lengthMs };
}

/** The owner lets it in again; the next refusal is the longer one all the same. */
export const lifted = (refusal: Refusal, nowMs: number): Refusal => ({
  ...refusal,
  untilMs: Math.min(refusal.untilMs, nowMs),
});
