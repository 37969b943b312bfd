import type { PeerId } from '@peerai/core-protocol';

import type { MetricName, StateMetrics } from './metrics.ts';
import type { SignedState } from './signed-state.ts';

export interface CollectiveValue {
  /** Σ reputation · value / Σ reputation over the peers that have the metric; undefined where none has. */
  readonly metrics: StateMetrics;
  /** Peers that counted. */
  readonly peers: number;
}

/**
 * The mean of valid states, weighted by reputation.
 *
 * @param states - as the state table gives them: signed, new, not stale, one a peer.
 * @param reputationOf - 0 or less, or no finite number: the peer is left out.
 */
export function collectiveValue(
  states: readonly SignedState[],
  reputationOf: (peer: PeerId) => number,
): CollectiveValue {
  const weighed = states
    .map(({ peer, metrics }) => ({ metrics, reputation: reputationOf(peer) }))
    .filter(({ reputation }) => reputation > 0 && Number.isFinite(reputation));
  const largest = weighed.reduce((most, { reputation }) => Math.max(most, reputation), 0);
  const meanOf = (name: MetricName): number | undefined => {
    let [sum, weights] = [0, 0];
    for (const { metrics, reputation } of weighed) {
      const value = metrics[name];
      if (value === undefined) continue;
      sum += (reputation / largest) * value;
      weights += reputation / largest;
    }
    return weights === 0 ? undefined : sum / weights;
  };
  const metrics = {
    phi: meanOf('phi'),
    coherence: meanOf('coherence'),
    entropy: meanOf('entropy'),
    valence: meanOf('valence'),
    arousal: meanOf('arousal'),
    empathy: meanOf('empathy'),
    insight: meanOf('insight'),
  };
  return { metrics, peers: weighed.length };
}
