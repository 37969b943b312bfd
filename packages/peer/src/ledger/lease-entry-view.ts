import { type CryptoProvider, toHex } from '@peerai/core-protocol';
import { openLease, openLeaseReceipt } from '@peerai/ledger/lease';
import { meteredPrice, openEnd, openMetered, openStorageReceipt } from '@peerai/ledger/market';
import type { LedgerEntryView } from './ledger.schema.ts';

type LeaseEntryView = NonNullable<LedgerEntryView['lease']>;
type Opener = (crypto: CryptoProvider, body: Uint8Array) => LeaseEntryView;
const plain = { resource: null, subject: '', n: 0, outcome: null, units: null, minutes: null, held: null } as const;

const openers: Readonly<Record<string, Opener>> = {
  lease(crypto, body) {
    const { terms, id, signedBy } = openLease(crypto, body);
    const { lender, borrower, price, nodes, minutes } = terms;
    const facts = { what: 'terms', lease: toHex(id), resource: 'node', subject: `${nodes}`, minutes } as const;
    return { ...plain, ...facts, peers: [lender, borrower], micro: `${price}`, signed: signedBy === 'both' };
  },
  'metered-lease'(crypto, body) {
    const { terms, id, signedBy } = openMetered(crypto, body);
    const { lender, borrower, resource, subject, unitsMax: units, minutes } = terms;
    const facts = { what: 'terms', lease: toHex(id), resource, subject, units, minutes } as const;
    return {
      ...plain,
      ...facts,
      peers: [lender, borrower],
      micro: `${meteredPrice(terms)}`,
      signed: signedBy === 'both',
    };
  },
  'lease-receipt'(crypto, body) {
    const { receipt, signedBy } = openLeaseReceipt(crypto, body);
    return { ...receiptOf(receipt, 'node', signedBy), held: receipt.heldMs };
  },
  'storage-receipt'(crypto, body) {
    const { receipt, signedBy } = openStorageReceipt(crypto, body);
    return { ...receiptOf(receipt, 'storage', signedBy), held: receipt.heldBytes };
  },
  'lease-end'(crypto, body) {
    const { end, signedBy } = openEnd(crypto, body);
    const { by, other, outcome, n, due } = end;
    const facts = { what: 'end', lease: toHex(end.lease), outcome, n } as const;
    return { ...plain, ...facts, peers: [by, other], micro: `${due}`, signed: signedBy === 'both' };
  },
};

/** What an entry says of a lease, its signatures checked; undefined for other kinds. Throws what opening the document throws. */
export function leaseEntryView(crypto: CryptoProvider, kind: string, body: Uint8Array): LeaseEntryView | undefined {
  return Object.hasOwn(openers, kind) ? openers[kind]?.(crypto, body) : undefined;
}

function receiptOf(
  {
    lease,
    lender,
    borrower,
    n,
    due,
  }: Pick<ReturnType<typeof openStorageReceipt>['receipt'], 'lease' | 'lender' | 'borrower' | 'n' | 'due'>,
  resource: 'node' | 'storage',
  signedBy: string,
): LeaseEntryView {
  const facts = { what: 'receipt', lease: toHex(lease), resource, n } as const;
  return { ...plain, ...facts, peers: [lender, borrower], micro: `${due}`, signed: signedBy === 'both' };
}
