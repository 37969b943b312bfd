import type { Tensors } from '@peerai/core-protocol';
import type { HeldOut, TrainingPlan } from './training.schema.ts';
import { adapterLayout, adapterWeights, baseMissing, type HeldBase } from './adapter-plan.ts';
import { imageLayout, imageTask, imageWeights } from './image-task.ts';
import { languageLayout, languageTask, languageWeights } from './language-task.ts';
import { tableLayout, tableTask, tableWeights } from './table-task.ts';

/** A plan with this peer's own data: everything its steps and its measurements need. */
export interface Task {
  /** Elements of the flat weights. */
  readonly size: number;
  /** Of them, at the end: running statistics, which steps carry on and gradients do not change. */
  readonly statistics?: number;
  /** Rows or bytes that are learned from, and those kept apart. */
  readonly examples: number;
  readonly heldOut: number;
  /** Forward, backward and update in one, for `createTrainer`. */
  trainingGraph(): Uint8Array;
  /** The batch of a step: the same step gives the same. */
  batch(step: number): Tensors;
  /** Weights `w` and `measured` in; what `judge` reads out. */
  measuringGraph(): Uint8Array;
  readonly measured: Tensors;
  judge(results: Tensors): HeldOut;
  /** The trained model as an ONNX file: the same weights give the same bytes. */
  model(weights: Float32Array): Uint8Array;
}

/**
 * The plan with the data's text.
 *
 * @param base - what an adapter is of. Throws DATA_INVALID, DATA_TOO_SMALL, LIMIT_EXCEEDED, BASE_MISSING for an adapter without it.
 */
export function taskOfData(plan: TrainingPlan, text: string, base?: HeldBase): Task {
  if (plan.model === 'mlp') return tableTask(plan, text);
  if (plan.model === 'conv') return imageTask(plan, text);
  if (plan.model === 'language') return languageTask(plan, text);
  if (base === undefined) throw baseMissing(plan.base);
  return base.learn(plan, text);
}

/** Elements of the flat weights, without any data. Throws INVALID_OPTION for an adapter that its base does not take. */
export function sizeOfPlan(plan: TrainingPlan): number {
  if (plan.model === 'mlp') return tableLayout(plan).size;
  if (plan.model === 'conv') return imageLayout(plan).size;
  return (plan.model === 'language' ? languageLayout(plan) : adapterLayout(plan)).size;
}

/** The weights everybody begins with; they follow from the plan's seed. */
export function weightsOfPlan(plan: TrainingPlan): Float32Array {
  if (plan.model === 'mlp') return tableWeights(plan);
  if (plan.model === 'conv') return imageWeights(plan);
  return plan.model === 'language' ? languageWeights(plan) : adapterWeights(plan);
}
