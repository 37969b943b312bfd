import { fromHex, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { createReceiptBook, type OwnLedger, type ReceiptBook } from '@peerai/ledger';
import type { EventHub } from '../events/hub.ts';
import { type Devices, leasesOf } from '../pairing/devices.ts';
import type { PeerWorld } from '../peer-world.ts';
import { type Books, createBooks, openedView } from './books.ts';
import { type LogGuard, openLogGuard } from './log-guard.ts';
import { openOwnLedger } from './own-ledger.ts';
import { modelToSign } from '../tasks/model-task.ts';
import { createSigning, type Signing } from './signing.ts';

/** Chains of receipts that leases of models have, beside those of pairings. */
export interface LeasedChains {
  /** Hex: of leases this peer has from that one. */
  chains(provider: PeerId): readonly string[];
  /** Throws RECEIPT_WRONG for a half under such a chain that its lease does not cover. */
  check(half: Uint8Array): void;
  /** A half of a receipt was wrong, and is not signed. */
  refused(half: Uint8Array): Promise<void>;
  /** A receipt got its second signature. */
  count(receipt: Uint8Array): void;
}
interface Parts {
  readonly devices: Devices;
  readonly events: EventHub;
  readonly leased: () => LeasedChains;
  /** Ends what waits to catch up. */
  readonly stopping: AbortSignal;
}

/** What this peer owes, is owed and has proven: its log, its receipts, its pen. */
export interface Accounts {
  /** This peer's own log, to state in. */
  readonly ledger: OwnLedger;
  /** The room it lies in. */
  readonly ledgerStore: Store;
  readonly guard: LogGuard;
  readonly books: Books;
  readonly receipts: ReceiptBook;
  readonly signing: Signing;
  /** Tokens of the answers whose receipts were signed since the start. */
  tokens(): number;
  /** To be told of every receipt that got its second signature. */
  signed(receipt: Uint8Array): void;
  /** A paired device said hello: what is owed to it is signed at once, not at the next answer. */
  met(peer: PeerId): void;
}

/** Throws what the store throws. */
export async function openAccounts(world: PeerWorld, { devices, events, leased, stopping }: Parts): Promise<Accounts> {
  const { identity, clock, crypto, store, network, logger } = world;
  const { ledger, ledgerStore } = await openOwnLedger(world);
  const guard = await openLogGuard({ ...world, ledger });
  const { refusal } = ledger;
  if (refusal !== undefined) logger.error('ledger-closed', { code: refusal.code, why: refusal.message });
  const receipts = createReceiptBook({ store: store.room('receipts'), ledger, identity, crypto, clock });
  const checked: ReceiptBook = {
    ...receipts,
    async countersign(half, expected, signal) {
      try {
        leased().check(half);
        return await receipts.countersign(half, expected, signal);
      } catch (error) {
        if (PeerAiError.is(error, 'RECEIPT_WRONG')) await leased().refused(half);
        throw error;
      }
    },
  };
  let tokens = 0;
  const signed = (bytes: Uint8Array): void => {
    const receipt = openedView(crypto, bytes);
    leased().count(bytes);
    tokens += receipt.answerTokens;
    events.emit({ type: 'receipt-signed', receipt });
  };
  const leases = (peer: PeerId): readonly string[] => {
    const device = devices.get(peer);
    return device === undefined ? [] : [...leasesOf(device), ...leased().chains(peer)];
  };
  const signing = createSigning({
    store,
    network,
    clock,
    receipts: checked,
    leasesOf: leases,
    modelOf: modelToSign,
    signed,
    stopping,
  });
  return {
    ledger,
    ledgerStore,
    guard,
    books: createBooks({ ...world, ledger, store: ledgerStore }),
    receipts,
    signing,
    tokens: () => tokens,
    signed,
    met(peer) {
      for (const lease of leases(peer)) signing.keepUp(peer, fromHex(lease));
    },
  };
}
