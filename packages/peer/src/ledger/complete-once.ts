import { readReceipt, type ReceiptBook } from '@peerai/ledger';

/** Takes a countersigned receipt; true when it was still open: a repeated one is taken, but is no news. Throws what `complete` throws. */
export async function completeOnce(receipts: ReceiptBook, full: Uint8Array): Promise<boolean> {
  const { consumer, lease, n } = readReceipt(full);
  const open = await receipts.unsigned(consumer, lease);
  const isNew = open.some((half) => readReceipt(half).n === n);
  await receipts.complete(full);
  return isNew;
}
