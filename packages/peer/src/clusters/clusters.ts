import { PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import type { StateSample } from '@peerai/nn-engine/metrics';
import type { Devices } from '../pairing/devices.ts';
import type { Status } from '../status/status.ts';
import { onDemand } from '../store/on-demand.ts';
import type { ClusterRoom, ClusterRoomDeps } from './cluster-room.ts';
import type { ClusterDetail, ClustersView } from './clusters.schema.ts';

export interface ClustersDeps extends Omit<ClusterRoomDeps, 'others' | 'own'> {
  readonly devices: Devices;
  readonly status: () => Pick<Status, 'own' | 'heard'>;
  readonly isOnline: (peer: PeerId) => boolean;
  readonly mayTrain: (peer: PeerId) => boolean;
  /** There is a cluster now. */
  readonly awake: () => void;
}
/** What devices of one owner ask each other's clusters for. */
export type OwnClusters = Pick<ClusterRoom, 'heads' | 'stateOf' | 'merge'>;

/** Gating clusters of this peer; read from the disk when they are first used. */
export interface Clusters extends Omit<
  ClusterRoom,
  'list' | 'get' | 'review' | 'sample' | 'close' | keyof OwnClusters
> {
  list(): Promise<ClustersView>;
  /** Throws CLUSTER_UNKNOWN. */
  get(name: string): Promise<ClusterDetail>;
  /** What all clusters are now, as one state; undefined without any. */
  sample(): StateSample | undefined;
  /** The rights of a device changed: what it may not do any more ends. */
  review(peer: PeerId): void;
  /** Goes on with shared clusters. */
  start(): Promise<void>;
  /** The clusters as other devices of this owner see them. */
  own(): Promise<OwnClusters>;
  /** On the disk when it resolves. */
  close(): Promise<void>;
}

/** What computes them is loaded when they are used: most peers have none. */
export function createClusters(deps: ClustersDeps): Clusters {
  const { devices, status, isOnline, mayTrain } = deps;
  const others = () =>
    devices.list().flatMap(({ peer }) => {
      const report = mayTrain(peer) && isOnline(peer) ? status().heard(peer)?.report : undefined;
      return report === undefined || report === null ? [] : [{ peer, load: report }];
    });
  const open = async (): Promise<ClusterRoom> => {
    if (deps.stopping.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    const { openClusterRoom } = await import('./cluster-room.ts');
    return openClusterRoom({ ...deps, others, own: () => status().own() });
  };
  const held = onDemand(open);
  const room = held.get;
  return {
    list: async () => (await room()).list(),
    get: async (name) => (await room()).get(name),
    async create(wish) {
      const made = await (await room()).create(wish);
      deps.awake();
      return made;
    },
    process: async (name, steps, signal) => (await room()).process(name, steps, signal),
    ask: async (name, question, signal) => (await room()).ask(name, question, signal),
    learn: async (name, lesson, signal) => (await room()).learn(name, lesson, signal),
    grow: async (name) => (await room()).grow(name),
    toOnnx: async (name) => (await room()).toOnnx(name),
    remove: async (name) => (await room()).remove(name),
    own: room,
    sample: () => held.now()?.sample(),
    review: (peer) => held.now()?.review(peer, mayTrain(peer)),
    async start() {
      if (!(await hasClusters(deps.store))) return;
      await room();
      deps.awake();
    },
    async close() {
      await (await held.settled())?.close();
    },
  };
}

async function hasClusters(store: Store): Promise<boolean> {
  for await (const _ of store.room('clusters').range('head/', 'head0', { limit: 1 })) return true;
  return false;
}
