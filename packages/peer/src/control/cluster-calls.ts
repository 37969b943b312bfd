import type {
  ClusterAnswerView,
  ClusterDetail,
  ClusterExportView,
  ClusterGrownView,
  ClusterLearnedView,
  ClusterLesson,
  ClusterRequest,
  ClusterRunView,
  ClusterSteps,
  ClustersView,
  ClusterView,
} from '../clusters/clusters.schema.ts';
import type { MetricsWatch, StateMetricsView } from '../metrics/metrics.schema.ts';

/** One call of the local API. */
export type Call = <T>(method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<T>;

export interface ClusterCalls {
  clusters(signal?: AbortSignal): Promise<ClustersView>;
  /** With the state of every node. */
  cluster(name: string, signal?: AbortSignal): Promise<ClusterDetail>;
  createCluster(request: ClusterRequest): Promise<ClusterView>;
  /** A stream of inputs, one a step. */
  processCluster(name: string, steps: ClusterSteps, signal?: AbortSignal): Promise<ClusterRunView>;
  /** One trial from rest. */
  askCluster(name: string, input: readonly number[], signal?: AbortSignal): Promise<ClusterAnswerView>;
  teachCluster(name: string, lesson: ClusterLesson, signal?: AbortSignal): Promise<ClusterLearnedView>;
  growCluster(name: string): Promise<ClusterGrownView>;
  /** As an ONNX file, base64url. */
  exportCluster(name: string, signal?: AbortSignal): Promise<ClusterExportView>;
  removeCluster(name: string): Promise<void>;
  /** This peer's state and those of others it watches. */
  stateMetrics(signal?: AbortSignal): Promise<StateMetricsView>;
  /** Asks devices for their states for a while; they come as `metrics_update` events. */
  watchMetrics(watch: MetricsWatch, signal?: AbortSignal): Promise<StateMetricsView>;
}

export function clusterCalls(call: Call): ClusterCalls {
  const at = (name: string, verb = ''): string => `/clusters/${encodeURIComponent(name)}${verb}`;
  return {
    clusters: (signal) => call('GET', '/clusters', undefined, signal),
    cluster: (name, signal) => call('GET', at(name), undefined, signal),
    createCluster: (request) => call('POST', '/clusters', request),
    processCluster: (name, steps, signal) => call('POST', at(name, '/process'), steps, signal),
    askCluster: (name, input, signal) => call('POST', at(name, '/ask'), { input }, signal),
    teachCluster: (name, lesson, signal) => call('POST', at(name, '/learn'), lesson, signal),
    growCluster: (name) => call('POST', at(name, '/grow'), {}),
    exportCluster: (name, signal) => call('GET', at(name, '/onnx'), undefined, signal),
    removeCluster: (name) => call('DELETE', at(name)),
    stateMetrics: (signal) => call('GET', '/metrics', undefined, signal),
    watchMetrics: (watch, signal) => call('POST', '/metrics/watch', watch, signal),
  };
}
