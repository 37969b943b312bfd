import type {
  BorrowRequest,
  LeaseDetail,
  LeasesView,
  LendingView,
  LendRequest,
  NodeDispute,
  NodesView,
} from '../lending/lending.schema.ts';
import type { EvidenceView } from '../market/market.schema.ts';

/** Nodes lent and borrowed. */
export interface LendingClient {
  /** Devices that lend to this one, with what they measured of themselves. */
  freeNodes(signal?: AbortSignal): Promise<NodesView>;
  lending(signal?: AbortSignal): Promise<LendingView>;
  lend(request: LendRequest): Promise<LendingView>;
  stopLending(): Promise<LendingView>;
  leases(signal?: AbortSignal): Promise<LeasesView>;
  /** By its id, or by a beginning of it that no other has. */
  lease(id: string, signal?: AbortSignal): Promise<LeaseDetail>;
  /** Gives borrowed nodes back, or takes lent ones back. */
  giveBackNodes(id: string): Promise<LeaseDetail>;
  /** Ends it without the other's yes; the evidence is a text that anybody can check. */
  disputeNodes(id: string, reason: string): Promise<NodeDispute>;
  nodeEvidence(id: string, reason: string): Promise<EvidenceView>;
  /** Resolves when the work is done; ending the signal ends the lease. */
  borrow(request: BorrowRequest, signal?: AbortSignal): Promise<LeaseDetail>;
}

type Json = <T>(method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<T>;

export const lendingClient = (json: Json): LendingClient => ({
  freeNodes: (signal) => json('GET', '/nodes', undefined, signal),
  lending: (signal) => json('GET', '/nodes/lending', undefined, signal),
  lend: (request) => json('POST', '/nodes/lending', request),
  stopLending: () => json('DELETE', '/nodes/lending'),
  leases: (signal) => json('GET', '/leases', undefined, signal),
  lease: (id, signal) => json('GET', `/leases/${encodeURIComponent(id)}`, undefined, signal),
  giveBackNodes: (id) => json('POST', `/leases/${encodeURIComponent(id)}/end`, {}),
  disputeNodes: (id, reason) => json('POST', `/leases/${encodeURIComponent(id)}/dispute`, { reason }),
  nodeEvidence: (id, reason) => json('POST', `/leases/${encodeURIComponent(id)}/evidence`, { reason }),
  borrow: (request, signal) => json('POST', '/leases', request, signal),
});
