import { type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { createReceiptChecker, type ReceiptChecker } from '../receipt/chain.ts';
import { receiptKind } from '../receipt/receipt.ts';
import { damaged, orDamaged } from './damaged.ts';
import { decodeEntry, type Entry, noPrevious } from './entry.ts';
import { appendLeaf, type CompactRange, emptyRange, leafHash, rootOf } from './merkle.ts';
import { openCheckpoint } from './note.ts';
import { decodeHead, type EntryRow, entryKey, type Head } from './rows.ts';
import { checkTrainingRound, trainingRoundKind } from './training-round.ts';

export interface Verification {
  readonly ok: boolean;
  /** Entries that the checkpoint speaks of; 0 where it could not be read. */
  readonly size: bigint;
  /** Entries found good, one after another from the first. */
  readonly checked: bigint;
  /** Double-signed receipts among them. */
  readonly receipts: number;
  /** Rounds of training runs among them. */
  readonly rounds: number;
  readonly firstBad?: { readonly index: bigint; readonly reason: string };
}
export interface VerifyOptions {
  /** Called after each 256 entries and at the end. */
  readonly onProgress?: (checked: bigint, size: bigint) => void;
  readonly signal?: AbortSignal;
  /** Checks signatures elsewhere than in this thread; absent, each is checked here in its turn. */
  readonly verifyAside?: VerifyAside;
  /** What an entry of another kind says, to who knows that kind: its PeerAiError makes the entry the first bad one. In order, each after its own checks. */
  readonly checkEntry?: (entry: Entry) => void;
}

export interface Signed {
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
  readonly publicKey: Uint8Array;
}
/** Whether all of these hold, by the very rule of `crypto.ed25519.verify`. Never rejects. */
export type VerifyAside = (signed: readonly Signed[]) => Promise<boolean>;

/** How far a check has come. */
export interface Progress {
  range: CompactRange;
  previous: Uint8Array;
  readonly receipts: ReceiptChecker;
  readonly origin: PeerId;
  rounds: number;
}
export const startProgress = (crypto: CryptoProvider, origin: PeerId): Progress => ({
  range: emptyRange,
  previous: noPrevious,
  receipts: createReceiptChecker(crypto, origin),
  origin,
  rounds: 0,
});

/** The entry's own statements: whose log, which place, what it follows. Throws LEDGER_DAMAGED naming it. */
export function checkEntry(
  bytes: Uint8Array,
  expected: { readonly index: bigint; readonly previous: Uint8Array; readonly origin: PeerId },
): Entry {
  const { index, previous, origin } = expected;
  const entry = orDamaged(index, () => decodeEntry(bytes));
  if (entry.origin !== origin || entry.seq !== index) throw damaged(index, 'it names another log or another place');
  if (!equalBytes(entry.previous, previous)) throw damaged(index, 'it does not follow the entry before it');
  return entry;
}

/** The same for a stored row: its key and its stored hash too. */
export function checkRow(
  crypto: CryptoProvider,
  key: string,
  row: EntryRow,
  expected: { readonly index: bigint; readonly previous: Uint8Array; readonly origin: PeerId },
): Entry {
  const { index } = expected;
  if (key !== entryKey(index)) throw damaged(index, 'the entry is missing');
  if (!equalBytes(row.leaf, leafHash(crypto, row.bytes))) throw damaged(index, 'its bytes do not fit its hash');
  return checkEntry(row.bytes, expected);
}

/** Counts an entry as good, its receipt or round too. Throws LEDGER_DAMAGED when that is not. */
export function advance(crypto: CryptoProvider, progress: Progress, entry: Entry, leaf: Uint8Array): void {
  if (entry.kind === receiptKind) orDamaged(entry.seq, () => progress.receipts.take(entry.body));
  if (entry.kind === trainingRoundKind) {
    orDamaged(entry.seq, () => checkTrainingRound(crypto, entry.body, progress.origin));
    progress.rounds += 1;
  }
  progress.range = appendLeaf(crypto, progress.range, leaf);
  progress.previous = leaf;
}

/** A head whose checkpoint is signed and says the same. `index` is what damage is reported as. Throws LEDGER_DAMAGED, NOT_OUR_LOG. */
export function checkHead(crypto: CryptoProvider, value: Uint8Array, origin: PeerId, index: bigint): Head {
  const head = orDamaged(index, () => decodeHead(value));
  const signed = orDamaged(index, () => openCheckpoint(crypto, head.note));
  if (signed.origin !== origin) {
    throw new PeerAiError('NOT_OUR_LOG', `this log belongs to ${signed.origin}`, { origin: signed.origin });
  }
  if (signed.size !== head.size || !equalBytes(signed.root, rootOf(crypto, { size: head.size, hashes: head.range }))) {
    throw damaged(index, 'the head is not what the checkpoint says');
  }
  return head;
}
