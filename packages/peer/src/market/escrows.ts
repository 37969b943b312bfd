import { type Clock, fromHex, type Logger, PeerAiError } from '@peerai/core-protocol';
import type { EscrowTerms, Settlement } from '@peerai/ledger/market';
import type { EscrowedLease, LeaseToSettle } from './escrowed-lease.ts';
import { peerMarketLimits as limits } from './limits.ts';

/** What is locked for leases where they are settled, whatever is leased: asked when one begins and when it ends, never for an answer. */
export interface Escrows {
  /** Borrower: before the lender is asked. Throws what `Settlement.open` throws. */
  open(lease: EscrowedLease, signal: AbortSignal): Promise<void>;
  /** Lender: before it signs. In a contract it has to be there already. Throws ESCROW_STATE, and what `Settlement` throws. */
  check(lease: LeaseToSettle, signal: AbortSignal): Promise<void>;
  /** What is due is paid; where nothing is, everything goes back once the time is over. What fails is tried again by `look`. */
  close(lease: EscrowedLease, signal: AbortSignal): Promise<void>;
  /** Those that are over and not closed here yet. */
  look(leases: readonly EscrowedLease[], signal: AbortSignal): Promise<void>;
}

interface EscrowsDeps {
  readonly settlement: Settlement;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly logger: Logger;
}

export function createEscrows({ settlement, clock, logger }: EscrowsDeps): Escrows {
  const closed = new Set<string>();
  const refundMsOf = ({ endsMs }: LeaseToSettle): number => endsMs + limits.graceMs;
  const lock = async (lease: LeaseToSettle, signal: AbortSignal): Promise<void> => {
    await settlement.open(escrowTerms(lease, refundMsOf(lease)), signal);
  };
  const finish = async (lease: EscrowedLease, signal: AbortSignal): Promise<boolean> => {
    const { n, due, receipt } = lease;
    const id = fromHex(lease.id);
    if (receipt !== undefined && n > 0) {
      await settlement.settle({ lease: id, n, due, receipt }, signal);
      return true;
    }
    if (clock.nowMs() < refundMsOf(lease)) return false;
    await settlement.refund(id, signal);
    return true;
  };
  const close: Escrows['close'] = async (lease, signal) => {
    if (lease.isOpen || closed.has(lease.id)) return;
    try {
      if (await finish(lease, signal)) closed.add(lease.id);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
      // It was closed before, for another amount or by its time: what stands there stands.
      if (PeerAiError.is(error, 'ESCROW_STATE', 'NOT_FOUND')) closed.add(lease.id);
      logger.warn('escrow-not-closed', { lease: lease.id, code: error.code });
    }
  };
  return {
    open: lock,
    check: lock,
    close,
    async look(leases, signal) {
      for (const lease of leases) await close(lease, signal);
    },
  };
}

/** @param refundMs - from when on the borrower may take back what no receipt claimed. */
export function escrowTerms({ id, document, price }: LeaseToSettle, refundMs: number): EscrowTerms {
  const { lender, borrower } = document.terms;
  return { lease: fromHex(id), lender, borrower, amount: price, refundMs };
}
