import { type CryptoProvider, type EntryBody, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { judgeLease, refusedReceiptEntry } from '@peerai/ledger/market';
import { keptProofs } from '../store/kept-proofs.ts';
import { peerMarketLimits as limits } from './limits.ts';

/** Receipts that this peer would not sign, as evidence against who did. */
export interface RefusedReceipts {
  /** Kept where signatures alone convict its lender; what only this peer knows to be wrong is no evidence. @param documents - the lease, and what both signed. */
  keep(
    lease: string,
    refused: {
      readonly of: Parameters<typeof refusedReceiptEntry>[0];
      readonly lender: PeerId;
      readonly receipt: Uint8Array;
    },
    documents: readonly EntryBody[],
  ): Promise<void>;
  of(lease: string): Promise<readonly EntryBody[]>;
}

/** @param store - a room of its own. */
export function refusedReceipts(crypto: CryptoProvider, store: Store): RefusedReceipts {
  const proofs = keptProofs(store, 'refused', limits.refusedKept);
  return {
    of: (lease) => proofs.of(lease),
    async keep(lease, { of, lender, receipt }, documents) {
      const entry = refusedReceiptEntry(of, receipt);
      const { faults } = judgeLease(crypto, lease, [...documents, entry]);
      if (faults.has(lender)) await proofs.keep(lease, entry);
    },
  };
}

/** Does something that may refuse a receipt, and keeps that first. */
export async function noting<T>(work: () => Promise<T> | T, keep: () => Promise<void>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (PeerAiError.is(error, 'RECEIPT_WRONG')) await keep();
    throw error;
  }
}
