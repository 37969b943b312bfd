import { PeerAiError, type Store } from '@peerai/core-protocol';
import type { BudgetState, PrivacyBudget } from '@peerai/nn-engine/privacy';
import type { z } from 'zod';
import type { DataRow } from './run-book.ts';
import type { trainingPrivacySchema } from './training.schema.ts';

type Wish = z.output<typeof trainingPrivacySchema>;

/** Noise on this peer's own updates in one run, and the budget they are booked to. */
export interface PrivacyTerms {
  readonly epsilonMax: number;
  readonly delta: number;
  readonly clip: number;
  readonly noise: number;
}
/** With what is spent. */
export interface PrivacyState extends PrivacyTerms, BudgetState {}

/** The budget of one data set, which its bytes name: it is the same when the file is read in again. */
export async function budgetOf(
  store: Store,
  { id, sha256 = id }: Pick<DataRow, 'id' | 'sha256'>,
  terms: { readonly epsilonMax: number; readonly delta: number },
): Promise<PrivacyBudget> {
  const { openPrivacyBudget } = await import('./lazy.ts');
  return openPrivacyBudget(store.room('training'), sha256, terms);
}

/**
 * What this peer's updates are noised with in a run of so many rounds; undefined without a wish.
 *
 * Throws PRIVACY_SPENT when the budget does not allow it, and when data that has a budget is to be learned from without noise.
 */
export async function agreePrivacy(
  store: Store,
  data: DataRow,
  wish: Wish | undefined,
  rounds: number,
): Promise<PrivacyTerms | undefined> {
  if (wish === undefined) {
    const { steps, epsilon, epsilonMax } = await (await budgetOf(store, data, anyTerms)).state();
    if (steps === 0) return undefined;
    throw new PeerAiError(
      'PRIVACY_SPENT',
      `this data has a privacy budget (ε ${epsilon.toFixed(2)} of ${epsilonMax} is spent), and an update without noise would pass it: name a budget`,
      { spent: epsilon, epsilonMax },
    );
  }
  const { epsilon: epsilonMax, delta, clip, noise } = wish;
  const budget = await budgetOf(store, data, { epsilonMax, delta });
  const least = await budget.leastNoise(noise === undefined ? Math.max(1, rounds) : 1);
  if (noise !== undefined && noise < least)
    throw new PeerAiError('PRIVACY_SPENT', `with noise ${noise} not even one update fits the budget; ${least} does`, {
      noise,
      least,
    });
  return { epsilonMax, delta, clip, noise: noise ?? least };
}

/** What was said when the budget began is as strict or stricter. */
const anyTerms = { epsilonMax: Infinity, delta: 1 };
