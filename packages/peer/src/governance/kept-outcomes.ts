import type { Outcome } from '@peerai/ledger/governance';
import { governanceRoomLimits as limits } from './limits.ts';

/** What became of the entries of the newest blocks, for callers that come for it when the blocks are folded. */
export interface KeptOutcomes {
  /** Of the block after the one before: the oldest goes when all places are taken. */
  take(height: number, outcomes: readonly Outcome[]): void;
  at(height: number, index: number): Outcome | undefined;
}

export function createKeptOutcomes(): KeptOutcomes {
  const blocks = new Map<number, readonly Outcome[]>();
  return {
    take(height, outcomes) {
      blocks.set(height, outcomes);
      blocks.delete(height - limits.outcomesKept);
    },
    at: (height, index) => blocks.get(height)?.[index],
  };
}
