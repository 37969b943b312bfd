import { PeerAiError } from '@peerai/core-protocol';
import type { GovernanceState } from '@peerai/ledger/governance';
import { counted, creditsText } from '../words.ts';

/** What the decisions of a checked chain issued; what `holders` have adds up to it. */
export interface PointsSupply {
  readonly supplyMicro: string;
  readonly holders: number;
  readonly issues: readonly {
    readonly decision: string;
    readonly height: number;
    readonly peerId: string;
    readonly amountMicro: string;
  }[];
}

/** Throws LEDGER_DAMAGED where the points of all do not add up. */
export function supplyOf({ points, pointsIssued, decisions }: GovernanceState): PointsSupply {
  const held = [...points.values()].reduce((sum, one) => sum + one, 0n);
  if (held !== pointsIssued)
    throw new PeerAiError('LEDGER_DAMAGED', 'the points of all do not add up to what was issued');
  const issues = decisions.flatMap(({ id, height, action, result }) =>
    action.type === 'points' && result === 'accepted'
      ? [{ decision: id, height, peerId: action.to, amountMicro: `${action.amountMicro}` }]
      : [],
  );
  return { supplyMicro: `${held}`, holders: points.size, issues };
}

export function supplyText({ supplyMicro, holders, issues }: PointsSupply): string {
  return [
    `${creditsText(supplyMicro)} points were issued, and ${counted(holders, 'peer has', 'peers have')} them all.`,
    ...issues.map(
      (one) => `  ${creditsText(one.amountMicro)} by decision ${one.decision.slice(0, 12)} in block ${one.height}`,
    ),
  ].join('\n');
}
