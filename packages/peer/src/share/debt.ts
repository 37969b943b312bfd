import { type Clock, fromHex, type PeerId } from '@peerai/core-protocol';
import { ledgerLimits, type ReceiptBook } from '@peerai/ledger';
import { limits } from '../limits.ts';
import { type ClaimDeps, claimedShare } from './facts.ts';

/** Does this peer owe a signature under this lease; for paired devices: as many as may be open at all? */
export async function owes(
  { receipts }: { readonly receipts: ReceiptBook },
  peer: PeerId,
  lease: Uint8Array,
  howMany: 'any' | 'as many as may be open' = 'any',
): Promise<boolean> {
  if (howMany === 'any') return receipts.owes(peer, lease);
  return (await receipts.unsigned(peer, lease)).length >= ledgerLimits.pendingReceiptsMax;
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
