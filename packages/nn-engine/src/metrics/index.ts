/**
 * Heuristics about the state of a network, by written formulas; signed states of peers, their collective value, and alerts. For anyone who
 * wants to stream and watch such numbers without taking them for more than they are.
 *
 * @packageDocumentation
 */
export { type AlertChange, type AlertMachine, type AlertRule, type AlertState, createAlertMachine } from './alerts.ts';
export { clusterSample } from './cluster-sample.ts';
export { collectiveValue, type CollectiveValue } from './collective.ts';
export {
  createStateTracker,
  type MetricName,
  metricNames,
  type StateMetrics,
  type StateSample,
  type StateTracker,
} from './metrics.ts';
export { openState, type PeerState, type SignedState, signState } from './signed-state.ts';
export { createStateTable, type StateTable } from './state-table.ts';
