import { fromHex, type PeerId } from '@peerai/core-protocol';
import type { RewardFacts } from '@peerai/ledger/governance';
import type { GovernanceReward } from './governance.schema.ts';

const millionths = 1_000_000;
const nothing = { quality: 0, novelty: 0, nodes: 0, heldMs: 0, performance: 0 } as const;

/** A wish in the whole numbers that a chain has. */
export function rewardFacts(wish: GovernanceReward, to: PeerId): RewardFacts {
  const facts = { ...nothing, reason: wish.reason, to, subject: fromHex(wish.subject) };
  const share = (part: number): number => Math.round(part * millionths);
  if (wish.reason === 'capsule') return { ...facts, quality: share(wish.quality), novelty: share(wish.novelty) };
  const { nodes, heldMs } = wish;
  return { ...facts, nodes, heldMs, performance: wish.reason === 'bonus' ? share(wish.performance) : 0 };
}
