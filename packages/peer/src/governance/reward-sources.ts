import { limits } from '../limits.ts';
import type { NodeLending } from '../lending/lending.ts';
import type { KeptCapsuleView } from '../memory/memory.schema.ts';
import type { PeerMemory } from '../memory/memory.ts';
import type { RewardSources } from './auto-rewards.ts';

/** The leases and the whole memory of a peer. */
export function rewardSources(memory: Pick<PeerMemory, 'list'>, lending: Pick<NodeLending, 'list'>): RewardSources {
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
