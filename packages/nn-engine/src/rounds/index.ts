/**
 * What a training round is made of, without the network: packed deltas, robust aggregation, and the step from one round to the next.
 *
 * @packageDocumentation
 */
export { aggregate, type Aggregate, type Refusal, type RobustRule, type Update } from './aggregate.ts';
export { deltaBytes, type DeltaBits, packDelta, type PackedDelta, unpackDelta } from './delta.ts';
export { diLoCo, localSgd, type OuterStep, outerStep, type SharedState } from './outer.ts';
