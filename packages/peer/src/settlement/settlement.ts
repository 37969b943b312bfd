import { PeerAiError, type PeerId, serveMethod, type Store } from '@peerai/core-protocol';
import type { LeaseAccount } from '@peerai/ledger/lease';
import type { Between } from '@peerai/ledger/market';
import type { CommonsDeps } from '../commons/commons.ts';
import type { Check } from '../doctor/doctor.schema.ts';
import type { PeerErrorCode } from '../errors.ts';
import { mayUse } from '../pairing/devices.ts';
import { onDemand } from '../store/on-demand.ts';
import type { SettlementRoom } from './room.ts';
import type { AnchoredView, DeployedView, PayoutView, SettlementView } from './settlement.schema.ts';
import { settlementMethod } from './settlement-protocol.ts';

export type SettlementDeps = Omit<CommonsDeps, 'market'>;
/** Where this peer's leases are settled. */
export interface PeerSettlement {
  /** With what the node says now, when there is one. */
  view(signal: AbortSignal): Promise<SettlementView>;
  /** Puts the escrow contract on the chain, paid by this peer. Throws SETTLEMENT_OFF, SETTLEMENT_FAILED, CREDIT_EXCEEDED. */
  deploy(signal: AbortSignal): Promise<DeployedView>;
  /** What the contract owes this peer goes to its address; nothing is sent where it is nothing. Throws SETTLEMENT_OFF, SETTLEMENT_FAILED, CREDIT_EXCEEDED. */
  payout(signal: AbortSignal): Promise<PayoutView>;
  /** This log's newest head is kept in the contract, for gas. Throws as `payout`, NOT_FOUND for an empty log. */
  anchor(signal: AbortSignal): Promise<AnchoredView>;
  /** For the doctor; nothing where no chain is configured. */
  check(): Promise<readonly Check[]>;
  /** What leases need; undefined where none is settled on a chain, now or from before. */
  room(): Promise<SettlementRoom | undefined>;
  /** What went over the chain between the two, as far as it is open: see `AllEscrows`. */
  paid(peer: PeerId): Between;
  met(peer: PeerId): void;
  /** Whether something on the chain is to be seen through. */
  isUsed(): Promise<boolean>;
  start(): void;
  stop(): Promise<void>;
}

/** The chain's part is loaded when a lease, the owner or another party asks for it; without a chain never. */
export function createSettlement(deps: SettlementDeps): PeerSettlement {
  const { chain, clock, network, devices, stopping } = deps;
  const held = onDemand(async () => {
    if (chain === undefined)
      throw new PeerAiError<PeerErrorCode>(
        'SETTLEMENT_OFF',
        'no chain is configured: set ledger.evm.rpc and ledger.evm.chain_id',
      );
    const { openSettlementRoom } = await import('./room.ts');
    return openSettlementRoom({ ...deps, chain });
  });
  const room = held.get;
  const isUsed = async (): Promise<boolean> => chain !== undefined && hasDeposits(deps.store);
  const serving: Disposable[] = [];
  return {
    async view(signal) {
      if (chain === undefined) return { v: 1, kind: 'local', chain: null };
      return (await room()).view(signal);
    },
    deploy: async (signal) => (await room()).deploy(signal),
    payout: async (signal) => (await room()).payout(signal),
    anchor: async (signal) => (await room()).anchor(signal),
    check: async () => (chain?.settles === true ? (await room()).check(stopping) : []),
    room: async () => (chain?.settles === true || (await isUsed()) ? room() : undefined),
    paid: (peer) => held.now()?.escrows.paid(peer) ?? { owes: 0n, lockedByUs: 0n, lockedByThem: 0n },
    met: (peer) => held.now()?.met(peer),
    isUsed,
    start() {
      if (chain === undefined) return;
      const one = serveMethod(
        network,
        settlementMethod,
        async (question, { peer, signal }) => {
          // An endorsement needs no right: the lease was agreed on when there was one.
          if (question.kind === 'key' && !mayUse(devices, peer, 'borrow'))
            throw new PeerAiError('NOT_GRANTED', 'this device may not lease anything here; its owner can allow it');
          return (await room()).answer(peer, question, signal);
        },
        { clock },
      );
      serving.push(one);
    },
    async stop() {
      for (const one of serving.splice(0)) one[Symbol.dispose]();
      await (await held.settled())?.closed();
    },
  };
}

/** What is between two peers, as the book of leases of nodes counts it. */
export const accountOf = ({ owes, lockedByUs, lockedByThem }: Between): LeaseAccount => ({
  paid: owes > 0n ? owes : 0n,
  earned: owes < 0n ? -owes : 0n,
  lockedByUs,
  lockedByThem,
});

async function hasDeposits(store: Store): Promise<boolean> {
  for await (const _ of store.room('chain-deposits').range('deposit/', 'deposit0', { limit: 1 })) return true;
  return false;
}
