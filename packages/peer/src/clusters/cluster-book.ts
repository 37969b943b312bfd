import { type Logger, PeerAiError, type Store } from '@peerai/core-protocol';
import { type Cluster, restoreCluster } from '@peerai/nn-engine/cluster';
import type { PeerErrorCode } from '../errors.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';

/** What is kept of a cluster besides its state. */
export interface ClusterRow {
  readonly seed: number;
  readonly shared: boolean;
  readonly createdMs: number;
  readonly steps: number;
  readonly learned: number;
  readonly heard: number;
  readonly right: number | null;
}
/** A cluster at work. */
export interface KeptCluster {
  readonly name: string;
  readonly cluster: Cluster;
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
  /** On the disk when it resolves; one that was removed meanwhile stays so. */
  save(kept: KeptCluster): Promise<void>;
  remove(name: string): Promise<void>;
}

const stateOf = (name: string): string => `state/${name}`;

/** One that does not open is left out and told in the log. Throws what the store throws. */
export async function openClusterBook(store: Store, logger: Logger): Promise<ClusterBook> {
  const room = store.room('clusters');
  const rows = records<ClusterRow>(room, 'head');
  const clusters = new Map<string, KeptCluster>();
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
  const write = ({ name, row, cluster }: KeptCluster): Promise<void> =>
    room.commit([rows.put(name, row), room.put(stateOf(name), cluster.encode())]);
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
      clusters.set(kept.name, kept);
      await write(kept);
    },
    async save(kept) {
      if (clusters.get(kept.name) === kept) await write(kept);
    },
    async remove(name) {
      clusters.delete(name);
      await room.commit([rows.remove(name), room.put(stateOf(name))]);
    },
  };
}
