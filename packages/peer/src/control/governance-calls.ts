import type {
  GovernanceChainView,
  GovernanceChoice,
  GovernanceCreate,
  GovernanceDetail,
  GovernanceEvidenceView,
  GovernanceGroupsView,
  GovernanceHeadView,
  GovernanceLogView,
  GovernancePaidView,
  GovernancePropose,
  GovernanceReward,
  GovernanceSaidView,
  GovernanceTransfer,
  GovernanceVerifyView,
  RewardsView,
} from '../governance/governance.schema.ts';
import type { GovernanceProofView } from '../governance/log-heads.schema.ts';
import type { Call } from './cluster-calls.ts';

/** Groups that decide together. They go by id, its beginning (8 or more), or name; so do proposals by id. */
export interface GovernanceCalls {
  governance(signal?: AbortSignal): Promise<GovernanceGroupsView>;
  governanceGroup(group: string, signal?: AbortSignal): Promise<GovernanceDetail>;
  createGovernance(request: GovernanceCreate): Promise<GovernanceDetail>;
  inviteToGovernance(group: string, peer: string): Promise<GovernanceDetail>;
  joinGovernance(group: string): Promise<GovernanceDetail>;
  leaveGovernance(group: string): Promise<void>;
  /** Resolves when the group has decided that it is open. */
  proposeTo(group: string, request: GovernancePropose, signal?: AbortSignal): Promise<GovernanceSaidView>;
  voteOn(group: string, proposal: string, choice: GovernanceChoice, signal?: AbortSignal): Promise<GovernanceSaidView>;
  /** Points of this peer's own. */
  transferPoints(group: string, wish: GovernanceTransfer, signal?: AbortSignal): Promise<GovernancePaidView>;
  /** What the group's policy says for it. */
  rewardBy(group: string, wish: GovernanceReward, signal?: AbortSignal): Promise<GovernancePaidView>;
  /** What this agent gives by itself. */
  rewards(signal?: AbortSignal): Promise<RewardsView>;
  governanceLog(group: string, signal?: AbortSignal): Promise<GovernanceLogView>;
  verifyGovernance(group: string, signal?: AbortSignal): Promise<GovernanceVerifyView>;
  /** Lies of its members that the agent has proof of. */
  governanceEvidence(group: string, signal?: AbortSignal): Promise<GovernanceEvidenceView>;
  /** The newest head that the group signed. */
  governanceHead(group: string, signal?: AbortSignal): Promise<GovernanceHeadView>;
  /** An entry of this agent's log, or of another member's that is copied here, under the head that the chain has. */
  proveByGroup(group: string, index: number, origin?: string, signal?: AbortSignal): Promise<GovernanceProofView>;
  /** Blocks as they are stored, from a height on (from 1). */
  governanceChain(group: string, from: number, signal?: AbortSignal): Promise<GovernanceChainView>;
}

export function governanceCalls(call: Call): GovernanceCalls {
  const at = (group: string, rest = ''): string => `/governance/${encodeURIComponent(group)}${rest}`;
  return {
    governance: (signal) => call('GET', '/governance', undefined, signal),
    governanceGroup: (group, signal) => call('GET', at(group), undefined, signal),
    createGovernance: (request) => call('POST', '/governance', request),
    inviteToGovernance: (group, peer) => call('POST', at(group, '/members'), { peer }),
    joinGovernance: (group) => call('POST', at(group, '/join'), {}),
    leaveGovernance: (group) => call('DELETE', at(group)),
    proposeTo: (group, request, signal) => call('POST', at(group, '/proposals'), request, signal),
    voteOn: (group, proposal, choice, signal) =>
      call('POST', at(group, `/proposals/${encodeURIComponent(proposal)}/votes`), { choice }, signal),
    transferPoints: (group, wish, signal) => call('POST', at(group, '/transfers'), wish, signal),
    rewardBy: (group, wish, signal) => call('POST', at(group, '/rewards'), wish, signal),
    rewards: (signal) => call('GET', '/market/rewards', undefined, signal),
    governanceLog: (group, signal) => call('GET', at(group, '/log'), undefined, signal),
    verifyGovernance: (group, signal) => call('POST', at(group, '/verify'), {}, signal),
    governanceEvidence: (group, signal) => call('GET', at(group, '/evidence'), undefined, signal),
    governanceHead: (group, signal) => call('GET', at(group, '/head'), undefined, signal),
    proveByGroup: (group, index, origin, signal) =>
      call(
        'GET',
        at(group, `/proofs/${index}${origin === undefined ? '' : `?origin=${encodeURIComponent(origin)}`}`),
        undefined,
        signal,
      ),
    governanceChain: (group, from, signal) => call('GET', at(group, `/blocks?from=${from}`), undefined, signal),
  };
}
