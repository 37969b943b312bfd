import { PeerAiError, type Store } from '@peerai/core-protocol';
import { type LedgerDeps, openLedger, type OwnLedger } from '@peerai/ledger';

/**
 * The log of this key: the first of a home is in `ledger`, one after a change of keys beside it, under its peer id.
 * One that is damaged is opened closed, so that the peer is there to say so and to fetch what others have of it. Throws what the store throws.
 */
export async function openOwnLedger(
  deps: LedgerDeps,
): Promise<{ readonly ledger: OwnLedger; readonly ledgerStore: Store }> {
  const open = async (ledgerStore: Store) => ({
    ledgerStore,
    ledger: await openLedger({ ...deps, store: ledgerStore }, { evenDamaged: true }),
  });
  const [first, later] = [deps.store.room('ledger'), deps.store.room(`ledger-${deps.identity.peer}`)];
  // The other one first: a damaged log of the key before says no more whose it was.
  for await (const _ of later.range('', '\u{10ffff}', { limit: 1 })) return open(later);
  try {
    return await open(first);
  } catch (error) {
    if (!PeerAiError.is(error, 'NOT_OUR_LOG')) throw error;
    return open(later);
  }
}
