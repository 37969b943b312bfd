/**
 * A model cut into stages that peers compute one after the other: forward to answer, forward and backward to learn.
 *
 * @packageDocumentation
 */
export { answerTokens, type AnswerOptions } from './answer.ts';
export { openStageAnywhere, type StagePeers } from './anywhere.ts';
export {
  createStageHost,
  type KeptWeights,
  serveStages,
  type StageHost,
  type StageHostDeps,
  type StageHostOptions,
} from './host.ts';
export type { SplitModel } from './layered.ts';
export { type NamedStage, type OpenStage, stageHash } from './messages.ts';
export { createStageTrainer, type PlacedStage, runStages, type StageTrainer } from './pipeline.ts';
export { checkModel, splitModel, type Stage, stageInputs, stageWeights } from './plan.ts';
export { openStage, type StageGradients, type StageMode, type StageOptions, type StageRunner } from './stage.ts';
export { openRemoteStage, type StageDriverDeps } from './remote.ts';
export type { ActivationForm } from './tensors.ts';
export { stageProtocol } from './protocol.ts';
export { stageDecoder } from './stage-decoder.ts';
export { packWeights, serveStageWeights, unpackWeights } from './weights.ts';
