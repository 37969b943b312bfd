/**
 * Another world for the same peers: time, network, disk from one seed.
 *
 * @packageDocumentation
 */
export type { DiskFault } from './disk.ts';
export { runSimulation, type SimulationOptions, type SimulationResult } from './simulation.ts';
