/**
 * Another world for the same peers: time, network, disk from one seed.
 *
 * @packageDocumentation
 */
export { type Mutant, mutants } from './disk.ts';
export { runSimulation, type SimulationOptions, type SimulationResult } from './simulation.ts';
