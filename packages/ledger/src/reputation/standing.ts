import { type Deed, deedNames, isProof, weightOf } from './deeds.ts';
import { reputationLimits as limits } from './limits.ts';

/** Something one peer did, as this one saw it. */
export interface ReputationEvent {
  /** The same deed has the same id. */
  readonly id: string;
  readonly deed: Deed;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
}

/** All that is kept of what a peer did: a sum for each kind of deed, as it was at `atMs`. As JSON it is a few hundred bytes. */
export interface Standing {
  readonly atMs: number;
  /** Units, halved with each half-life that went by. */
  readonly units: { readonly [deed in Deed]?: number };
  /** How often, ever. */
  readonly times: { readonly [deed in Deed]?: number };
  /** The last day anything good counted, in days since 1970, and its good units. */
  readonly day: number;
  readonly dayUnits: number;
  /** Ids of the newest proofs. */
  readonly proofs: readonly string[];
}
export const noStanding: Standing = { atMs: 0, units: {}, times: {}, day: 0, dayUnits: 0, proofs: [] };

const dayMs = 86_400_000;

/**
 * What is kept after one more deed. A deed from before `atMs` counts as of then: a clock that was set back takes nothing away.
 * A proof whose id is among those kept changes nothing.
 */
export function afterDeed(before: Standing, { id, deed, timeMs }: ReputationEvent): Standing {
  if (isProof(deed) && before.proofs.includes(id)) return before;
  const atMs = Math.max(before.atMs, timeMs);
  const { side, units } = weightOf(deed);
  const today = Math.floor(atMs / dayMs);
  const used = today === before.day ? before.dayUnits : 0;
  const counted = side === 'good' ? Math.min(units, limits.dayUnitsMax - used) : units;
  const decayed = unitsAt(before, atMs);
  return {
    atMs,
    units: { ...decayed, [deed]: (decayed[deed] ?? 0) + counted },
    times: { ...before.times, [deed]: (before.times[deed] ?? 0) + 1 },
    ...(side === 'good' ? { day: today, dayUnits: used + counted } : { day: before.day, dayUnits: before.dayUnits }),
    proofs: isProof(deed) ? [...before.proofs, id].slice(-limits.proofsKeptMax) : before.proofs,
  };
}

/** Units of each kind as they weigh at a time: `units · 2^(−age / half-life)`. */
export function unitsAt({ units, atMs }: Standing, nowMs: number): Standing['units'] {
  const ageMs = Math.max(0, nowMs - atMs);
  return Object.fromEntries(
    deedNames.flatMap((deed) => {
      const held = units[deed];
      return held === undefined ? [] : [[deed, held * 2 ** (-ageMs / weightOf(deed).halfLifeMs)]];
    }),
  );
}

/** The same for the same deeds in any order: they are taken by time, then by id, and one that is there twice counts once. */
export function standingOf(events: readonly ReputationEvent[]): Standing {
  const once = [...new Map(events.map((event) => [event.id, event])).values()];
  const ordered = once.sort((a, b) => a.timeMs - b.timeMs || (a.id < b.id ? -1 : 1));
  return ordered.reduce(afterDeed, noStanding);
}
