/**
 * Who learns: ONNX graphs with forward, backward and update in one, training over three flat vectors, a Llama-style language model, and the nano
 * guide trained with them. For anyone who wants to train a small network in Node or a tab without another framework.
 *
 * @packageDocumentation
 */
export type { NnErrorCode } from './errors.ts';
export * from './graph/index.ts';
export { limits } from './limits.ts';
export {
  convForward,
  convLayout,
  convLoss,
  type ConvSizes,
  convStatistics,
  convStatisticsLayout,
  convWeights,
  convWholeLayout,
} from './models/conv.ts';
export { decodeCarry, decodeGraph } from './models/decode-graph.ts';
export {
  type BatchSizes,
  initialWeights,
  languageModelLayout,
  languageModelLoss,
  type LanguageModelSizes,
} from './models/language-model.ts';
export { mlpForward, mlpLayout, mlpLoss, mlpWeights } from './models/mlp.ts';
export type { Corpus, Intent } from './nano/corpus-types.ts';
export { embeddingDimensions, lexicalHash } from './nano/embedding.ts';
export { evaluateNano, type EvaluateOptions, type NanoEvaluation, type Score } from './nano/evaluate.ts';
export { createNano, type NanoDeps } from './nano/nano.ts';
export { type Layout, layoutOf, type Parameter, parameterValues, type TrainedModel } from './train/layout.ts';
export { createLora, freshAdapter, type Lora, loraLayout, type LoraOptions } from './train/lora.ts';
export { gaussian, type SeededUnit, seededUnit } from './train/random.ts';
export {
  createTrainer,
  freshState,
  type StepResult,
  type Trainer,
  type TrainerOptions,
  type TrainingState,
} from './train/trainer.ts';
export {
  type AdamW,
  defaultAdamW,
  gradientGraph,
  stepFeeds,
  trainingCarry,
  trainingGraph,
  type TrainingGraphOptions,
} from './train/training-graph.ts';
