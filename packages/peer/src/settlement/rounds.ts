import { PeerAiError } from '@peerai/core-protocol';
import { type Deposit, type Deposits, isPending } from './deposits.ts';
import { settlementLimits as limits } from './limits.ts';
import type { ChainDeps } from './room.ts';

interface RoundParts {
  readonly deposits: Deposits;
  /** What is due for one deposit now. */
  readonly step: (deposit: Deposit, signal: AbortSignal) => Promise<void>;
  readonly look: (deposit: Deposit, signal: AbortSignal) => Promise<unknown>;
  /** Its lease's book is open: whether it runs can be said. */
  readonly isKnown: (deposit: Deposit) => boolean;
  readonly news: (lease: string) => void;
  readonly quiet: (task: Promise<unknown>) => void;
}
/** Sees deposits through: each is looked at now and then until it is over, later after each failure. */
export interface Rounds {
  /** Goes on while there is something to see through. */
  work(): void;
  /** This one is looked at next time. */
  soon(lease: string): void;
  pending(): readonly Deposit[];
}

export function createRounds(
  { clock, logger, stopping }: Pick<ChainDeps, 'clock' | 'logger' | 'stopping'>,
  { deposits, step, look, isKnown, news, quiet }: RoundParts,
): Rounds {
  /** When each is looked at next, and how often it failed. */
  const plan = new Map<string, { readonly dueMs: number; readonly failures: number }>();
  const attempt = async (deposit: Deposit): Promise<void> => {
    const { lease } = deposit;
    const deadline = clock.deadline(limits.stepMs, stopping);
    const before = deposits.get(lease);
    const failures = plan.get(lease)?.failures ?? 0;
    try {
      await step(deposit, deadline);
      plan.set(lease, { dueMs: clock.nowMs() + limits.watchMs, failures: 0 });
    } catch (error) {
      if (stopping.aborted) throw error;
      const { code, message } = PeerAiError.is(error) ? error : { code: 'INTERNAL', message: 'an unknown failure' };
      logger.warn('escrow-not-closed', { lease, code });
      // The contract may say no because it is done: what stands there stands.
      if (code === 'ESCROW_STATE') await look(deposit, deadline).catch(() => undefined);
      const waitMs = Math.min(limits.retryMsMin * 2 ** failures, limits.retryMsMax);
      plan.set(lease, { dueMs: clock.nowMs() + waitMs, failures: failures + 1 });
      const now = deposits.get(lease);
      if (now !== undefined && isPending(now))
        await deposits.change(lease, { failure: { code, message, atMs: clock.nowMs() } });
    }
    if (deposits.get(lease) !== before) news(lease);
  };
  const pending = (): Deposit[] => deposits.list().filter((deposit) => isPending(deposit) && isKnown(deposit));
  let working = false;
  return {
    pending,
    soon: (lease) => void plan.delete(lease),
    work() {
      if (working || stopping.aborted || pending().length === 0) return;
      working = true;
      const going = async (): Promise<void> => {
        try {
          while (pending().length > 0) {
            await clock.sleep(limits.lookMs, stopping);
            for (const deposit of pending())
              if ((plan.get(deposit.lease)?.dueMs ?? 0) <= clock.nowMs()) await attempt(deposit);
          }
        } finally {
          working = false;
        }
      };
      quiet(going());
    },
  };
}
