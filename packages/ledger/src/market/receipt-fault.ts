import { toHex } from '@peerai/core-protocol';
import { leaseDue, leaseMs } from '../lease/terms.ts';
import type { LeaseDocument } from './collect.ts';
import type { SignedByLender } from './refused-receipt.ts';
import { tokensOf } from './standing.ts';
import { meteredDue } from './terms.ts';

/** How a receipt's own bytes speak against who signed it, beside the terms and what both signed before. */
export type ReceiptFault =
  /** It names this lease, and another borrower or model than the lease has. */
  | 'receipt-foreign'
  /** What is due is not what the terms make of its time or bytes. */
  | 'receipt-amount'
  /** More tokens, or bytes at once, than the lease covers. */
  | 'receipt-over'
  /** A total is smaller than in a receipt of an earlier place, which it signed too. */
  | 'receipt-back';

/**
 * Whether a receipt is wrong by signatures alone: that of its lender under it, and both under the terms and under receipts before it. What only the borrower
 * knows, such as what it asked, is proof of nothing to others; so is a receipt of another lease.
 *
 * @param lease - the lease's id, hex.
 * @param before - receipts of the same lease that both signed, by its terms.
 */
export function receiptFault(
  lease: string,
  document: LeaseDocument,
  signed: SignedByLender,
  before: readonly { readonly n: number }[],
): ReceiptFault | undefined {
  const { lender, borrower } = document.terms;
  const of = document.kind === 'node' ? 'node' : document.terms.resource;
  const { receipt } = signed;
  const [from, to] = 'provider' in receipt ? [receipt.provider, receipt.consumer] : [receipt.lender, receipt.borrower];
  if (signed.of !== of || from !== lender || toHex(receipt.lease) !== lease) return undefined;
  if (to !== borrower) return 'receipt-foreign';
  if (signed.of === 'model' && 'subject' in document.terms && signed.receipt.model !== document.terms.subject)
    return 'receipt-foreign';
  if (isOver(document, signed)) return 'receipt-over';
  if (!isByTerms(document, signed)) return 'receipt-amount';
  const names = totals[signed.of] as readonly string[];
  const isBack = before.some(
    ({ n, ...earlier }) => n < receipt.n && names.some((name) => isLess(receipt, earlier, name)),
  );
  return isBack ? 'receipt-back' : undefined;
}

/** What only grows along the places of a lease. */
const totals = {
  model: ['totalPromptTokens', 'totalAnswerTokens'],
  storage: ['byteMs', 'due'],
  node: ['steps', 'busyMs', 'bytesIn', 'bytesOut', 'heldMs', 'due'],
} as const satisfies {
  readonly [Of in SignedByLender['of']]: readonly (keyof Extract<SignedByLender, { readonly of: Of }>['receipt'])[];
};

function isLess(later: object, earlier: object, name: string): boolean {
  const [after, was] = [later, earlier].map((one) => (one as Readonly<Record<string, number | bigint>>)[name]);
  return after !== undefined && was !== undefined && after < was;
}

function isOver(document: LeaseDocument, { of, receipt }: SignedByLender): boolean {
  if (document.kind === 'node' || of === 'node') return false;
  const { unitsMax } = document.terms;
  return of === 'model' ? tokensOf(receipt) > BigInt(unitsMax) : receipt.heldBytes > unitsMax;
}

function isByTerms(document: LeaseDocument, { of, receipt }: SignedByLender): boolean {
  if (document.kind === 'node')
    return (
      of === 'node' &&
      receipt.heldMs <= leaseMs(document.terms) &&
      receipt.due === leaseDue(document.terms, receipt.heldMs)
    );
  // What answers come to follows from their tokens; nothing about it is said in a receipt.
  return of !== 'storage' || receipt.due === meteredDue(document.terms, receipt.byteMs);
}
