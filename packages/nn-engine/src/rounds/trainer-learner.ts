import type { Tensors } from '@peerai/core-protocol';

import type { Trainer } from '../train/trainer.ts';
import type { Learner } from './participant.ts';

export interface TrainerLearnerOptions {
  /** The batch of a step, counted from 0 over all rounds: this peer's own data. */
  readonly batch: (step: number) => Tensors | Promise<Tensors>;
  readonly learningRate: number | ((step: number) => number);
}

/** A run's local steps by a `Trainer`: its weights are the shared ones in each round, its moments stay its own, as DiLoCo has it. */
export function trainerLearner(trainer: Trainer, { batch, learningRate }: TrainerLearnerOptions): Learner {
  let step = 0;
  return {
    async learn(weights, { localSteps, signal }) {
      await trainer.load(weights);
      let loss = 0;
      for (let local = 0; local < localSteps; local += 1) {
        const rate = typeof learningRate === 'number' ? learningRate : learningRate(step);
        const result = await trainer.step(await batch(step), rate, signal);
        loss += result.loss / localSteps;
        step += 1;
      }
      return { weights: await trainer.weights(), loss };
    },
  };
}
