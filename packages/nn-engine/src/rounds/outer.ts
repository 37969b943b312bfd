import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';

/** The model all peers hold between two rounds. */
export interface SharedState {
  readonly round: number;
  readonly weights: Float32Array;
  readonly momentum: Float32Array;
}

/**
 * The step from one round to the next: SGD with Nesterov momentum on the average change, as in DiLoCo (Douillard et al., arXiv 2311.08105).
 * `{ learningRate: 1, momentum: 0 }` is local SGD: the weights become the average of what the peers have.
 */
export interface OuterStep {
  readonly learningRate: number;
  readonly momentum: number;
}

export const diLoCo: OuterStep = { learningRate: 0.7, momentum: 0.9 };
export const localSgd: OuterStep = { learningRate: 1, momentum: 0 };
/** For tens of rounds: short ones, or long ones that go on from trained weights while the rate falls. At rate 1 a direction that the members have learned to the end is met in two rounds, whatever the momentum; a slow one goes twice as far. */
export const shortNesterov: OuterStep = { learningRate: 1, momentum: 0.5 };

/**
 * momentum ← μ·momentum + Δ; weights ← weights − η·(Δ + μ·momentum).
 *
 * Each product and sum is rounded to float32, so that the same state and change give the same bytes in every engine.
 *
 * @param change - the aggregated delta: weights before minus weights after. Throws SHAPE_MISMATCH for another length.
 */
export function outerStep(
  state: SharedState,
  change: Float32Array,
  { learningRate, momentum }: OuterStep,
): SharedState {
  const { weights, momentum: kept } = state;
  if (change.length !== weights.length || kept.length !== weights.length)
    throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', 'The change, the momentum and the weights differ in length.', {
      change: change.length,
      momentum: kept.length,
      weights: weights.length,
    });
  const f = Math.fround;
  const [rate, keep] = [f(learningRate), f(momentum)];
  const next = { weights: new Float32Array(weights.length), momentum: new Float32Array(weights.length) };
  for (let index = 0; index < weights.length; index += 1) {
    const moved = change[index] ?? 0;
    const speed = f(f(keep * (kept[index] ?? 0)) + moved);
    next.momentum[index] = speed;
    next.weights[index] = (weights[index] ?? 0) - f(rate * f(moved + f(keep * speed)));
  }
  return { round: state.round + 1, ...next };
}
