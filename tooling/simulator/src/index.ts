/**
 * Another world for the same peers: time, network, disk from one seed.
 *
 * @packageDocumentation
 */
export { type AgreementMutant, agreementMutants } from './agreement/mutants.ts';
export { type GroupShape, groupShapes } from './agreement/shape.ts';
export {
  type AgreementSimulationOptions,
  type AgreementSimulationResult,
  simulateAgreement,
} from './agreement/simulation.ts';
export { type Mutant, mutants } from './disk.ts';
export { runSimulation, type SimulationOptions, type SimulationResult } from './simulation.ts';
