import type {
  LedgerEntries,
  LedgerHead,
  LedgerProof,
  LedgerVerification,
  MessageCheckView,
} from '../ledger/ledger.schema.ts';
import type { LedgerPageView, LogsView, RepairView } from '../ledger/logs.schema.ts';
import type { Call } from './cluster-calls.ts';

/** Whose log: a peer id, its beginning (8 characters or more) or the name of a device; this peer's own unless said. */
interface OfLog {
  readonly origin?: string;
}
interface Range extends OfLog {
  readonly from?: number;
  readonly limit?: number;
}

export interface LedgerCalls {
  ledgerHead(signal?: AbortSignal): Promise<LedgerHead>;
  ledgerEntries(range: Range): Promise<LedgerEntries>;
  /** Entries as bytes with their checkpoint: enough to check them without asking anybody. */
  ledgerPage(range: Range, signal?: AbortSignal): Promise<LedgerPageView>;
  verifyLedger(signal?: AbortSignal, origin?: string): Promise<LedgerVerification>;
  /** One offline proof file and its entry, base64url; under the newest checkpoint that others signed too. */
  prove(index: number, origin?: string): Promise<LedgerProof>;
  /** Copies of other logs, who signs for whom, and who forked. */
  logs(signal?: AbortSignal): Promise<LogsView>;
  /** Shows this log's head to every device that is here, and looks at theirs. */
  witnessLogs(signal?: AbortSignal): Promise<LogsView>;
  /** Out of what devices have of this peer's log. */
  repairLedger(signal?: AbortSignal): Promise<RepairView>;
  /** Adds to a log that others have seen longer all the same. */
  ledgerGoOn(): Promise<LogsView>;
  checkMessages(signal?: AbortSignal): Promise<MessageCheckView>;
  /** Bytes that prove a fork to anybody, base64url. */
  forkEvidence(origin: string): Promise<string>;
  /** Evidence from elsewhere, base64url. */
  accuse(evidence: string): Promise<LogsView>;
  /** Deals with somebody who forked all the same, or no more. */
  pardon(origin: string, pardoned: boolean): Promise<LogsView>;
}

export function ledgerCalls(call: Call): LedgerCalls {
  const query = (values: Readonly<Record<string, string | number | undefined>>): string => {
    const said = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) if (value !== undefined) said.set(name, `${value}`);
    return said.size === 0 ? '' : `?${said.toString()}`;
  };
  return {
    ledgerHead: (signal) => call('GET', '/ledger/head', undefined, signal),
    ledgerEntries: ({ origin, from, limit = 50 }) => call('GET', `/ledger/entries${query({ origin, from, limit })}`),
    ledgerPage: ({ origin, from = 0, limit = 500 }, signal) =>
      call('GET', `/ledger/page${query({ origin, from, limit })}`, undefined, signal),
    verifyLedger: (signal, origin) => call('POST', `/ledger/verify${query({ origin })}`, {}, signal),
    prove: (index, origin) => call('GET', `/ledger/proofs/${index}${query({ origin })}`),
    logs: (signal) => call('GET', '/ledger/logs', undefined, signal),
    witnessLogs: (signal) => call('POST', '/ledger/witness', {}, signal),
    repairLedger: (signal) => call('POST', '/ledger/repair', {}, signal),
    ledgerGoOn: () => call('POST', '/ledger/go-on', {}),
    checkMessages: (signal) => call('POST', '/ledger/check', {}, signal),
    forkEvidence: async (origin) =>
      (await call<{ readonly evidence: string }>('GET', `/ledger/evidence/${encodeURIComponent(origin)}`)).evidence,
    accuse: (evidence) => call('POST', '/ledger/evidence', { evidence }),
    pardon: (origin, pardoned) => call('POST', '/ledger/pardons', { origin, pardoned }),
  };
}
