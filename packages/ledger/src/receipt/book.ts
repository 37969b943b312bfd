import type { Change, Clock, CryptoProvider, Identity, PeerId, Store } from '@peerai/core-protocol';
import type { OwnLedger } from '../log/open.ts';
import { createConsumerSide } from './consumer-side.ts';
import { listReceipts, type ListOptions, type ReceiptPage, summarize, type CounterpartyTotals } from './history.ts';
import type { ExpectedFacts, UsageFacts } from './issue.ts';
import { createBell, createLocks, type Bell, type Locks } from './locks.ts';
import { createProviderSide } from './provider-side.ts';

export interface ReceiptBookDeps {
  /** A room of its own, in the same file as the ledger's: entries and rows share commits. */
  readonly store: Store;
  readonly ledger: OwnLedger;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Pick<Clock, 'nowMs' | 'deadline'>;
}
export interface SideDeps extends ReceiptBookDeps {
  readonly locks: Locks;
  readonly bell: Bell;
}

/** The receipts this peer gives and takes, and what both sides still owe each other. */
export interface ReceiptBook {
  /**
   * Provider: our half for an answer, remembered durably with `alongside` in the same commit; the same request id gets the same half while it is open.
   * Throws LIMIT_REACHED when too many halves of this chain are unsigned, LIMIT_EXCEEDED, INVALID_FORMAT.
   */
  issue(facts: UsageFacts, alongside?: readonly Change[]): Promise<Uint8Array>;
  /** Provider: true while a half of this chain is not countersigned. */
  owes(consumer: PeerId, lease: Uint8Array): Promise<boolean>;
  /** Provider: those halves, oldest first, to be sent again. */
  unsigned(consumer: PeerId, lease: Uint8Array): Promise<readonly Uint8Array[]>;
  /** Provider: receipts of this chain that are not in the log yet: halves, and full ones behind a half. `issue` refuses at its limit. */
  open(consumer: PeerId, lease: Uint8Array): Promise<number>;
  /** Provider: resolves once nothing is owed: the last signature may still be on its way. Throws the signal's reason. */
  settled(consumer: PeerId, lease: Uint8Array, signal: AbortSignal): Promise<void>;
  /**
   * Provider: takes the countersigned receipt; it is in our log when this resolves, or, where an earlier half of the chain is still open, as
   * soon as that one is signed. Safe to repeat. Throws INVALID_SIGNATURE, RECEIPT_WRONG, INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED.
   */
  complete(full: Uint8Array): Promise<void>;
  /**
   * Consumer: checks the half against what was asked, signs it, and has it in our log when it resolves. A repeated half gets the same
   * receipt. Halves of parallel answers may arrive out of order: this waits up to 5 s for the ones before.
   * Throws RECEIPT_WRONG with `details.field`, INVALID_SIGNATURE, INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED, the signal's reason.
   */
  countersign(half: Uint8Array, expected: ExpectedFacts, signal?: AbortSignal): Promise<Uint8Array>;
  /** Totals by the other peer and our side, double-signed ones apart from what is still unsigned. */
  summary(): Promise<readonly CounterpartyTotals[]>;
  /** Double-signed receipts out of our log, newest first. */
  list(options?: ListOptions): Promise<ReceiptPage>;
}

export function createReceiptBook(deps: ReceiptBookDeps): ReceiptBook {
  const side: SideDeps = { ...deps, locks: createLocks(), bell: createBell() };
  return {
    ...createProviderSide(side),
    ...createConsumerSide(side),
    summary: () => summarize(deps.store),
    list: (options) => listReceipts(deps.ledger, options),
  };
}
