import { PeerAiError, type Store } from '@peerai/core-protocol';
import { type LedgerDeps, openLedger, type OwnLedger } from '@peerai/ledger';

/** The log of this key: the first of a home is in `ledger`, one after a change of keys beside it, under its peer id. */
export async function openOwnLedger(
  deps: LedgerDeps,
): Promise<{ readonly ledger: OwnLedger; readonly ledgerStore: Store }> {
  const open = async (room: string) => {
    const ledgerStore = deps.store.room(room);
    return { ledgerStore, ledger: await openLedger({ ...deps, store: ledgerStore }) };
  };
  try {
    return await open('ledger');
  } catch (error) {
    if (!PeerAiError.is(error, 'NOT_OUR_LOG')) throw error;
    return open(`ledger-${deps.identity.peer}`);
  }
}
