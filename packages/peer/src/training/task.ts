import type { Tensors } from '@peerai/core-protocol';
import type { HeldOut, TrainingPlan } from './training.schema.ts';
import { languageLayout, languageModel, languageTask, languageWeights } from './language-task.ts';
import { tableLayout, tableModel, tableTask, tableWeights } from './table-task.ts';

/** A plan with this peer's own data: everything its steps and its measurements need. */
export interface Task {
  /** Elements of the flat weights. */
  readonly size: number;
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
}

/** The plan with the data's text. Throws DATA_INVALID, DATA_TOO_SMALL, LIMIT_EXCEEDED. */
export const taskOfData = (plan: TrainingPlan, text: string): Task =>
  plan.model === 'mlp' ? tableTask(plan, text) : languageTask(plan, text);

/** Elements of the flat weights, without any data. */
export const sizeOfPlan = (plan: TrainingPlan): number =>
  (plan.model === 'mlp' ? tableLayout(plan) : languageLayout(plan)).size;

/** The weights everybody begins with; they follow from the plan's seed. */
export const weightsOfPlan = (plan: TrainingPlan): Float32Array =>
  plan.model === 'mlp' ? tableWeights(plan) : languageWeights(plan);

/** The trained model as an ONNX file: the same weights give the same bytes. */
export const modelOfPlan = (plan: TrainingPlan, weights: Float32Array): Uint8Array =>
  plan.model === 'mlp' ? tableModel(plan, weights) : languageModel(plan, weights);
