import { limits } from '../limits.ts';

/** What pings and openings say of one link. */
export interface PathQuality {
  /** A ping came back. */
  measured(roundTripMs: number): void;
  /** A channel was opened over it, or could not be. */
  tried(worked: boolean): void;
  /** Within this an answer is due: the smoothed round trip and four times its variation; 0 until measured. */
  readonly answerMs: number;
  /** To compare links by: what a round trip takes with what varies and what is lost; without a bound until measured. */
  readonly costMs: number;
}

/** Round trip and variation as TCP keeps them (RFC 6298, section 2), with loss as a share of the last tries. */
export function createPathQuality(): PathQuality {
  let smoothedMs = 0;
  let variationMs = 0;
  let loss = 0;
  return {
    measured(roundTripMs) {
      if (smoothedMs === 0) {
        smoothedMs = roundTripMs;
        variationMs = roundTripMs / 2;
        return;
      }
      variationMs += (Math.abs(smoothedMs - roundTripMs) - variationMs) / 4;
      smoothedMs += (roundTripMs - smoothedMs) / 8;
    },
    tried(worked) {
      loss += ((worked ? 0 : 1) - loss) / 4;
    },
    get answerMs() {
      return smoothedMs + 4 * variationMs;
    },
    get costMs() {
      if (smoothedMs === 0) return Number.POSITIVE_INFINITY;
      return (smoothedMs + variationMs) / (1 - Math.min(loss, 0.9));
    },
  };
}

/** How long a channel may take to open on a link whose answers take so long, milliseconds: negotiation, exchange and yes are up to four round trips. */
export const openingMs = (answerMs: number): number =>
  Math.min(limits.openOnLinkMsMax, Math.max(limits.openOnLinkMs, 4 * answerMs));

/** Ticks of the heartbeat that such a link gets beyond those of a near one, before silence means that nobody is there. */
export const lateTicks = (answerMs: number): number =>
  Math.min(limits.lateTicksMax, Math.floor((2 * answerMs) / limits.heartbeatTickMs));

/** One that can be compared with others to the same peer. */
export interface Candidate {
  readonly id: string;
  /** Lower goes before all of a higher one, whatever they cost. */
  readonly rank: number;
  readonly costMs: number;
}

/** Best first. One that was in use stays the first until another of its rank is clearly better: two that are about alike would take turns. */
export function inOrder<Link extends Candidate>(links: readonly Link[], usedId: string | undefined): Link[] {
  // Two that were not measured are alike.
  const sorted = links.toSorted((a, b) => a.rank - b.rank || (a.costMs === b.costMs ? 0 : a.costMs - b.costMs));
  const [best] = sorted;
  const used = sorted.find(({ id }) => id === usedId);
  if (best === undefined || used === undefined || used === best || used.rank !== best.rank) return sorted;
  const isClear = best.costMs < used.costMs * limits.betterShare && used.costMs - best.costMs > limits.betterMs;
  return isClear ? sorted : [used, ...sorted.filter((link) => link !== used)];
}
