import { type Logger, PeerAiError, type Store } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import { decisionEntry, type DecisionStatement } from '../ledger/decision-statement.ts';
import { records } from '../store/records.ts';

export interface StatedDecisionsDeps {
  readonly store: Store;
  readonly logger: Logger;
  readonly ledger: Pick<OwnLedger, 'append'>;
}
/**
 * Says a decided block in the log, each once: a group's blocks are read again at every start, and the height that was said last is kept with its entry.
 * When the log can't be written to, the group's later blocks are not said either, so that the next start goes on without a gap.
 */
export function createStatedDecisions({
  store,
  logger,
  ledger,
}: StatedDecisionsDeps): (said: DecisionStatement) => Promise<void> {
  const last = records<number>(store.room('decisions-stated'), 'height');
  const halted = new Set<string>();
  return async (said) => {
    const { group, height } = said;
    if (halted.has(group)) return;
    try {
      if (((await last.get(group)) ?? 0) >= height) return;
      await ledger.append([decisionEntry(said)], [last.put(group, height)]);
    } catch (error) {
      halted.add(group);
      logger.error('decision-not-stated', { group, code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
    }
  };
}
