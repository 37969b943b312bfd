import { type Clock, fromHex, type Logger, PeerAiError } from '@peerai/core-protocol';
import {
  isMeteredOpen,
  meteredMs,
  meteredPrice,
  type MeteredRecord,
  type MeteredTerms,
  type Settlement,
} from '@peerai/ledger/market';
import { peerMarketLimits as limits } from './limits.ts';

/** What is locked for leases where they are settled: asked when one begins and when it ends, never for an answer. */
export interface Escrows {
  /** Borrower: before the lender is asked. Throws what `Settlement.open` throws. */
  open(lease: MeteredRecord, signal: AbortSignal): Promise<void>;
  /** Lender: before it signs. In a contract it has to be there already. Throws ESCROW_STATE, and what `Settlement` throws. */
  check(terms: MeteredTerms, id: Uint8Array, signal: AbortSignal): Promise<void>;
  /** What is due is paid; where nothing is, everything goes back once the time is over. What fails is tried again by `look`. */
  close(lease: MeteredRecord, signal: AbortSignal): Promise<void>;
  /** Those that are over and not closed here yet. */
  look(leases: readonly MeteredRecord[], signal: AbortSignal): Promise<void>;
}

interface EscrowsDeps {
  readonly settlement: Settlement;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly logger: Logger;
}

export function createEscrows({ settlement, clock, logger }: EscrowsDeps): Escrows {
  const closed = new Set<string>();
  const refundMsOf = (terms: MeteredTerms): number => terms.startMs + meteredMs(terms) + limits.graceMs;
  const termsOf = (terms: MeteredTerms, lease: Uint8Array) => {
    const { lender, borrower } = terms;
    return { lease, lender, borrower, amount: meteredPrice(terms), refundMs: refundMsOf(terms) };
  };
  const finish = async ({ id, n, due, receipt, terms }: MeteredRecord, signal: AbortSignal): Promise<boolean> => {
    const lease = fromHex(id);
    if (receipt !== undefined && n > 0) {
      await settlement.settle({ lease, n, due, receipt }, signal);
      return true;
    }
    if (clock.nowMs() < refundMsOf(terms)) return false;
    await settlement.refund(lease, signal);
    return true;
  };
  const close: Escrows['close'] = async (lease, signal) => {
    if (isMeteredOpen(lease) || closed.has(lease.id)) return;
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
    async open({ terms, id }, signal) {
      await settlement.open(termsOf(terms, fromHex(id)), signal);
    },
    async check(terms, id, signal) {
      await settlement.open(termsOf(terms, id), signal);
    },
    close,
    async look(leases, signal) {
      for (const lease of leases) await close(lease, signal);
    },
  };
}
