import type { ReputationDetail, ReputationsView } from '../reputation/reputation.schema.ts';
import type { Call } from './cluster-calls.ts';

/** What this peer makes of others. */
export interface ReputationCalls {
  /** Devices, and whoever else is known for what it did. */
  reputations(signal?: AbortSignal): Promise<ReputationsView>;
  /** By name or id, with every reason. */
  reputation(peer: string, signal?: AbortSignal): Promise<ReputationDetail>;
  /** Ends a refusal. */
  letIn(peer: string): Promise<ReputationDetail>;
}

export function reputationCalls(call: Call): ReputationCalls {
  const at = (peer: string): string => `/reputation/${encodeURIComponent(peer)}`;
  return {
    reputations: (signal) => call('GET', '/reputation', undefined, signal),
    reputation: (peer, signal) => call('GET', at(peer), undefined, signal),
    letIn: (peer) => call('DELETE', `${at(peer)}/refusal`),
  };
}
