import { type CryptoProvider, PeerAiError, type Store, toBase64Url, toHex } from '@peerai/core-protocol';
import {
  openCheckpoint,
  openReceipt,
  type OwnLedger,
  type Verification,
  type VerifyAside,
  verifyLedger,
  withEntry,
} from '@peerai/ledger';
import type {
  LedgerEntries,
  LedgerEntryView,
  LedgerHead,
  LedgerProof,
  LedgerVerification,
  ReceiptView,
} from './ledger.schema.ts';
import { receiptView } from './receipt-view.ts';

export interface BooksDeps {
  readonly crypto: CryptoProvider;
  readonly verifyAside?: VerifyAside;
  readonly ledger: OwnLedger;
  /** The ledger's room, so that a check reads the file and not our memory. */
  readonly store: Store;
}

/** This peer's log for people: head, entries, a full check, offline proofs. */
export interface Books {
  /** Throws LEDGER_DAMAGED, as `entries` and `prove` do while the log is closed for it. */
  head(): Promise<LedgerHead>;
  /** Why nothing is added to the log, and what helps. */
  refusal(): PeerAiError | undefined;
  /** `from` absent: the newest `limit` entries. In order of their places. */
  entries(range: { readonly from?: number | undefined; readonly limit?: number | undefined }): Promise<LedgerEntries>;
  /** Reads everything on disk again and checks it; names the first bad entry. */
  verify(signal?: AbortSignal): Promise<LedgerVerification>;
  /** Throws NOT_IN_LOG. */
  prove(index: number): Promise<LedgerProof>;
}

export function createBooks({ crypto, verifyAside, ledger, store }: BooksDeps): Books {
  return {
    refusal: () => ledger.refusal,
    async head() {
      const { note, origin, size } = await ledger.checkpoint();
      const { root } = openCheckpoint(crypto, note);
      return { v: 1, origin, size: Number(size), root: toHex(root), note };
    },
    async entries({ from, limit = 50 }) {
      const size = Number(ledger.size);
      const start = Math.min(from ?? Math.max(0, size - limit), size);
      const end = Math.min(size, start + limit);
      const { entryView } = await import('./entry-view.ts');
      const views: LedgerEntryView[] = [];
      for await (const entry of ledger.entries(BigInt(start), BigInt(end))) views.push(entryView(crypto, entry));
      return { v: 1, size, entries: views };
    },
    async verify(signal) {
      const { createStatementChecker } = await import('./check-statements.ts');
      const { origin } = ledger;
      const found = await verifyLedger(
        { store, crypto, origin },
        {
          checkEntry: createStatementChecker(crypto, origin),
          ...(signal === undefined ? {} : { signal }),
          ...(verifyAside === undefined ? {} : { verifyAside }),
        },
      );
      return verificationView(found);
    },
    async prove(index) {
      const place = BigInt(index);
      const proof = await ledger.prove(place);
      for await (const { bytes } of ledger.entries(place, place + 1n)) {
        return proofView(proof, bytes);
      }
      throw new PeerAiError('NOT_IN_LOG', `there is no entry ${index}`);
    },
  };
}

/** Both as base64url: the proof is a file that holds the entry too. */
export function proofView(proof: Uint8Array, entry: Uint8Array): LedgerProof {
  return { v: 1, proof: toBase64Url(withEntry(proof, entry)), entry: toBase64Url(entry) };
}

/** What a check found, for people. */
export function verificationView(found: Verification): LedgerVerification {
  const { ok, size, checked, receipts, rounds, firstBad } = found;
  const bad = firstBad === undefined ? {} : { firstBad: { index: Number(firstBad.index), reason: firstBad.reason } };
  return { v: 1, ok, size: Number(size), checked: Number(checked), receipts, rounds, ...bad };
}

/** A receipt's bytes in words, its signatures checked. Throws what `openReceipt` throws. */
export function openedView(crypto: CryptoProvider, bytes: Uint8Array): ReceiptView {
  const { receipt, signedBy } = openReceipt(crypto, bytes);
  return receiptView(receipt, signedBy);
}
