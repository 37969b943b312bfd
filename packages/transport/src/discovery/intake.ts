import type { Clock, PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** How much each neighbour may still bring in this window: new records, or bytes. */
export interface Intake {
  /** Counts one record, or so many bytes; false, and nothing is counted, when that is more than the neighbour's share. */
  take(source: PeerId, count?: number): boolean;
  /** Neighbours counted. */
  readonly sources: number;
}

export function createIntake(clock: Clock, takenMax: number = limits.recordsTakenMax): Intake {
  const taken = new Map<PeerId, number>();
  let sinceMs = clock.elapsedMs();
  return {
    get sources() {
      return taken.size;
    },
    take(source, count = 1) {
      if (clock.elapsedMs() - sinceMs >= limits.recordsWindowMs) {
        taken.clear();
        sinceMs = clock.elapsedMs();
      }
      const before = taken.get(source) ?? 0;
      if (before + count > takenMax) return false;
      if (before === 0 && taken.size >= limits.recordSourcesMax) taken.delete(taken.keys().next().value ?? source);
      taken.set(source, before + count);
      return true;
    },
  };
}
