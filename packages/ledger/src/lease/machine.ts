import { PeerAiError } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';

/**
 * `closing`: the nodes are given back, and a last signature or its arrival is still missing. `disputed`: the two sides do not agree on the last run;
 * what both signed before it stands.
 */
export type LeaseState = 'offered' | 'active' | 'closing' | 'settled' | 'refunded' | 'disputed';

/** A receipt's place and what it says is due. */
interface Mark {
  readonly n: number;
  readonly due: bigint;
}
/** One lease as one side sees it. */
export interface LeaseProgress {
  readonly role: 'lender' | 'borrower';
  readonly state: LeaseState;
  /** Micro-credits. */
  readonly price: bigint;
  /** Lender: the newest receipt it gave. */
  readonly issued: Mark;
  /** The newest that has both signatures here. */
  readonly signed: Mark;
  /** Borrower: the newest of them that the lender says it has. */
  readonly booked: Mark;
  /** One of the two has signed that it disputes: a receipt that comes late counts, and the lease stays disputed. */
  readonly declared?: true;
}
export type LeaseEvent =
  | { readonly type: 'accepted' }
  | ({ readonly type: 'issued' | 'signed' | 'booked' } & Mark)
  /** The time is over, or the owner or borrower ended it. */
  | { readonly type: 'ended' }
  /** Lender: the borrower signs nothing more. */
  | { readonly type: 'closed' }
  | { readonly type: 'disputed' }
  /** One side disputes with its signature. */
  | { readonly type: 'declared' };

/** Micro-credits of one lease; they add up to its price. */
export interface LeaseAmounts {
  /** Borrower: the lender has its signature for it. Lender: it has the signature. */
  readonly paid: bigint;
  /** May still become due. */
  readonly locked: bigint;
  readonly refunded: bigint;
}

const nothing: Mark = { n: 0, due: 0n };

export const offered = (price: bigint): LeaseProgress => begin('borrower', 'offered', price);
export const leased = (price: bigint): LeaseProgress => begin('lender', 'active', price);
const begin = (role: LeaseProgress['role'], state: LeaseState, price: bigint): LeaseProgress => ({
  role,
  state,
  price,
  issued: nothing,
  signed: nothing,
  booked: nothing,
});

export const isOver = ({ state }: Pick<LeaseProgress, 'state'>): boolean => state === 'settled' || state === 'refunded';

/**
 * The lease after an event. What comes twice, or late, changes nothing: messages are repeated, and either side may have ended meanwhile.
 * Throws LEASE_STATE for what cannot be so at this point, RECEIPT_WRONG for a place or an amount out of order.
 */
export function stepLease(lease: LeaseProgress, event: LeaseEvent): LeaseProgress {
  const { role, state } = lease;
  switch (event.type) {
    case 'accepted':
      if (role === 'borrower' && state === 'offered') return { ...lease, state: 'active' };
      if (state === 'active') return lease;
      break;
    case 'issued':
      if (role !== 'lender' || state !== 'active' || lease.issued.n !== lease.signed.n) break;
      return { ...lease, issued: after(lease, lease.issued, event) };
    case 'signed':
      return role === 'lender' ? signedForLender(lease, event) : signedByBorrower(lease, event);
    case 'booked':
      if (role !== 'borrower' || event.n > lease.signed.n) break;
      return event.n <= lease.booked.n ? lease : closedIfComplete({ ...lease, booked: markOf(event) });
    case 'ended':
      if (state === 'offered') return { ...lease, state: 'refunded' };
      return state === 'active' ? closedIfComplete({ ...lease, state: 'closing' }) : lease;
    case 'closed':
      if (role !== 'lender') break;
      if (isOver(lease)) return lease;
      return { ...lease, state: lease.issued.n > lease.signed.n ? 'disputed' : overState(lease) };
    case 'disputed':
      return state === 'active' || state === 'closing' ? { ...lease, state: 'disputed' } : lease;
    case 'declared':
      if (state === 'offered' || isOver(lease)) break;
      return lease.declared === true ? lease : { ...lease, state: 'disputed', declared: true };
  }
  throw new PeerAiError<LedgerErrorCode>(
    'LEASE_STATE',
    `a lease that is ${state} cannot be ${event.type === 'declared' ? 'disputed' : event.type}`,
    { state },
  );
}

export function amountsOf({ role, state, price, issued, signed, booked, declared }: LeaseProgress): LeaseAmounts {
  const isLender = role === 'lender';
  const paid = isLender ? signed.due : booked.due;
  const inDoubt = isLender && declared !== true ? issued.due : signed.due;
  const mayBecome = {
    offered: price,
    active: price,
    closing: isLender ? issued.due : signed.due,
    // With a signature under the dispute nothing is kept for a receipt that may never be signed.
    disputed: inDoubt,
    settled: paid,
    refunded: paid,
  }[state];
  return { paid, locked: mayBecome - paid, refunded: price - mayBecome };
}

/** Also in `closing` and `disputed`: a signature that comes late is a signature. */
function signedForLender(lease: LeaseProgress, event: Mark): LeaseProgress {
  if (event.n <= lease.signed.n) return lease;
  if (event.n !== lease.issued.n || event.due !== lease.issued.due) throw wrong('n', 'no such one was given');
  return closedIfComplete({ ...lease, signed: markOf(event) });
}

function signedByBorrower(lease: LeaseProgress, event: Mark): LeaseProgress {
  if (lease.state !== 'active')
    throw new PeerAiError<LedgerErrorCode>('LEASE_STATE', `a lease that is ${lease.state} is not signed for`, {
      state: lease.state,
    });
  return { ...lease, signed: after(lease, lease.signed, event) };
}

function after({ price }: LeaseProgress, before: Mark, next: Mark): Mark {
  if (next.n !== before.n + 1) throw wrong('n', `after ${before.n} comes ${before.n + 1}`);
  if (next.due < before.due || next.due > price) throw wrong('due', 'it only grows, up to the price');
  return markOf(next);
}

/** One that only waits for a signature or its arrival is over with it. */
function closedIfComplete(lease: LeaseProgress): LeaseProgress {
  const { role, state, issued, signed, booked } = lease;
  const isComplete = role === 'lender' ? signed.n === issued.n : booked.n === signed.n;
  const isEnding = state === 'closing' || (state === 'disputed' && lease.declared !== true);
  return isEnding && isComplete ? { ...lease, state: overState(lease) } : lease;
}

const overState = ({ signed }: LeaseProgress): LeaseState => (signed.n === 0 ? 'refunded' : 'settled');
const markOf = ({ n, due }: Mark): Mark => ({ n, due });
const wrong = (field: string, reason: string): PeerAiError<LedgerErrorCode> =>
  new PeerAiError('RECEIPT_WRONG', `the ${field} of this lease’s receipt is wrong: ${reason}`, { field });
