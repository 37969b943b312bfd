import { PeerAiError, type PeerId, peerIdFromPublicKey, publicKeyFromPeerId, toHex, wire } from '@peerai/core-protocol';
import { incentivePolicy } from '../incentives/policy.ts';
import { type Occasion, type Payment, paymentsFor } from '../incentives/reward.ts';
import { governanceLimits as limits } from './limits.ts';
import { refuseIf } from './refused.ts';
import type { GovernanceState } from './state.ts';

/** What a member pays for; shares are whole millionths, so that every node computes the same. */
export interface RewardFacts {
  /** `capsule`: who took it pays its author. `borrowing`: a borrower pays its lender. `bonus`: a lender gives its borrower a part back. */
  readonly reason: Payment['reason'];
  /** Is paid. */
  readonly to: PeerId;
  /** What it is about, 32 bytes: a capsule's id, a lease's id. Each is paid for once by one peer and for one reason. */
  readonly subject: Uint8Array;
  /** Of a capsule. */
  readonly quality: number;
  readonly novelty: number;
  /** Of borrowed nodes. */
  readonly nodes: number;
  readonly heldMs: number;
  readonly performance: number;
}
/** Points on the move: what a member gives of its own. */
export type PointsSaid =
  | { readonly type: 'transfer'; readonly to: PeerId; readonly amountMicro: bigint; readonly reason: string }
  /** By the policy in force at its block: the amount is nobody's to say. */
  | { readonly type: 'reward'; readonly reward: RewardFacts };

const millionths = 1_000_000;
const rewardForm = wire.message({
  reason: wire.oneOf(1, ['capsule', 'borrowing', 'bonus']),
  to: wire.bytes(2),
  subject: wire.bytes(3),
  quality: wire.uint32(4),
  novelty: wire.uint32(5),
  nodes: wire.uint32(6),
  heldMs: wire.uint53(7),
  performance: wire.uint32(8),
});
export const rewardCodec = {
  encode(reward: RewardFacts): Uint8Array {
    checkReward(reward);
    return rewardForm.encode({ ...reward, to: publicKeyFromPeerId(reward.to) });
  },
  decode(bytes: Uint8Array): RewardFacts {
    const { to, ...rest } = rewardForm.decode(bytes);
    const reward = { ...rest, to: peerIdFromPublicKey(to) };
    checkReward(reward);
    return reward;
  },
};

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function checkTransfer({ amountMicro, reason }: Extract<PointsSaid, { type: 'transfer' }>): void {
  if (amountMicro === 0n) throw new PeerAiError('INVALID_FORMAT', 'no points are no transfer');
  if (amountMicro > limits.pointsMicroMax || reason.length > limits.reasonCharsMax)
    throw new PeerAiError('LIMIT_EXCEEDED', 'a field of this transfer is over its limit');
}
function checkReward({ subject, quality, novelty, performance }: RewardFacts): void {
  if (subject.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'the id of what is paid for has 32 bytes');
  if (Math.max(quality, novelty, performance) > millionths)
    throw new PeerAiError('LIMIT_EXCEEDED', 'a share is at most a million millionths');
}

/** The state with points moved; what the author has not got, or has paid for before, it cannot give. */
export function movePoints(state: GovernanceState, author: PeerId, said: PointsSaid): GovernanceState {
  if (said.type === 'transfer') return moved(state, author, said.to, said.amountMicro);
  const { reward } = said;
  const key = `${author}/${reward.reason}/${toHex(reward.subject)}`;
  refuseIf(state.rewarded.includes(key), 'REWARDED');
  const amount = rewardOf(state.policy, author, reward);
  refuseIf(amount === 0n, 'NO_EFFECT');
  const rewarded = [...state.rewarded, key].slice(-limits.rewardsKept);
  return { ...moved(state, author, reward.to, amount), rewarded };
}

/** Micro-points that a member pays for this under these rules. */
export function rewardOf(policy: GovernanceState['policy'], author: PeerId, reward: RewardFacts): bigint {
  const payments = paymentsFor(incentivePolicy(policy), occasionOf(author, reward));
  return payments.find(({ from, reason }) => from === author && reason === reward.reason)?.micro ?? 0n;
}

function occasionOf(
  author: PeerId,
  { reason, to, quality, novelty, nodes, heldMs, performance }: RewardFacts,
): Occasion {
  const share = (part: number): number => part / millionths;
  if (reason === 'capsule')
    return { type: 'capsule', author: to, taker: author, quality: share(quality), novelty: share(novelty) };
  if (reason === 'borrowing') return { type: 'borrowing', lender: to, borrower: author, nodes, heldMs };
  return { type: 'borrowing', lender: author, borrower: to, nodes, heldMs, performance: share(performance) };
}

function moved(state: GovernanceState, from: PeerId, to: PeerId, amount: bigint): GovernanceState {
  const has = state.points.get(from) ?? 0n;
  refuseIf(from === to, 'NO_EFFECT');
  refuseIf(has < amount, 'NO_POINTS');
  const points = new Map(state.points).set(from, has - amount);
  // Who has none takes no place.
  if (has === amount) points.delete(from);
  refuseIf(points.size >= limits.holdersMax && !points.has(to), 'LIMIT_REACHED');
  return { ...state, points: points.set(to, (points.get(to) ?? 0n) + amount) };
}
