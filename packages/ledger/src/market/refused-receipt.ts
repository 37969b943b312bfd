import { type CryptoProvider, type EntryBody, wire } from '@peerai/core-protocol';
import { type LeaseReceipt, openLeaseReceipt } from '../lease/receipt.ts';
import { openReceipt, type UsageReceipt } from '../receipt/receipt.ts';
import { openStorageReceipt, type StorageReceipt } from './storage.ts';

/** A receipt as its lender alone signed it, with what it is of. */
export type SignedByLender =
  | { readonly of: 'model'; readonly receipt: UsageReceipt }
  | { readonly of: 'storage'; readonly receipt: StorageReceipt }
  | { readonly of: 'node'; readonly receipt: LeaseReceipt };
export const refusedReceiptKind = 'refused-receipt';
const kinds = ['model', 'storage', 'node'] as const;
const codec = wire.message({ of: wire.oneOf(1, kinds), receipt: wire.bytes(2) });

/** For evidence: a receipt that its borrower did not sign. @param receipt - with the lender's signature. */
export const refusedReceiptEntry = (of: SignedByLender['of'], receipt: Uint8Array): EntryBody => ({
  kind: refusedReceiptKind,
  body: codec.encode({ of, receipt }),
});

/** With the lender's signature checked; a second one is checked too, and says nothing more. Throws what opening the receipt throws. */
export function openRefusedReceipt(crypto: CryptoProvider, bytes: Uint8Array): SignedByLender {
  const { of, receipt } = codec.decode(bytes);
  if (of === 'node') return { of, receipt: openLeaseReceipt(crypto, receipt).receipt };
  if (of === 'storage') return { of, receipt: openStorageReceipt(crypto, receipt).receipt };
  return { of, receipt: openReceipt(crypto, receipt).receipt };
}
