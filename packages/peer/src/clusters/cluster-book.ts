import { type Logger, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { type Cluster, restoreCluster } from '@peerai/nn-engine/cluster';
import type { PeerErrorCode } from '../errors.ts';
import { clusterLimits } from './limits.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';
import { changedBy, type ClusterVersion } from './cluster-versions.ts';

/** What is kept of a cluster besides its state. */
export interface ClusterRow {
  readonly seed: number;
  readonly shared: boolean;
  readonly createdMs: number;
  readonly steps: number;
  readonly learned: number;
  readonly heard: number;
  readonly right: number | null;
  /** By whom it was changed; absent in rows from before there was one. */
  readonly version?: ClusterVersion;
}
/** A cluster at work. */
export interface KeptCluster {
  readonly name: string;
  cluster: Cluster;
  row: ClusterRow;
  /** One request after the other. */
  readonly turn: ReturnType<typeof createMutex>;
}

/** Clusters in memory, with all they have learned on the disk. */
export interface ClusterBook {
  /** By name. */
  list(): readonly KeptCluster[];
  /** Throws CLUSTER_UNKNOWN. */
  find(name: string): KeptCluster;
  has(name: string): boolean;
  add(kept: KeptCluster): Promise<void>;
  /** A change of this peer. On the disk when it resolves; one that was removed meanwhile stays so. */
  save(kept: KeptCluster): Promise<void>;
  remove(name: string): Promise<void>;
  /** Clusters that were removed, the newest ones; by name. */
  gone(): ReadonlyMap<string, ClusterVersion>;
  /** As another device of this owner has it: a state, or that it was removed; `undefined` leaves the state and moves the version. */
  adopt(name: string, row: ClusterRow, state: Cluster | 'removed' | undefined): Promise<void>;
}

const stateOf = (name: string): string => `state/${name}`;

/** One that does not open is left out and told in the log. Throws what the store throws. */
export async function openClusterBook(store: Store, logger: Logger, self: PeerId): Promise<ClusterBook> {
  const room = store.room('clusters');
  const rows = records<ClusterRow>(room, 'head');
  const goneRows = records<ClusterVersion>(room, 'gone');
  const clusters = new Map<string, KeptCluster>();
  const gone = new Map<string, ClusterVersion>();
  for await (const [name, version] of goneRows.all()) gone.set(name, version);
  for await (const [name, row] of rows.all()) {
    try {
      const bytes = await room.get(stateOf(name));
      const cluster = restoreCluster(bytes ?? new Uint8Array());
      clusters.set(name, { name, row, cluster, turn: createMutex() });
    } catch (error) {
      if (!PeerAiError.is(error, 'INVALID_FORMAT')) throw error;
      logger.error('cluster-damaged', { name, reason: error.message });
    }
  }
  const write = async ({ name, row, cluster }: KeptCluster): Promise<void> => {
    gone.delete(name);
    await room.commit([rows.put(name, row), room.put(stateOf(name), cluster.encode()), goneRows.remove(name)]);
  };
  const change = async (kept: KeptCluster): Promise<void> => {
    kept.row = { ...kept.row, version: changedBy(kept.row.version ?? {}, self) };
    await write(kept);
  };
  const drop = async (name: string, version: ClusterVersion): Promise<void> => {
    clusters.delete(name);
    gone.delete(name);
    gone.set(name, version);
    const oldest = [...gone.keys()].slice(0, Math.max(0, gone.size - clusterLimits.clustersGoneMax));
    for (const one of oldest) gone.delete(one);
    await room.commit([
      rows.remove(name),
      room.put(stateOf(name)),
      goneRows.put(name, version),
      ...oldest.map((one) => goneRows.remove(one)),
    ]);
  };
  return {
    list: () => [...clusters.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    has: (name) => clusters.has(name),
    find(name) {
      const kept = clusters.get(name);
      if (kept !== undefined) return kept;
      const there = [...clusters.keys()];
      const text = `there is no cluster "${name.slice(0, 64)}" here`;
      throw new PeerAiError<PeerErrorCode>('CLUSTER_UNKNOWN', text, { clusters: there });
    },
    async add(kept) {
      // A name that was used before goes on from there, so that the new cluster is newer than the removal.
      kept.row = { ...kept.row, version: gone.get(kept.name) ?? {} };
      clusters.set(kept.name, kept);
      await change(kept);
    },
    async save(kept) {
      if (clusters.get(kept.name) === kept) await change(kept);
    },
    remove: (name) => drop(name, changedBy(clusters.get(name)?.row.version ?? {}, self)),
    gone: () => gone,
    async adopt(name, row, state) {
      if (state === 'removed') return drop(name, row.version ?? {});
      const kept = clusters.get(name);
      if (kept === undefined) {
        if (state === undefined) return;
        const made = { name, row, cluster: state, turn: createMutex() };
        clusters.set(name, made);
        return write(made);
      }
      kept.row = state === undefined ? { ...kept.row, version: row.version ?? {} } : row;
      if (state !== undefined) kept.cluster = state;
      await write(kept);
    },
  };
}
