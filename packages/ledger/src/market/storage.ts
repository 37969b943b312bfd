import { type CryptoProvider, type EntryBody, equalBytes, PeerAiError, type PeerId, wire } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { betweenTwo } from '../lease/between-two.ts';
import { leaseLimits } from '../lease/limits.ts';
import type { SignerDeps } from '../receipt/issue.ts';
import { marketLimits as limits } from './limits.ts';
import { meteredDue, meteredMs, type MeteredTerms } from './terms.ts';

/** What a lease of storage came to so far; only the last one counts. */
export interface StorageReceipt {
  readonly version: 1;
  /** The id of the lease, 32 bytes. */
  readonly lease: Uint8Array;
  readonly lender: PeerId;
  readonly borrower: PeerId;
  /** Its place, from 1. */
  readonly n: number;
  /** Bytes that are held now. */
  readonly heldBytes: number;
  /** Bytes times the milliseconds each was held, since the start. */
  readonly byteMs: bigint;
  /** Micro-credits of the lease so far. */
  readonly due: bigint;
  /** The lender's answer to the borrower's newest challenge, 32 bytes. */
  readonly proof: Uint8Array;
  /** The lender's wall clock. */
  readonly timeMs: number;
}
/** What the borrower knows, and holds a receipt against. */
export interface ExpectedStorage {
  readonly lease: Uint8Array;
  readonly terms: MeteredTerms;
  readonly previous: StorageReceipt | undefined;
  readonly heldBytes: number;
  /** What its own bytes give for the challenge. */
  readonly proof: Uint8Array;
  /** Since the receipt before, or the start, by the borrower's clock, milliseconds. */
  readonly elapsedMs: number;
}

export const storageReceiptKind = 'storage-receipt';
const bodyCodec = wire.message({
  version: wire.uint32(1),
  lease: wire.bytes(2),
  lender: wire.bytes(3),
  borrower: wire.bytes(4),
  n: wire.uint32(5),
  heldBytes: wire.uint53(6),
  byteMs: wire.uint64(7),
  due: wire.uint64(8),
  proof: wire.bytes(9),
  timeMs: wire.uint53(10),
});

const form = betweenTwo<StorageReceipt, 'lender'>({
  first: 'lender',
  name: 'receipt',
  tag: 'peerai/storage-receipt/1',
  bytesMax: limits.documentBytesMax,
  body: bodyCodec,
  check: checkSizes,
});

/** The lender's half. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export const issueStorageReceipt = ({ identity }: Pick<SignerDeps, 'identity'>, receipt: StorageReceipt): Uint8Array =>
  form.begin(identity, receipt);

/** The borrower's signature, once everything fits what it knows. Throws RECEIPT_WRONG with `details.field`, and what `openStorageReceipt` throws. */
export function countersignStorage(deps: SignerDeps, half: Uint8Array, expected: ExpectedStorage): Uint8Array {
  const { receipt } = openStorageReceipt(deps.crypto, half);
  const field = wrongField(receipt, expected);
  if (field !== undefined)
    throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', `the ${field} of this storage receipt is wrong`, { field });
  return form.complete(deps.identity, half);
}

/** With every signature it carries checked. Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export function openStorageReceipt(
  crypto: CryptoProvider,
  bytes: Uint8Array,
): { readonly receipt: StorageReceipt; readonly signedBy: 'lender' | 'both' } {
  const { statement: receipt, signedBy } = form.open(crypto, bytes);
  return { receipt, signedBy };
}

/** No signature checked. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export const readStorageReceipt = (bytes: Uint8Array): StorageReceipt => form.read(bytes);

/** A receipt with both signatures as an entry of either side's log. */
export const storageReceiptEntry = (full: Uint8Array): EntryBody => ({ kind: storageReceiptKind, body: full });

/** Where a challenge's ranges begin: each place is as likely, and nobody knows them before the nonce. */
export function challengedPlaces(
  crypto: Pick<CryptoProvider, 'sha256'>,
  nonce: Uint8Array,
  size: number,
): readonly number[] {
  return Array.from({ length: limits.challengeRanges }, (_, index) => {
    const hash = crypto.sha256(nonce, Uint8Array.of(index));
    const drawn = new DataView(hash.buffer, hash.byteOffset).getBigUint64(0);
    return Number(drawn % BigInt(Math.max(1, size)));
  });
}

/**
 * SHA-256 over the nonce and the challenged ranges. Who can say it had those bytes at hand then, here or elsewhere; a borrower that gives its bytes
 * away makes some challenges with their answers before.
 *
 * @param read - so many bytes from a place on; fewer at the end.
 */
export async function storageProof(
  crypto: Pick<CryptoProvider, 'sha256'>,
  nonce: Uint8Array,
  size: number,
  read: (place: number, length: number) => Uint8Array | Promise<Uint8Array>,
): Promise<Uint8Array> {
  const ranges: Uint8Array[] = [];
  for (const place of challengedPlaces(crypto, nonce, size))
    ranges.push(await read(place, Math.min(limits.challengeRangeBytes, size - place)));
  return crypto.sha256(nonce, ...ranges);
}

function wrongField(receipt: StorageReceipt, expected: ExpectedStorage): keyof StorageReceipt | undefined {
  const { terms, previous, heldBytes, elapsedMs } = expected;
  if (!equalBytes(receipt.lease, expected.lease)) return 'lease';
  if (receipt.lender !== terms.lender) return 'lender';
  if (receipt.borrower !== terms.borrower) return 'borrower';
  if (receipt.n !== (previous?.n ?? 0) + 1) return 'n';
  if (receipt.heldBytes !== heldBytes || heldBytes > terms.unitsMax) return 'heldBytes';
  const before = previous?.byteMs ?? 0n;
  const heldMs = Math.min(elapsedMs + leaseLimits.heldSlackMs, meteredMs(terms));
  const most = BigInt(Math.max(heldBytes, previous?.heldBytes ?? 0)) * BigInt(Math.max(0, Math.trunc(heldMs)));
  if (receipt.byteMs < before || receipt.byteMs - before > most) return 'byteMs';
  if (!equalBytes(receipt.proof, expected.proof)) return 'proof';
  return receipt.due === meteredDue(terms, receipt.byteMs) ? undefined : 'due';
}

function checkSizes({ lease, lender, borrower, n, proof, heldBytes }: StorageReceipt): void {
  if (lease.length !== 32 || proof.length !== 32 || n === 0 || lender === borrower)
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'a field of the storage receipt has an impossible value');
  if (heldBytes > limits.storedBytesMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', 'a field of the storage receipt is over its limit');
}
