import { leaseMs, type LeaseRecord, type LeaseTerms, signedReceipt } from '@peerai/ledger/lease';
import type { EscrowedLease, LeaseToSettle } from '../market/escrowed-lease.ts';

export const nodesToSettle = (terms: LeaseTerms, id: string): LeaseToSettle => ({
  id,
  document: { kind: 'node', terms },
  price: terms.price,
  endsMs: terms.startMs + leaseMs(terms),
});

export function escrowedNodes(record: LeaseRecord): EscrowedLease {
  const { id, peer, terms, progress } = record;
  const { role, state, signed, issued } = progress;
  return {
    ...nodesToSettle(terms, id),
    peer,
    role,
    // Given back, it only waits for a signature: what is there by then can be handed in.
    isOpen: state === 'offered' || state === 'active',
    receipt: signedReceipt(record),
    ...signed,
    lastN: role === 'lender' && state === 'closing' ? issued.n : signed.n,
  };
}
