import { createMetrics, type MetricsDeps, type PeerMetrics } from '../metrics/metrics.ts';
import type { PeerSettings } from '../peer-world.ts';
import { type Clusters, type ClustersDeps, createClusters } from './clusters.ts';

export interface ClusterWork {
  readonly clusters: Clusters;
  readonly metrics: PeerMetrics;
  start(): Promise<void>;
}

/** Gating clusters, and how they are: a state there is while there is a cluster. */
export function openClusters(
  deps: Omit<ClustersDeps, 'awake'> & Pick<MetricsDeps, 'reputation'>,
  { metricAlerts = [] }: PeerSettings,
): ClusterWork {
  const clusters = createClusters({ ...deps, awake: () => metrics.wake() });
  const metrics = createMetrics({ ...deps, rules: metricAlerts, sample: () => clusters.sample() });
  return {
    clusters,
    metrics,
    async start() {
      metrics.start();
      await clusters.start();
    },
  };
}
