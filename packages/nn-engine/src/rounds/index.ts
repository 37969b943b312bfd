/**
 * Training together: runs over a `Network`, and what their rounds are made of: packed deltas, robust aggregation, the step from one round to the next.
 *
 * @packageDocumentation
 */
export { aggregate, type Aggregate, type Refusal, type RobustRule, type Update } from './aggregate.ts';
export { type BlobTable, createBlobTable } from './blob-table.ts';
export { createFollowerRuns, createRuns } from './create-runs.ts';
export { deltaBytes, type DeltaBits, packDelta, type PackedDelta, unpackDelta } from './delta.ts';
export { openReceipt, signReceipt } from './messages.ts';
export { diLoCo, localSgd, type OuterStep, outerStep, type SharedState, shortNesterov } from './outer.ts';
export type { CommitUpdate, Learner, RunDeps, RunEvent, UnmaskedStates, UpdatePrivacy } from './participant.ts';
export type { PrivateTerms } from './private/terms.ts';
export { meanPacking, type Packing, updatePacking } from './packing.ts';
export { checkRun, decodeRun, encodeRun, type Run, type RunSpec } from './run-spec.ts';
export type { PartOptions, Runs } from './runs.ts';
export { decodeState, encodeState, firstState } from './shared-state.ts';
export { cosineRate, trainerLearner, type TrainerLearnerOptions } from './trainer-learner.ts';
