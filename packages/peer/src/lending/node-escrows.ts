import type { Clock, CryptoProvider, Logger, Store } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import { isOpen, type LeaseBook, type LeaseRecord, type LeaseTerms } from '@peerai/ledger/lease';
import { createLocalSettlement } from '@peerai/ledger/market';
import { createEscrows, type Escrows } from '../market/escrows.ts';
import type { PeerSettlement } from '../settlement/settlement.ts';
import { escrowedNodes, nodesToSettle } from './escrowed-nodes.ts';

export interface NodeEscrowsDeps {
  readonly store: Store;
  readonly ledger: Pick<OwnLedger, 'append'>;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settlement: Pick<PeerSettlement, 'room'>;
  readonly book: LeaseBook;
  /** Something about this lease's escrow is new. */
  readonly news: (lease: LeaseRecord) => void;
  readonly stopping: AbortSignal;
}
/** Where leases of nodes are settled: the port of every lease, with what they have of their own. */
export interface NodeEscrows {
  /** Borrower: before the lender is asked. Throws what `Escrows.open` throws. */
  open(lease: LeaseRecord, signal: AbortSignal): Promise<void>;
  /** Lender: before it signs. Throws what `Escrows.check` throws. */
  check(terms: LeaseTerms, id: string): Promise<void>;
  /** A lease has gone on: what is signed for is endorsed, what is over is settled. */
  follow(lease: LeaseRecord): Promise<void>;
  /** Lender: whether the borrower has endorsed what it got, but for a few runs. */
  isCovered(lease: string): boolean;
  /** Those that are over and whose time was not then. */
  look(): Promise<void>;
}

/** Throws what opening the chain's part throws. */
export async function openNodeEscrows(deps: NodeEscrowsDeps): Promise<NodeEscrows> {
  const { store, ledger, crypto, clock, logger, book, news, stopping } = deps;
  const settlement = createLocalSettlement({ store: store.room('settlement'), ledger, crypto, clock });
  const local = createEscrows({ settlement, clock, logger });
  const chain = await deps.settlement.room();
  const onChain = chain?.escrows.of('node', {
    local,
    find(id) {
      const found = book.get(id);
      return found === undefined ? undefined : escrowedNodes(found);
    },
    changed(id) {
      const found = book.get(id);
      if (found !== undefined) news(found);
    },
    took: async (id, receipt) => news(await book.complete(id, receipt)),
  });
  const escrows: Escrows = onChain ?? local;
  return {
    open: (lease, signal) => escrows.open(escrowedNodes(lease), signal),
    check: (terms, id) => escrows.check(nodesToSettle(terms, id), stopping),
    async follow(lease) {
      if (lease.progress.role === 'borrower') onChain?.counted(escrowedNodes(lease));
      if (!isOpen(lease)) await escrows.close(escrowedNodes(lease), stopping);
    },
    isCovered: (lease) => onChain?.isCovered(lease) !== false,
    async look() {
      const over = book.list().filter((lease) => !isOpen(lease));
      await escrows.look(over.map(escrowedNodes), stopping);
    },
  };
}
