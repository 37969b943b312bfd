import { type CryptoProvider, equalBytes, fromHex, PeerAiError } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { openLeaseReceipt } from '../lease/receipt.ts';
import { openReceipt } from '../receipt/receipt.ts';
import type { AnyReceipt, LeaseDocument } from './collect.ts';
import type { FinalReceipt } from './settlement.ts';
import { dueOf } from './standing.ts';
import { openStorageReceipt } from './storage.ts';

/**
 * A receipt that both signed, as a settlement takes it: of answers, of stored bytes or of nodes, by what is leased.
 *
 * @param lease - the lease's id, hex. Throws INVALID_SIGNATURE where one of the two has not signed, RECEIPT_WRONG where the terms say something else, and
 * what opening it throws.
 */
export function openFinalReceipt(
  crypto: CryptoProvider,
  lease: string,
  document: LeaseDocument,
  bytes: Uint8Array,
): FinalReceipt {
  const { receipt, signedBy } = opened(crypto, document, bytes);
  if (signedBy !== 'both')
    throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'only one side has signed this receipt');
  const id = fromHex(lease);
  if (!equalBytes(receipt.lease, id)) throw wrong('lease', 'this receipt is of another lease');
  const due = dueOf(document, receipt);
  if (due === undefined) throw wrong('due', 'this receipt is not by the terms of its lease');
  return { lease: id, n: receipt.n, due, receipt: bytes };
}

function opened(
  crypto: CryptoProvider,
  document: LeaseDocument,
  bytes: Uint8Array,
): { readonly receipt: AnyReceipt; readonly signedBy: string } {
  if (document.kind === 'node') return openLeaseReceipt(crypto, bytes);
  return document.terms.resource === 'storage' ? openStorageReceipt(crypto, bytes) : openReceipt(crypto, bytes);
}

const wrong = (field: string, message: string): PeerAiError<LedgerErrorCode> =>
  new PeerAiError('RECEIPT_WRONG', message, { field });
