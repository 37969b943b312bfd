import type {
  DisputeDetail,
  EvidenceView,
  LeaseRequest,
  MarketOffersQuestion,
  MarketOffersView,
  MarketView,
  MeteredLeaseDetail,
  OfferRequest,
  VerdictView,
} from '../market/market.schema.ts';
import type { AnchoredView, DeployedView, PayoutView, SettlementView } from '../settlement/settlement.schema.ts';
import type { Call } from './cluster-calls.ts';

export interface MarketCalls {
  /** What is offered here, leases, and who owes whom. */
  market(signal?: AbortSignal): Promise<MarketView>;
  /** What devices that are here offer. */
  /** Of every kind, unless one is named. */
  marketOffers(signal?: AbortSignal, kind?: MarketOffersQuestion['kind']): Promise<MarketOffersView>;
  offerModel(request: OfferRequest): Promise<MarketView>;
  withdrawModel(model: string): Promise<MarketView>;
  leaseModel(request: LeaseRequest, signal?: AbortSignal): Promise<MeteredLeaseDetail>;
  /** By the lease's id, or by a beginning of it that no other has. */
  settleLease(id: string, signal?: AbortSignal): Promise<MeteredLeaseDetail>;
  /** Where leases are settled, with what the chain's node says now. */
  settlement(signal?: AbortSignal): Promise<SettlementView>;
  /** Puts the escrow contract on the configured chain. */
  deployContract(signal?: AbortSignal): Promise<DeployedView>;
  /** What the contract owes this peer goes to its address. */
  payOut(signal?: AbortSignal): Promise<PayoutView>;
  /** This log's newest head is kept in the contract. */
  anchorLog(signal?: AbortSignal): Promise<AnchoredView>;
  disputeLease(id: string, reason: string, signal?: AbortSignal): Promise<DisputeDetail>;
  /** What both signed about it, as a text that anybody can check. */
  leaseEvidence(id: string, reason: string): Promise<EvidenceView>;
  /** What such a text decides; it counts in what this peer makes of the two. */
  judgeEvidence(evidence: string): Promise<VerdictView>;
}

export function marketCalls(call: Call): MarketCalls {
  const lease = (id: string, verb: string): string => `/market/leases/${encodeURIComponent(id)}/${verb}`;
  return {
    market: (signal) => call('GET', '/market', undefined, signal),
    marketOffers: (signal, kind) =>
      call('GET', `/market/offers${kind === undefined ? '' : `?kind=${kind}`}`, undefined, signal),
    offerModel: (request) => call('POST', '/market/offers', request),
    withdrawModel: (model) => call('DELETE', `/market/offers/${encodeURIComponent(model)}`),
    leaseModel: (request, signal) => call('POST', '/market/leases', request, signal),
    settleLease: (id, signal) => call('POST', lease(id, 'settle'), {}, signal),
    settlement: (signal) => call('GET', '/market/settlement', undefined, signal),
    deployContract: (signal) => call('POST', '/market/settlement/contract', {}, signal),
    anchorLog: (signal) => call('POST', '/market/settlement/anchor', {}, signal),
    payOut: (signal) => call('POST', '/market/settlement/payout', {}, signal),
    disputeLease: (id, reason, signal) => call('POST', lease(id, 'dispute'), { reason }, signal),
    leaseEvidence: (id, reason) => call('POST', lease(id, 'evidence'), { reason }),
    judgeEvidence: (evidence) => call('POST', '/market/evidence', { evidence }),
  };
}
