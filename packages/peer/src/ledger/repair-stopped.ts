import type { LedgerDeps } from '@peerai/ledger';
import type { RepairSource } from '@peerai/ledger/sync';
import { openLogGuard } from './log-guard.ts';
import type { RepairView } from './logs.schema.ts';
import { openOwnLedger } from './own-ledger.ts';

/**
 * Puts the log of a peer that does not run together again: out of a copy of it that was exported.
 * Throws what the repair throws, and the refusal that is left where the copy has not all that others have seen.
 */
export async function repairStopped(deps: LedgerDeps, source: RepairSource): Promise<RepairView> {
  const { repairLog } = await import('@peerai/ledger/sync');
  const { ledger, ledgerStore } = await openOwnLedger(deps);
  const guard = await openLogGuard({ ...deps, ledger });
  const { size, restored } = await ledger.exclusive(() => repairLog({ ...deps, store: ledgerStore }, source));
  await guard.review();
  if (ledger.refusal !== undefined) throw ledger.refusal;
  return { v: 1, size: Number(size), restored, from: ledger.origin };
}
