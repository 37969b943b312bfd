import { type Clock, fromHex, type PeerId } from '@peerai/core-protocol';
import { ledgerLimits, readReceipt, type ReceiptBook } from '@peerai/ledger';
import { limits } from '../limits.ts';
import { type ClaimDeps, claimedShare } from './facts.ts';

interface Book {
  readonly receipts: ReceiptBook;
}

/** Does this peer owe a signature under this lease? */
export function owes({ receipts }: Book, peer: PeerId, lease: Uint8Array): Promise<boolean> {
  return receipts.owes(peer, lease);
}

/** For paired devices: would the answers that run now bring more receipts than may be open? */
export async function owesTooMany(
  { receipts }: Book,
  peer: PeerId,
  lease: Uint8Array,
  running: number,
): Promise<boolean> {
  return (await receipts.open(peer, lease)) + running >= ledgerLimits.pendingReceiptsMax;
}

/** Is the receipt of this very request still without its second signature? */
export async function isOpen({ receipts }: Book, peer: PeerId, lease: Uint8Array, requestId: string): Promise<boolean> {
  return (await receipts.unsigned(peer, lease)).some((half) => readReceipt(half).requestId === requestId);
}

/**
 * A guest's last signature may still be on its way: it gets a moment before its next answer is refused for it.
 * To be awaited outside any lock: others must not wait with it.
 */
export async function waitForSignature(
  deps: ClaimDeps & { readonly clock: Clock; readonly receipts: ReceiptBook },
  peer: PeerId,
  grant: Uint8Array | undefined,
): Promise<void> {
  const claimed = grant === undefined ? undefined : claimedShare(deps, peer, grant);
  if (claimed?.share === undefined || !claimed.valid || claimed.byKey) return;
  const lease = fromHex(claimed.share.id);
  if (!(await deps.receipts.owes(peer, lease))) return;
  const done = new AbortController();
  await deps.receipts
    .settled(peer, lease, deps.clock.deadline(limits.signatureGraceMs, done.signal))
    .catch(() => undefined);
  done.abort();
}
