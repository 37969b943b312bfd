import { type CryptoProvider, type EntryBody, PeerAiError, type PeerId, wire } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import type { Hasher } from '../log/merkle.ts';
import type { SignerDeps } from '../receipt/issue.ts';
import { betweenTwo } from './between-two.ts';
import { leaseLimits as limits } from './limits.ts';
import { readTwice } from './signed-twice.ts';

/** What two peers agree on before one works for the other. */
export interface LeaseTerms {
  readonly version: 1;
  readonly lender: PeerId;
  readonly borrower: PeerId;
  /** Gating nodes. */
  readonly nodes: number;
  readonly minutes: number;
  /** Micro-credits for all of it; what is not used is not paid. */
  readonly price: bigint;
  /** The borrower's wall clock. */
  readonly startMs: number;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
}
export interface OpenedLease {
  readonly terms: LeaseTerms;
  /** SHA-256 of the bytes that are signed. */
  readonly id: Uint8Array;
  readonly signedBy: 'borrower' | 'both';
}

/** The kind of a lease's entry in a log. */
export const leaseKind = 'lease';
const msPerMinute = 60_000;

const bodyCodec = wire.message({
  version: wire.uint32(1),
  lender: wire.bytes(2),
  borrower: wire.bytes(3),
  nodes: wire.uint32(4),
  minutes: wire.uint32(5),
  price: wire.uint64(6),
  startMs: wire.uint53(7),
  nonce: wire.bytes(8),
});

const form = betweenTwo<LeaseTerms, 'borrower'>({
  first: 'borrower',
  name: 'lease',
  tag: 'peerai/lease/1',
  bytesMax: limits.leaseBytesMax,
  body: bodyCodec,
  check: checkTerms,
});

/** The borrower's half. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export const offerLease = ({ identity }: Pick<SignerDeps, 'identity'>, terms: LeaseTerms): Uint8Array =>
  form.begin(identity, terms);

/** The lender's signature under the same bytes. Throws what `openLease` throws. */
export function acceptLease({ crypto, identity }: SignerDeps, half: Uint8Array): Uint8Array {
  if (openLease(crypto, half).terms.lender !== identity.peer)
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'this lease was offered to somebody else');
  return form.complete(identity, half);
}

/** With every signature it carries checked. Throws INVALID_FORMAT, INVALID_VERSION, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export function openLease(crypto: CryptoProvider, bytes: Uint8Array): OpenedLease {
  const { statement: terms, signedBy } = form.open(crypto, bytes);
  return { terms, id: leaseIdOf(crypto, bytes), signedBy };
}

/** No signature checked. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export const readLease = (bytes: Uint8Array): LeaseTerms => form.read(bytes);

export const leaseIdOf = (crypto: Hasher, lease: Uint8Array): Uint8Array =>
  crypto.sha256(readTwice(lease, limits.leaseBytesMax).body);

/** A lease with both signatures as an entry of either side's log. */
export const leaseEntry = (full: Uint8Array): EntryBody => ({ kind: leaseKind, body: full });

/** @param nodeHour - micro-credits for a node and an hour. @returns the price of a lease, rounded up to a whole micro-credit. */
export const leasePrice = (nodeHour: bigint, nodes: number, minutes: number): bigint =>
  roundedUp(nodeHour * BigInt(nodes) * BigInt(minutes), 60n);

export const leaseMs = ({ minutes }: Pick<LeaseTerms, 'minutes'>): number => minutes * msPerMinute;

/** The part of the price for so long a use, rounded up. @param heldMs - from the start to the end of the last answered run. */
export function leaseDue(terms: Pick<LeaseTerms, 'price' | 'minutes'>, heldMs: number): bigint {
  const wholeMs = leaseMs(terms);
  return roundedUp(terms.price * BigInt(Math.min(heldMs, wholeMs)), BigInt(wholeMs));
}

/** @returns the parts, in whole ones, the last one too. */
export const roundedUp = (amount: bigint, parts: bigint): bigint => (amount + parts - 1n) / parts;

function checkTerms({ lender, borrower, nodes, minutes, price, nonce }: LeaseTerms): void {
  if (lender === borrower) throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'nobody leases from himself');
  if (nodes === 0 || minutes === 0 || nonce.length !== limits.nonceBytes)
    throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'a field of the lease has an impossible value');
  const dearest = leasePrice(limits.nodeHourMicroMax, nodes, minutes);
  if (nodes > limits.nodesMax || minutes > limits.minutesMax || price > dearest)
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', 'a field of the lease is over its limit');
}
