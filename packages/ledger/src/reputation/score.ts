import type { PeerId } from '@peerai/core-protocol';
import { type Deed, deedNames, weightOf } from './deeds.ts';
import { reputationLimits as limits } from './limits.ts';
import { type Standing, unitsAt } from './standing.ts';

/** One reason of a score. All contributions of a score sum to it. */
export type ScoreLine =
  | { readonly reason: 'stranger'; readonly contribution: number }
  | {
      readonly reason: Deed;
      /** How often, ever. */
      readonly times: number;
      /** Units that still count. */
      readonly units: number;
      readonly contribution: number;
    }
  | { readonly reason: 'said'; readonly teller: PeerId; readonly contribution: number };
export interface Score {
  /** 0 to 1. */
  readonly score: number;
  readonly lines: readonly ScoreLine[];
}
/** What others' words are weighed by. */
export interface Said {
  readonly teller: PeerId;
  /** How far this peer trusts the teller: `trustIn` of its direct score. */
  readonly trust: number;
  readonly score: number;
  /** Units of evidence, good and bad, that the teller has. */
  readonly units: number;
}

/**
 * What a peer's own deeds make of it: `(r·W + G) / (W + G + B)` with r the stranger's score, W its weight, G and B the good and bad units that
 * count now. A line adds `g·(1 − r) / (W + G + B)`, or takes `b·r / (W + G + B)`.
 */
export function directScore(standing: Standing, nowMs: number): Score {
  const counted = countedUnits(standing, nowMs);
  const all = limits.priorUnits + counted.reduce((sum, [, units]) => sum + units, 0);
  const lines: ScoreLine[] = [{ reason: 'stranger', contribution: limits.strangerScore }];
  for (const [deed, units] of counted) {
    const share = weightOf(deed).side === 'good' ? 1 - limits.strangerScore : -limits.strangerScore;
    lines.push({ reason: deed, times: standing.times[deed] ?? 0, units, contribution: (units * share) / all });
  }
  return { score: lines.reduce((sum, { contribution }) => sum + contribution, 0), lines };
}

/** The direct score, moved by what others say within the bounds of `limits`. */
export function scoreOf(standing: Standing, said: readonly Said[], nowMs: number): Score {
  const direct = directScore(standing, nowMs);
  const heard = said
    .filter(({ trust }) => trust > 0)
    .map(({ teller, trust, score, units }) => {
      const sure = units / (units + limits.priorUnits);
      return { teller, shift: clip(trust * sure * (score - direct.score), limits.tellerShiftMax) };
    });
  const sum = heard.reduce((all, { shift }) => all + shift, 0);
  const most = Math.min(limits.saidShiftMax, sum > 0 ? 1 - direct.score : direct.score);
  const scale = Math.abs(sum) > most ? most / Math.abs(sum) : 1;
  const lines = heard
    .sort((a, b) => (a.teller < b.teller ? -1 : 1))
    .map(({ teller, shift }) => ({ reason: 'said' as const, teller, contribution: shift * scale }));
  const moved = lines.reduce((all, { contribution }) => all + contribution, direct.score);
  return { score: Math.min(1, Math.max(0, moved)), lines: [...direct.lines, ...lines] };
}

/** How much a peer's word weighs: 0 up to `trustFrom`, 1 at 1. @param direct - its direct score, never one that others' words are in. */
export const trustIn = (direct: number): number => Math.max(0, (direct - limits.trustFrom) / (1 - limits.trustFrom));

/** Good and bad units, capped, as an opinion says them. */
export function evidence(standing: Standing, nowMs: number): { readonly good: number; readonly bad: number } {
  let [good, bad] = [0, 0];
  for (const [deed, units] of countedUnits(standing, nowMs)) {
    if (weightOf(deed).side === 'good') good += units;
    else bad += units;
  }
  return { good, bad };
}

function countedUnits(standing: Standing, nowMs: number): readonly (readonly [Deed, number])[] {
  const now = unitsAt(standing, nowMs);
  const held = deedNames.flatMap((deed) => {
    const units = now[deed] ?? 0;
    return units > 0 ? [[deed, units] as const] : [];
  });
  const good = held.reduce((sum, [deed, units]) => sum + (weightOf(deed).side === 'good' ? units : 0), 0);
  const scale = Math.min(1, limits.counterpartyUnitsMax / good);
  return held.map(([deed, units]) => {
    if (deed === 'refused') return [deed, Math.min(units, limits.refusalUnitsMax)];
    return [deed, weightOf(deed).side === 'good' ? units * scale : units];
  });
}

const clip = (value: number, most: number): number => Math.min(most, Math.max(-most, value));
