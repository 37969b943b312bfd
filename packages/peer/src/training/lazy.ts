/** What training needs once somebody trains: it is loaded then, and not when the agent starts. */
export { ActiveRun } from './active-run.ts';
export { openCommitments } from './commitments.ts';
export { createBases } from './bases.ts';
export { openTrainingEngine, type Seat, type TrainingEngine } from './engine.ts';
export { headOf } from './head-of.ts';
export { planOfImages } from './image-task.ts';
export { readImageTable, sidesIfAny } from './images.ts';
export { describeColumns } from './table.ts';
export { predict } from './predict.ts';
export { planOfTable } from './table-task.ts';
export { sizeOfPlan, taskOfData } from './task.ts';
export { openPrivacyBudget, thresholdOf } from '@peerai/nn-engine/privacy';
export { checkRun, createRuns, decodeRun, decodeState, meanPacking, updatePacking } from '@peerai/nn-engine/rounds';
