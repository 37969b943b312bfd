import { type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { damaged, orDamaged } from './damaged.ts';
import { decodeEntry, type Entry } from './entry.ts';
import { leafHash, rootOf } from './merkle.ts';
import { openCheckpoint } from './note.ts';
import { decodeHead, type EntryRow, entryKey, type Head } from './rows.ts';

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
