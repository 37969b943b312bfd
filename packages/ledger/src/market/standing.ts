import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { leaseLimits } from '../lease/limits.ts';
import type { LeaseReceipt } from '../lease/receipt.ts';
import { leaseDue, leaseMs } from '../lease/terms.ts';
import type { LedgerErrorCode } from '../errors.ts';
import type { UsageReceipt } from '../receipt/receipt.ts';
import { type AnyReceipt, type LeaseDocument, newestOf, type Placed } from './collect.ts';
import type { OpenedEnd } from './end.ts';
import type { StorageReceipt } from './storage.ts';
import { meteredDue, meteredMs, meteredPrice } from './terms.ts';

export type StandingState = 'active' | 'settled' | 'refunded' | 'disputed';

/** What the documents of one lease say at a moment. `paid + locked + refunded` is its price. */
export interface LeaseStanding {
  /** Hex. */
  readonly id: string;
  readonly resource: 'node' | 'model' | 'storage';
  readonly lender: PeerId;
  readonly borrower: PeerId;
  readonly state: StandingState;
  readonly price: bigint;
  /** Micro-credits that the newest receipt with both signatures comes to. */
  readonly paid: bigint;
  /** May still become due. */
  readonly locked: bigint;
  readonly refunded: bigint;
  /** The place of that receipt, 0 for none. */
  readonly n: number;
  /** Some place of its chain has two receipts that both signed. */
  readonly twice: boolean;
  readonly endsMs: number;
}

/** @param nowMs - wall clock; a lease whose time is over locks nothing. */
export function standingOf(
  id: string,
  document: LeaseDocument,
  receipts: readonly Placed<AnyReceipt>[],
  ends: readonly OpenedEnd[],
  nowMs: number,
): LeaseStanding {
  const { lender, borrower, startMs } = document.terms;
  const priced = receipts.filter(({ value }) => dueOf(document, value) !== undefined);
  const { newest, twice } = newestOf(priced);
  const paid = newest === undefined ? 0n : (dueOf(document, newest.value) ?? 0n);
  const price = document.kind === 'node' ? document.terms.price : meteredPrice(document.terms);
  const endsMs = startMs + (document.kind === 'node' ? leaseMs(document.terms) : meteredMs(document.terms));
  const own = ends.filter(({ end }) => isBetween(end.by, end.other, lender, borrower));
  const agreed = own.some(({ signedBy }) => signedBy === 'both');
  const isDisputed = twice || own.some(({ end }) => end.outcome === 'disputed');
  const over = newest === undefined ? 'refunded' : 'settled';
  const isOver = agreed || nowMs >= endsMs;
  const state = agreed ? over : isDisputed ? 'disputed' : isOver ? over : 'active';
  const locked = state === 'active' ? price - paid : 0n;
  const resource = document.kind === 'node' ? 'node' : document.terms.resource;
  const refunded = price - paid - locked;
  return { id, resource, lender, borrower, state, price, paid, locked, refunded, n: newest?.n ?? 0, twice, endsMs };
}

/** What a receipt says is due under these terms; undefined where it is not theirs. */
export function dueOf(document: LeaseDocument, receipt: AnyReceipt): bigint | undefined {
  const { terms } = document;
  const [from, to] = 'provider' in receipt ? [receipt.provider, receipt.consumer] : [receipt.lender, receipt.borrower];
  if (from !== terms.lender || to !== terms.borrower) return undefined;
  if (document.kind === 'node') {
    if (!isNodeReceipt(receipt) || receipt.heldMs > leaseMs(document.terms)) return undefined;
    return receipt.due === leaseDue(document.terms, receipt.heldMs) ? receipt.due : undefined;
  }
  if (document.terms.resource === 'storage') {
    if (!isStorageReceipt(receipt)) return undefined;
    return receipt.due === meteredDue(document.terms, receipt.byteMs) ? receipt.due : undefined;
  }
  if (!isUsageReceipt(receipt) || receipt.model !== document.terms.subject) return undefined;
  return meteredDue(document.terms, tokensOf(receipt));
}

/** All tokens of a chain so far. */
export const tokensOf = (receipt: Pick<UsageReceipt, 'totalPromptTokens' | 'totalAnswerTokens'>): bigint =>
  BigInt(receipt.totalPromptTokens) + BigInt(receipt.totalAnswerTokens);

const isNodeReceipt = (receipt: AnyReceipt): receipt is LeaseReceipt => 'heldMs' in receipt;
const isStorageReceipt = (receipt: AnyReceipt): receipt is StorageReceipt => 'byteMs' in receipt;
const isUsageReceipt = (receipt: AnyReceipt): receipt is UsageReceipt => 'provider' in receipt;
const isBetween = (a: PeerId, b: PeerId, c: PeerId, d: PeerId): boolean => (a === c && b === d) || (a === d && b === c);

/** Micro-credits between two peers, as the first of them sees it. */
export interface Between {
  /** It owes the other so much; below 0 the other owes it. */
  readonly owes: bigint;
  /** May still become due from it. */
  readonly lockedByUs: bigint;
  /** May still become due to it. */
  readonly lockedByThem: bigint;
}

/** What a peer may owe another at most once this lease is agreed on, and whether that is too much. Throws CREDIT_EXCEEDED. */
export function admitLease(between: Between, role: 'lender' | 'borrower', price: bigint): void {
  const { owes, lockedByUs, lockedByThem } = between;
  const exposure = role === 'borrower' ? owes + lockedByUs : lockedByThem - owes;
  if (exposure + price <= leaseLimits.exposureMicroMax) return;
  throw new PeerAiError<LedgerErrorCode>('CREDIT_EXCEEDED', 'one of the two peers would owe the other too much', {
    owedMicro: `${exposure}`,
    priceMicro: `${price}`,
    mostMicro: `${leaseLimits.exposureMicroMax}`,
  });
}
