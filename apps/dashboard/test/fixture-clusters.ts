import type { ClusterDetail, ClusterView, StateMetricsView } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

const self = { peerId: '12D3KooWLaptop', name: 'laptop' };
const study = { peerId: '12D3KooWStudy', name: 'study-pc' };

export interface ClustersState {
  clusters: ClusterDetail[];
  metrics: StateMetricsView;
}

function fixtureCluster(patch: Partial<ClusterView> & { readonly name: string }, nowMs: number): ClusterDetail {
  const view = {
    nodes: 24,
    nodesMax: 128,
    inputs: 2,
    outputs: 2,
    edges: 36,
    seed: 7,
    shared: false,
    createdMs: nowMs - 60_000,
    steps: 40,
    learned: 0,
    heard: 0,
    right: null,
    ...patch,
  };
  const state = Array.from({ length: view.nodes }, (_, node) => ({
    fired: node % 5 === 0 ? ('threshold' as const) : null,
    value: node % 5 === 0 ? 1.2 : 0,
    accumulator: (node % 7) / 5,
    threshold: 1.4,
    timer: node % 9,
    interval: 11.5,
    edges: node < 2 ? [] : [{ from: node - 2, weight: 0.4 + (node % 4) / 3 }],
  }));
  return { v: 1, ...view, state };
}

/** One that learned and is shared, and one that was just made. */
export function fixtureClusters(nowMs: number): ClustersState {
  const numbers = {
    phi: 0.31,
    coherence: 0.62,
    entropy: 0.81,
    valence: -0.12,
    arousal: 1,
    empathy: 0.97,
    insight: 0.02,
  };
  return {
    clusters: [
      fixtureCluster({ name: 'signs', shared: true, learned: 800, heard: 120, right: 0.93 }, nowMs),
      fixtureCluster({ name: 'still', nodes: 2, edges: 0, steps: 0 }, nowMs),
    ],
    metrics: {
      v: 1,
      own: { ...self, timeMs: nowMs, metrics: numbers },
      others: [{ ...study, timeMs: nowMs, metrics: { ...numbers, phi: 0.11, empathy: null } }],
      collective: { metrics: { ...numbers, phi: 0.21 }, peers: 2, weights: 'reputation' },
      alerts: [{ metric: 'arousal', when: 'above', threshold: 0.9, hysteresis: 0.1, raised: true }],
      subscribers: 1,
      watchedUntilMs: nowMs + 15_000,
    },
  };
}

export const answerMetrics = ({ clusters }: { clusters: ClustersState }): unknown =>
  schemas.stateMetricsSchema.parse(clusters.metrics);

/** The clusters of the local API. */
export function answerClusters(
  { clusters: room }: { clusters: ClustersState },
  { method, path }: { readonly method: string; readonly path: string },
  body: unknown,
): unknown {
  const [, , name, verb] = path.split('/').map(decodeURIComponent);
  const one = room.clusters.find((cluster) => cluster.name === name);
  const keep = (patch: Partial<ClusterView>): ClusterView => {
    room.clusters = room.clusters.map((cluster) => (cluster === one ? { ...cluster, ...patch } : cluster));
    return schemas.clusterSchema.parse({ ...one, ...patch });
  };
  switch (`${method} ${verb ?? ''}`.trim()) {
    case 'GET':
      if (name !== undefined) return one && schemas.clusterDetailSchema.parse(one);
      return schemas.clustersSchema.parse({
        v: 1,
        clusters: room.clusters,
        peers: [{ id: 'cluster-1', members: [self, study] }],
      });
    case 'POST': {
      const wish = schemas.clusterRequestSchema.parse(body);
      const made = fixtureCluster({ ...wish, edges: 5, steps: 0 }, Date.now());
      room.clusters.push(made);
      return schemas.clusterSchema.parse(made);
    }
    case 'POST process': {
      const { inputs } = schemas.clusterStepsSchema.parse(body);
      const cluster = keep({ steps: (one?.steps ?? 0) + inputs.length });
      return schemas.clusterRunSchema.parse({ v: 1, cluster, fired: inputs.map(() => [0, 3]), values: [1, 0] });
    }
    case 'POST ask':
      schemas.clusterQuestionSchema.parse(body);
      return schemas.clusterAnswerSchema.parse({ v: 1, votes: [0, 2], shares: [0.119, 0.881], label: 1 });
    case 'POST learn': {
      const { examples, passes } = schemas.clusterLessonSchema.parse(body);
      const presented = examples.length * passes;
      const cluster = keep({ learned: presented, right: 0.925 });
      return schemas.clusterLearnedSchema.parse({ v: 1, cluster, presented, rightFirst: 0.61, rightLast: 0.925 });
    }
    case 'POST grow': {
      const cluster = keep({ nodes: (one?.nodes ?? 0) + 3 });
      return schemas.clusterGrownSchema.parse({ v: 1, cluster, split: 3, strengthened: 1, pruned: 2 });
    }
    case 'DELETE':
      room.clusters = room.clusters.filter((cluster) => cluster !== one);
      return {};
    default:
      return undefined;
  }
}
