import { fromUtf8, PeerAiError, type Store, utf8 } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { createTurns } from '../turns.ts';
import { type NoisySteps, privacyLoss } from './accountant.ts';

/** How much of somebody's privacy one data set may cost, over all runs that ever use it. */
export interface BudgetTerms {
  readonly epsilonMax: number;
  /** Probability that the promise fails; smaller than one over the count of contributors. */
  readonly delta: number;
}

export interface BudgetState {
  readonly epsilon: number;
  readonly epsilonMax: number;
  readonly delta: number;
  readonly steps: number;
}

export interface PrivacyBudget {
  /** Durable before it resolves, so noise is only drawn for what is booked. Throws PRIVACY_SPENT, with nothing booked, when ε would pass the limit. */
  spend(steps: NoisySteps): Promise<BudgetState>;
  state(): Promise<BudgetState>;
  /**
   * The least noise, to a thousandth upwards, with which so many more steps still fit, everybody taking part in each. Books nothing. Throws
   * PRIVACY_SPENT when no noise up to `budgetNoiseMax` lets them.
   */
  leastNoise(steps: number): Promise<number>;
}

interface Kept {
  readonly version: 1;
  readonly delta: number;
  readonly epsilonMax: number;
  readonly spent: readonly NoisySteps[];
}

/**
 * The budget of one data set. Terms are fixed by the first spending: later ones may only be as strict or stricter.
 *
 * @param name - the data set; one row of the store each.
 */
export function openPrivacyBudget(store: Store, name: string, terms: BudgetTerms): PrivacyBudget {
  const key = `privacy/${name}`;
  const inTurn = createTurns();
  const read = async (): Promise<Kept> => {
    const bytes = await store.get(key);
    const kept =
      bytes === undefined ? { version: 1 as const, ...terms, spent: [] } : (JSON.parse(fromUtf8(bytes)) as Kept);
    return {
      ...kept,
      epsilonMax: Math.min(kept.epsilonMax, terms.epsilonMax),
      delta: Math.min(kept.delta, terms.delta),
    };
  };
  return {
    spend: (steps) =>
      inTurn(async () => {
        checkSteps(steps);
        const kept = await read();
        const next = { ...kept, spent: together(kept.spent, steps) };
        const state = stateOf(next);
        if (state.epsilon > next.epsilonMax)
          throw new PeerAiError<NnErrorCode>(
            'PRIVACY_SPENT',
            `This would bring ε to ${state.epsilon.toFixed(2)}; ${next.epsilonMax} is allowed for “${name}”.`,
            { spent: stateOf(kept).epsilon, wouldBe: state.epsilon, epsilonMax: next.epsilonMax },
          );
        await store.commit([store.put(key, utf8(JSON.stringify(next)))]);
        return state;
      }),
    state: () => inTurn(async () => stateOf(await read())),
    leastNoise: (steps) =>
      inTurn(async () => {
        const kept = await read();
        const fits = (noise: number): boolean =>
          stateOf({ ...kept, spent: together(kept.spent, { noise, sampleRate: 1, steps }) }).epsilon <= kept.epsilonMax;
        let [low, high] = [0, limits.budgetNoiseMax * 1_000];
        if (!fits(high / 1_000))
          throw new PeerAiError<NnErrorCode>(
            'PRIVACY_SPENT',
            `ε ${stateOf(kept).epsilon.toFixed(2)} of ${kept.epsilonMax} is spent for “${name}”; ${steps} more steps do not fit.`,
            { spent: stateOf(kept).epsilon, epsilonMax: kept.epsilonMax },
          );
        while (high - low > 1) {
          const middle = Math.floor((low + high) / 2);
          if (fits(middle / 1_000)) high = middle;
          else low = middle;
        }
        return high / 1_000;
      }),
  };
}

/** Steps of one kind are one entry: the row does not grow with the rounds. */
function together(spent: readonly NoisySteps[], steps: NoisySteps): readonly NoisySteps[] {
  const same = (entry: NoisySteps): boolean => entry.noise === steps.noise && entry.sampleRate === steps.sampleRate;
  if (!spent.some(same)) return [...spent, steps];
  return spent.map((entry) => (same(entry) ? { ...entry, steps: entry.steps + steps.steps } : entry));
}

function stateOf({ spent, delta, epsilonMax }: Kept): BudgetState {
  const steps = spent.reduce((sum, entry) => sum + entry.steps, 0);
  return { epsilon: privacyLoss(spent, delta).epsilon, epsilonMax, delta, steps };
}

function checkSteps({ noise, sampleRate, steps }: NoisySteps): void {
  if (!(noise > 0) || !(sampleRate > 0 && sampleRate <= 1) || !Number.isSafeInteger(steps) || steps < 1)
    throw new PeerAiError<NnErrorCode>(
      'INVALID_OPTION',
      'Noise above 0, a sample rate up to 1 and whole steps are needed.',
      {
        noise,
        sampleRate,
        steps,
      },
    );
}
