import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';

export const metricNames = ['phi', 'coherence', 'entropy', 'valence', 'arousal', 'empathy', 'insight'] as const;
export type MetricName = (typeof metricNames)[number];

/**
 * Heuristics about the state of a network, each with a formula in docs/state-metrics.md and no meaning beyond it. Undefined where data is
 * missing. Valence lies within −1 and 1, all others within 0 and 1.
 */
export type StateMetrics = Readonly<Record<MetricName, number | undefined>>;

/** What a state is at one moment; what is not known is left out. */
export interface StateSample {
  /** What each node gives. */
  readonly activity?: ArrayLike<number>;
  /** Weights of connections; none is an empty list. */
  readonly connections?: ArrayLike<number>;
  /** Phase of each node, radians. */
  readonly phases?: ArrayLike<number>;
}

export interface StateTracker {
  /**
   * The metrics of this moment; empathy and insight look back on the moments before. Throws NOT_FINITE, LIMIT_REACHED; then nothing is noted.
   */
  observe(sample: StateSample): StateMetrics;
}

/** Remembers the last ten coherences and five entropies. */
export function createStateTracker(): StateTracker {
  let coherences: readonly number[] = [];
  let entropies: readonly number[] = [];
  return {
    observe(sample) {
      const activity = listed(sample.activity);
      const connections = listed(sample.connections);
      const now = { coherence: phaseCoherence(listed(sample.phases)), entropy: normalisedEntropy(activity) };
      const insight = departure(now.entropy, entropies);
      coherences = noted(coherences, now.coherence, limits.stateCoherencesMax);
      entropies = noted(entropies, now.entropy, limits.stateEntropiesMax);
      const mean = meanOf(activity);
      const variance = varianceOf(activity);
      return {
        phi: phiOf(variance, connections),
        ...now,
        valence: mean === undefined ? undefined : Math.tanh(mean),
        arousal: variance === undefined ? undefined : Math.min(1, 10 * variance),
        empathy: now.coherence === undefined ? undefined : steadiness(coherences),
        insight,
      };
    },
  };
}

/** Variance × (1 + mean of the positive connections), within 0 and 1. Without a positive connection that mean is 0. */
function phiOf(variance: number | undefined, connections: readonly number[] | undefined): number | undefined {
  if (variance === undefined || connections === undefined) return undefined;
  const mean = meanOf(connections.filter((weight) => weight > 0)) ?? 0;
  return Math.min(1, variance * (1 + mean));
}

/** |mean of e^(iφ)|: 1 when all phases are equal, 0 when they cancel out. */
function phaseCoherence(phases: readonly number[] | undefined): number | undefined {
  const x = meanOf(phases?.map(Math.cos));
  const y = meanOf(phases?.map(Math.sin));
  return x === undefined || y === undefined ? undefined : Math.min(1, Math.hypot(x, y));
}

/** Shannon's entropy of the shares |x| / Σ|x|, over that of equal shares. Of one node, or of silence, there is none. */
function normalisedEntropy(activity: readonly number[] | undefined): number | undefined {
  if (activity === undefined || activity.length < 2) return undefined;
  const largest = activity.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return undefined;
  const parts = activity.map((value) => Math.abs(value) / largest);
  const total = parts.reduce((sum, part) => sum + part, 0);
  const bits = parts.reduce((sum, part) => (part === 0 ? sum : sum - (part / total) * Math.log(part / total)), 0);
  return Math.min(1, bits / Math.log(activity.length));
}

/** 1 − variance; of fewer than two there is none. */
function steadiness(values: readonly number[]): number | undefined {
  const variance = values.length < 2 ? undefined : varianceOf(values);
  return variance === undefined ? undefined : 1 - variance;
}

/** How far a value is from the mean of those before it. */
function departure(value: number | undefined, before: readonly number[]): number | undefined {
  const mean = meanOf(before);
  return value === undefined || mean === undefined ? undefined : Math.abs(value - mean);
}

function meanOf(values: readonly number[] | undefined): number | undefined {
  if (values === undefined || values.length === 0) return undefined;
  return values.reduce((sum, value) => sum + value / values.length, 0);
}

/** Population variance; at most the largest number, so that a product with it is finite or clamped. */
function varianceOf(values: readonly number[] | undefined): number | undefined {
  const mean = meanOf(values);
  if (values === undefined || mean === undefined) return undefined;
  return meanOf(values.map((value) => Math.min(Number.MAX_VALUE, (value - mean) ** 2)));
}

const noted = (values: readonly number[], value: number | undefined, most: number): readonly number[] =>
  value === undefined ? values : [...values, value].slice(-most);

function listed(values: ArrayLike<number> | undefined): readonly number[] | undefined {
  if (values === undefined) return undefined;
  const most = limits.stateValuesMax;
  if (values.length > most)
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `At most ${most} values of a state.`, { most });
  const list = Array.from(values);
  if (!list.every(Number.isFinite))
    throw new PeerAiError<NnErrorCode>('NOT_FINITE', 'A value of a state is not a finite number.');
  return list;
}
