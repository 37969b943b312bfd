import { limits } from '../limits.ts';
import type { NodeLending } from '../lending/lending.ts';
import type { KeptCapsuleView } from '../memory/memory.schema.ts';
import type { PeerMemory } from '../memory/memory.ts';
import type { RewardSources } from './auto-rewards.ts';

/** Where what this peer had from others stands. */
export interface RewardedRooms {
  readonly memory: Pick<PeerMemory, 'list'>;
  readonly lending: Pick<NodeLending, 'list'>;
}

/** All of it. */
export function rewardSources({ memory, lending }: RewardedRooms): RewardSources {
  return {
    leases: async () => (await lending.list()).leases,
    async capsules() {
      const all: KeptCapsuleView[] = [];
      for (let after: string | undefined; ;) {
        const page = await memory.list({ limit: limits.memoryPageMax, ...(after === undefined ? {} : { after }) });
        all.push(...page.capsules);
        if (page.next === undefined) return all;
        after = page.next;
      }
    },
  };
}
