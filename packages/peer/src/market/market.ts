import { PeerAiError, type PeerId, serveMethod, type Store } from '@peerai/core-protocol';
import { readReceipt } from '@peerai/ledger';
import type { LeaseAccount } from '@peerai/ledger/lease';
import { mayUse } from '../pairing/devices.ts';
import type { z } from 'zod';
import type { CommonsDeps } from '../commons/commons.ts';
import type { LeasedChains } from '../ledger/accounts.ts';
import type { NodeLending } from '../lending/lending.ts';
import type { LocalModels } from '../models/local-models.ts';
import type { Models } from '../models/models.ts';
import type { Deed } from '@peerai/ledger/reputation';
import type { LeasedModels } from '../share/admission.ts';
import { accountOf, createSettlement, type PeerSettlement } from '../settlement/settlement.ts';
import { createStorage, type PeerStorage } from '../storage/storage.ts';
import { onDemand } from '../store/on-demand.ts';
import type {
  DisputeDetail,
  EvidenceView,
  leaseRequestSchema,
  MarketOffersQuestion,
  MarketOffersView,
  MarketView,
  MeteredLeaseDetail,
  offerRequestSchema,
  VerdictView,
} from './market.schema.ts';
import { marketMethod } from './market-protocol.ts';
import type { MarketRoom } from './room.ts';

export interface MarketParts {
  /** Leases of nodes: they count towards the same balances. */
  readonly nodeLending: Pick<NodeLending, 'list' | 'free'>;
  /** What this peer's own engines have. */
  readonly local: Pick<LocalModels, 'list'>;
  /** What devices let this one ask. */
  readonly models: Pick<Models, 'learn'>;
}
export type MarketDeps = Omit<CommonsDeps, 'market'> &
  MarketParts & {
    /** What a dispute came to, for what is made of a peer. */
    readonly note: (peer: PeerId, deed: Deed, id: string) => void;
    /** Before a peer gets a new lease here. Throws REPUTATION_LOW. */
    readonly admit: (peer: PeerId) => void;
  };
/** What this peer gives at a price, and what it has from others. */
export interface PeerMarket {
  view(): Promise<MarketView>;
  /** What devices that are here offer: models, storage and nodes, or one of these. */
  offers(signal: AbortSignal, question?: MarketOffersQuestion): Promise<MarketOffersView>;
  /** Throws MODEL_UNKNOWN, LIMIT_REACHED. */
  offer(wish: z.output<typeof offerRequestSchema>): Promise<MarketView>;
  /** Leases under way go on. Throws NOT_OFFERED. */
  withdraw(model: string): Promise<MarketView>;
  /**
   * Leases a model of a device. Throws DEVICE_UNKNOWN, NOT_OFFERED, PRICE_TOO_HIGH, PRICE_TOO_LOW, LIMIT_EXCEEDED, CREDIT_EXCEEDED, NOT_GRANTED,
   * SETTLEMENT_FAILED, PEER_UNREACHABLE, TIMEOUT, ABORTED.
   */
  lease(wish: z.output<typeof leaseRequestSchema>, signal: AbortSignal): Promise<MeteredLeaseDetail>;
  /** Ends a lease with what both signed; by id or its beginning. Throws LEASE_UNKNOWN, LEASE_STATE, RECEIPT_WRONG, and what a call throws. */
  settle(id: string, signal: AbortSignal): Promise<MeteredLeaseDetail>;
  /** Ends it without the other's yes, and says why with evidence. Throws LEASE_UNKNOWN, LEASE_STATE. */
  dispute(id: string, reason: string, signal: AbortSignal): Promise<DisputeDetail>;
  /** What both signed about a lease, in a file that anybody can check. Throws LEASE_UNKNOWN, LIMIT_EXCEEDED. */
  evidence(id: string, reason: string): Promise<EvidenceView>;
  /** What a file of evidence decides, counted in what is made of the two. Throws INVALID_FORMAT, LIMIT_EXCEEDED, NOT_FOUND. */
  judge(evidence: string): Promise<VerdictView>;
  /** Room for bytes. */
  readonly storage: PeerStorage;
  readonly leased: LeasedChains & LeasedModels;
  /** For leases of nodes. */
  readonly besides: (peer: PeerId) => LeaseAccount;
  readonly settlement: PeerSettlement;
  met(peer: PeerId): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What buys and sells is loaded when somebody does. */
export function createMarket(deps: MarketDeps): PeerMarket {
  const settlement = createSettlement(deps);
  const held = onDemand(async (): Promise<MarketRoom> => {
    if (deps.stopping.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openMarketRoom } = await import('./room.ts');
    return openMarketRoom({
      ...deps,
      settlement,
      beforeEnd: (lease, signal) => storage.settle(lease, signal),
      storageOffers: async (signal) => (await storage.offers(signal)).offers,
    });
  });
  const room = held.get;
  const storage = createStorage(deps, async () => (await room()).storage);
  const mayLease = (peer: PeerId): boolean => mayUse(deps.devices, peer, 'borrow');
  const serving: Disposable[] = [];
  return {
    view: async () => (await room()).view(),
    offers: async (signal, question) => (await room()).offers(signal, question),
    offer: async (wish) => (await room()).offer(wish),
    withdraw: async (model) => (await room()).withdraw(model),
    lease: async (wish, signal) => (await room()).lease(wish, signal),
    settle: async (id, signal) => (await room()).settle(id, signal),
    dispute: async (id, reason, signal) => (await room()).dispute(id, reason, signal),
    evidence: async (id, reason) => (await room()).evidence(id, reason),
    judge: async (evidence) => (await room()).judge(evidence),
    storage,
    leased: {
      chains: (provider) => held.now()?.chains(provider) ?? [],
      check(half) {
        const opened = held.now();
        if (opened === undefined || opened.covers(half)) return;
        const { lease } = readReceipt(half);
        if (opened.isLease(lease))
          throw new PeerAiError('RECEIPT_WRONG', 'this lease does not cover that answer', { field: 'lease' });
      },
      refused: async (half) => held.now()?.refused(half),
      count: (receipt) => held.now()?.count(receipt),
      isUnendorsed: (peer, model) => held.now()?.isUnendorsed(peer, model) ?? false,
      usable: (peer, model) =>
        deps.devices.get(peer)?.blocked === false ? held.now()?.usable(peer, model) : undefined,
    },
    besides: (peer) => held.now()?.account(peer) ?? accountOf(settlement.paid(peer)),
    settlement,
    met(peer) {
      held.now()?.met(peer);
      settlement.met(peer);
    },
    async start() {
      const { network, clock } = deps;
      serving.push(
        serveMethod(
          network,
          marketMethod,
          async (question, { peer }) => {
            // How a lease ends needs no right: it was agreed on when there was one.
            if ((question.kind === 'offers' || question.kind === 'lease') && !mayLease(peer))
              throw new PeerAiError('NOT_GRANTED', 'this device may not lease anything here; its owner can allow it');
            return (await room()).answer(peer, question);
          },
          { clock },
        ),
      );
      settlement.start();
      const isNeeded = await isUsed(deps.store);
      if (isNeeded || (await settlement.isUsed())) await room();
      await storage.start(isNeeded);
    },
    async stop() {
      for (const one of serving.splice(0)) one[Symbol.dispose]();
      await storage.stop();
      await (await held.settled())?.closed();
      await settlement.stop();
    },
  };
}

/** Whether something is offered, or a lease is still listed; room for bytes among it. */
async function isUsed(store: Store): Promise<boolean> {
  for await (const _ of store.room('market').range('offer/', 'offer0', { limit: 1 })) return true;
  for await (const _ of store.room('metered').range('lease/', 'lease0', { limit: 1 })) return true;
  for await (const _ of store.room('storage').range('offer/', 'offer0', { limit: 1 })) return true;
  return false;
}
