import type { Cluster } from '../cluster/cluster.ts';
import type { StateSample } from './metrics.ts';

/**
 * A gating cluster as a state: what each node gave in the last step, the weights of its edges, and as phase the part of its interval that a
 * node has waited, as an angle.
 */
export function clusterSample(cluster: Pick<Cluster, 'nodes'>): Required<StateSample> {
  const nodes = cluster.nodes();
  return {
    activity: nodes.map(({ value }) => value),
    connections: nodes.flatMap(({ edges }) => edges.map(({ weight }) => weight)),
    phases: nodes.map(({ timer, interval }) => (2 * Math.PI * timer) / interval),
  };
}
