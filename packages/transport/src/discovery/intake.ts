import type { Clock, PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** How many new records each neighbour may still bring in this window. */
export interface Intake {
  /** Counts one record; false when the neighbour has brought its share already. */
  take(source: PeerId): boolean;
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
    take(source) {
      if (clock.elapsedMs() - sinceMs >= limits.recordsWindowMs) {
        taken.clear();
        sinceMs = clock.elapsedMs();
      }
      const count = taken.get(source) ?? 0;
      if (count >= takenMax) return false;
      if (count === 0 && taken.size >= limits.recordSourcesMax) taken.delete(taken.keys().next().value ?? source);
      taken.set(source, count + 1);
      return true;
    },
  };
}
