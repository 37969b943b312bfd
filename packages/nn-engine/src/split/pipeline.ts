import { PeerAiError, type Tensor, type Tensors } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { stepFeeds } from '../train/training-graph.ts';
import type { StepResult } from '../train/trainer.ts';
import { type Stage, stageInputs } from './plan.ts';
import type { StageGradients, StageRunner } from './stage.ts';

/** A stage and who computes it. */
export interface PlacedStage {
  readonly stage: Stage;
  readonly runner: StageRunner;
}

/** The scores of a batch, from stage to stage. Throws INVALID_OPTION for a batch without a tensor that is needed, and what a runner throws. */
export async function runStages(placed: readonly PlacedStage[], batch: Tensors, signal: AbortSignal): Promise<Tensor> {
  let state: Tensor | undefined;
  for (const { stage, runner } of placed)
    state = await runner.forward(feedsOf(stage, 'forward', batch, { state }), signal);
  return state ?? missing('stage');
}

/** Makes steps over stages, all with one learning rate and one norm. */
export interface StageTrainer {
  /**
   * One step: forward, backward, the norm of the whole gradient, and AdamW in every stage with the same clipping.
   *
   * A step that fails before its updates has changed nothing and may be made again. One that fails among them leaves some stages a step
   * ahead: begin again from a checkpoint. Throws what a runner throws.
   */
  step(batch: Tensors, learningRate: number, signal: AbortSignal): Promise<StepResult>;
  /** The model's one vector, as its checkpoint has it. */
  weights(signal: AbortSignal): Promise<Float32Array>;
}

/** @param clipNorm - the whole gradient is shortened to this L2 norm when it is longer. */
export function createStageTrainer(placed: readonly PlacedStage[], { clipNorm = 1 } = {}): StageTrainer {
  let steps = 0;
  return {
    async step(batch, learningRate, signal) {
      const made = await backward(placed, batch, signal);
      const norm = normOf(made);
      const shorter = Math.min(1, Math.fround(clipNorm / Math.fround(norm + 1e-6)));
      const scalars = stepFeeds(steps + 1, learningRate);
      const feeds: Tensors = { ...scalars, shorter: { type: 'float32', shape: [], data: Float32Array.of(shorter) } };
      // All of them are over before one that failed is told: whoever then closes a stage closes none that still works.
      const updated = await Promise.allSettled(placed.map(({ runner }) => runner.update(feeds, signal)));
      for (const one of updated) if (one.status === 'rejected') throw one.reason;
      steps += 1;
      return { step: steps, loss: made.at(-1)?.loss ?? Number.NaN, gradientNorm: norm };
    },
    async weights(signal) {
      const last = placed.at(-1)?.stage;
      const whole = new Float32Array(last === undefined ? 0 : last.offset + last.layout.size);
      for (const { stage, runner } of placed) whole.set(await runner.weights(signal), stage.offset);
      return whole;
    },
  };
}

/** Every stage's gradients, in the order of the stages. The last stage needs no forward pass of its own: its backward pass makes it. */
async function backward(
  placed: readonly PlacedStage[],
  batch: Tensors,
  signal: AbortSignal,
): Promise<readonly StageGradients[]> {
  const states: (Tensor | undefined)[] = [undefined];
  for (const [index, { stage, runner }] of placed.slice(0, -1).entries())
    states.push(await runner.forward(feedsOf(stage, 'forward', batch, { state: states[index] }), signal));
  const made: StageGradients[] = [];
  let nextGradient: Tensor | undefined;
  for (const { stage, runner } of placed.toReversed()) {
    const feeds = feedsOf(stage, 'backward', batch, { state: states[stage.index], nextGradient });
    const one = await runner.backward(feeds, signal);
    made.unshift(one);
    nextGradient = one.stateGradient;
  }
  return made;
}

/** Added up parameter by parameter in the order of the layout, so that it does not depend on where the model was cut. */
function normOf(made: readonly StageGradients[]): number {
  let total = 0;
  for (const { squares } of made) for (const square of squares) total += square;
  return Math.fround(Math.sqrt(total));
}

function feedsOf(
  stage: Stage,
  pass: 'forward' | 'backward',
  batch: Tensors,
  own: Readonly<Record<string, Tensor | undefined>>,
): Tensors {
  const wanted = stageInputs(stage, pass).map((name) => [name, batch[name] ?? missing(name)] as const);
  const given = Object.entries(own).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return Object.fromEntries([...wanted, ...given]);
}

function missing(name: string): never {
  throw new PeerAiError<NnErrorCode>('INVALID_OPTION', `The batch has no ${name}.`, { name });
}
