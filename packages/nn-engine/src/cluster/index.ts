/**
 * Clusters of threshold-gating nodes that learn without a backward pass, grow within a bound and can be saved. For anyone who wants to watch a
 * small network learn one example at a time, in Node or a tab.
 *
 * @packageDocumentation
 */
export {
  type Cluster,
  type ClusterOptions,
  createCluster,
  type LearnOptions,
  type NodeView,
  type PresentOptions,
  restoreCluster,
  type StepOptions,
} from './cluster.ts';
export {
  createErrorExchange,
  type ErrorExchange,
  type ErrorExchangeDeps,
  type ErrorExchangeOptions,
} from './error-exchange.ts';
export { createErrorRelay, type ErrorRelay, type Received as ReceivedError } from './error-relay.ts';
export { type ErrorSignal, latencyWeight, signErrorSignal } from './error-signal.ts';
export {
  formClusters,
  type Formation,
  type FormationChange,
  type FormationOptions,
  noFormation,
  type PeerCluster,
  type PeerLoad,
} from './formation.ts';
export type { Firing } from './node.ts';
export { classError, mostVoted, softmax } from './votes.ts';
export { accuracyOf, type ToyTask, toyTasks, trainCluster } from './toy-tasks.ts';
