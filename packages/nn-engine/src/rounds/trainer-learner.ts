import type { Tensors } from '@peerai/core-protocol';

import type { Trainer } from '../train/trainer.ts';
import type { Learner } from './participant.ts';

export interface TrainerLearnerOptions {
  /** The batch of a step, counted from 0 over all rounds this peer learned in: its own data. */
  readonly batch: (step: number) => Tensors | Promise<Tensors>;
  /** Of a step of the run, counted from 0 at its first round, whenever this peer came in. */
  readonly learningRate: number | ((step: number) => number);
}

/** What is left of a falling rate at the end of a run. */
const rateShareLeft = 0.01;

/** Falls from `rate` to a hundredth of it over so many steps, as half a cosine does (Loshchilov and Hutter, arXiv 1608.03983, without restarts). */
export const cosineRate =
  (rate: number, steps: number) =>
  (step: number): number =>
    rate * (rateShareLeft + ((1 - rateShareLeft) / 2) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps)));

/** A run's local steps by a `Trainer`: its weights are the shared ones in each round, its moments stay its own, as DiLoCo has it. */
export function trainerLearner(trainer: Trainer, { batch, learningRate }: TrainerLearnerOptions): Learner {
  let step = 0;
  return {
    async learn(weights, { round, localSteps, signal }) {
      await trainer.load(weights);
      let loss = 0;
      for (let local = 0; local < localSteps; local += 1) {
        const rate = typeof learningRate === 'number' ? learningRate : learningRate(round * localSteps + local);
        const result = await trainer.step(await batch(step), rate, signal);
        loss += result.loss / localSteps;
        step += 1;
      }
      return { weights: await trainer.weights(), loss };
    },
  };
}
