import type { Trainer } from '@peerai/nn-engine';
import type { Task } from './task.ts';

/** A trainer whose weights end with the statistics that its steps carry on: what a round exchanges is both, so all members answer by the same ones. */
export function withStatistics(trainer: Trainer, { size, statistics = 0 }: Pick<Task, 'size' | 'statistics'>): Trainer {
  if (statistics === 0) return trainer;
  const learned = size - statistics;
  return {
    ...trainer,
    async load(whole) {
      await trainer.load(whole.slice(0, learned));
      await trainer.loadStatistics({ statistics: whole.slice(learned) });
    },
    async weights() {
      const whole = new Float32Array(size);
      whole.set(await trainer.weights());
      whole.set((await trainer.statistics())['statistics'] ?? [], learned);
      return whole;
    },
  };
}
