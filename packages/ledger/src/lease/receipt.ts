import { type CryptoProvider, type EntryBody, equalBytes, PeerAiError, type PeerId, wire } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import type { SignerDeps } from '../receipt/issue.ts';
import { betweenTwo } from './between-two.ts';
import { leaseLimits as limits } from './limits.ts';
import { leaseDue, leaseMs, type LeaseTerms } from './terms.ts';

/** Totals of one lease, from its start on. */
export interface LeaseUsage {
  /** Input vectors that went through the cluster. */
  readonly steps: number;
  /** Time the lender's processor worked on them, as the lender measured it, milliseconds. */
  readonly busyMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** SHA-256 of the cluster's saved state after them. */
  readonly stateHash: Uint8Array;
  /** What `nextWorkHash` made of each run's inputs and outputs in turn. */
  readonly workHash: Uint8Array;
}
/** What a lease came to so far; only the last one counts. */
export interface LeaseReceipt extends LeaseUsage {
  readonly version: 1;
  /** The id of the lease, 32 bytes. */
  readonly lease: Uint8Array;
  readonly lender: PeerId;
  readonly borrower: PeerId;
  /** Runs so far, from 1. */
  readonly n: number;
  /** From the start to the end of this run by the lender's clock, at most the whole lease, milliseconds. */
  readonly heldMs: number;
  /** Micro-credits: the part of the price for that time. */
  readonly due: bigint;
  /** The lender's wall clock. */
  readonly timeMs: number;
}
export interface OpenedLeaseReceipt {
  readonly receipt: LeaseReceipt;
  readonly signedBy: 'lender' | 'both';
}
/** What the borrower knows, and holds a receipt against. */
export interface ExpectedUsage {
  readonly lease: Uint8Array;
  readonly terms: LeaseTerms;
  /** The newest receipt both signed. */
  readonly previous: LeaseReceipt | undefined;
  readonly steps: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly workHash: Uint8Array;
  /** Since the lease was offered, by the borrower's clock, milliseconds. */
  readonly elapsedMs: number;
}

export const leaseReceiptKind = 'lease-receipt';
export const noWork = new Uint8Array(32);

const bodyCodec = wire.message({
  version: wire.uint32(1),
  lease: wire.bytes(2),
  lender: wire.bytes(3),
  borrower: wire.bytes(4),
  n: wire.uint32(5),
  steps: wire.uint53(6),
  busyMs: wire.uint53(7),
  bytesIn: wire.uint53(8),
  bytesOut: wire.uint53(9),
  heldMs: wire.uint53(10),
  due: wire.uint64(11),
  stateHash: wire.bytes(12),
  workHash: wire.bytes(13),
  timeMs: wire.uint53(14),
});

const form = betweenTwo<LeaseReceipt, 'lender'>({
  first: 'lender',
  name: 'receipt',
  tag: 'peerai/lease-receipt/1',
  bytesMax: limits.receiptBytesMax,
  body: bodyCodec,
  check: checkSizes,
});

/** The lender's half. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export const issueLeaseReceipt = ({ identity }: Pick<SignerDeps, 'identity'>, receipt: LeaseReceipt): Uint8Array =>
  form.begin(identity, receipt);

/**
 * The borrower's signature under the same bytes, once everything fits what it knows.
 * Throws RECEIPT_WRONG with `details.field`, and what `openLeaseReceipt` throws.
 */
export function countersignLeaseReceipt(deps: SignerDeps, half: Uint8Array, expected: ExpectedUsage): Uint8Array {
  const { receipt } = openLeaseReceipt(deps.crypto, half);
  const field = wrongField(receipt, expected);
  if (field !== undefined)
    throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', `the ${field} of this lease’s receipt is wrong`, { field });
  return form.complete(deps.identity, half);
}

/** With every signature it carries checked. Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export function openLeaseReceipt(crypto: CryptoProvider, bytes: Uint8Array): OpenedLeaseReceipt {
  const { statement: receipt, signedBy } = form.open(crypto, bytes);
  return { receipt, signedBy };
}

/** No signature checked. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export const readLeaseReceipt = (bytes: Uint8Array): LeaseReceipt => form.read(bytes);

/** A receipt with both signatures as an entry of either side's log. */
export const leaseReceiptEntry = (full: Uint8Array): EntryBody => ({ kind: leaseReceiptKind, body: full });

/** SHA-256 over the hash so far and those of the run's input and output bytes. */
export const nextWorkHash = (
  crypto: Pick<CryptoProvider, 'sha256'>,
  previous: Uint8Array | undefined,
  { inputs, outputs }: { readonly inputs: Uint8Array; readonly outputs: Uint8Array },
): Uint8Array => crypto.sha256(previous ?? noWork, crypto.sha256(inputs), crypto.sha256(outputs));

function wrongField(receipt: LeaseReceipt, expected: ExpectedUsage): keyof LeaseReceipt | undefined {
  const { terms, previous } = expected;
  if (!equalBytes(receipt.lease, expected.lease)) return 'lease';
  if (receipt.lender !== terms.lender) return 'lender';
  if (receipt.borrower !== terms.borrower) return 'borrower';
  if (receipt.n !== (previous?.n ?? 0) + 1) return 'n';
  for (const field of ['steps', 'bytesIn', 'bytesOut'] as const) if (receipt[field] !== expected[field]) return field;
  if (!equalBytes(receipt.workHash, expected.workHash)) return 'workHash';
  const { heldMs } = receipt;
  if (heldMs < (previous?.heldMs ?? 0) || heldMs > leaseMs(terms)) return 'heldMs';
  if (heldMs > expected.elapsedMs + limits.heldSlackMs) return 'heldMs';
  if (receipt.busyMs < (previous?.busyMs ?? 0) || receipt.busyMs > heldMs) return 'busyMs';
  return receipt.due === leaseDue(terms, heldMs) ? undefined : 'due';
}

function checkSizes({ lease, lender, borrower, n, stateHash, workHash, ...totals }: LeaseReceipt): void {
  if ([lease, stateHash, workHash].some(({ length }) => length !== 32) || n === 0 || lender === borrower)
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'a field of the lease’s receipt has an impossible value');
  const { steps, busyMs, bytesIn, bytesOut, heldMs } = totals;
  if (Math.max(steps, busyMs, bytesIn, bytesOut, heldMs) > limits.totalMax)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', 'a field of the lease’s receipt is over its limit');
}
