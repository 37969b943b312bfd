/**
 * The class `DistributedNeuralNetwork` of the DistributedNN prototype, over the real parts of this house; in Node and in a page.
 *
 * @packageDocumentation
 */
export type { ChainStats, MemoryRecord } from './chain.ts';
export type { ClusterView } from './clusters.ts';
export type {
  DeviceDeps,
  DeviceNews,
  DeviceSignalling,
  FoundDevice,
  LearningTask,
  MeetingPoint,
  NodeLending,
} from './deps.ts';
export { type DatabaseStats, DistributedNeuralNetwork, type NetworkStats } from './distributed-neural-network.ts';
export type { SessionView } from './learning.ts';
export type { MemoryHit, MemoryTrends } from './memories.ts';
export type { LinkView, PeerView } from './peers.ts';
