import { type CryptoProvider, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import { restoreCluster } from '@peerai/nn-engine/cluster';
import type { EventHub } from '../events/hub.ts';
import { ownLimits } from '../own/limits.ts';
import { clusterLimits } from './limits.ts';
import type { ClusterBook, ClusterRow, KeptCluster } from './cluster-book.ts';
import { type ClusterFacts, decide } from './cluster-versions.ts';

/** A cluster of a device as the owner's other devices see it; `undefined` in place of a row: it was removed there. */
export interface ClusterHead extends ClusterFacts {
  readonly name: string;
  readonly row: ClusterRow | undefined;
}
interface OwnClustersDeps {
  readonly book: ClusterBook;
  readonly crypto: CryptoProvider;
  readonly identity: { readonly peer: PeerId };
  readonly events: EventHub;
  readonly changed: (kept: KeptCluster) => void;
  /** Whether one is shared may have changed. */
  readonly looked: () => void;
}
const never: ClusterFacts = { version: {}, removed: true, work: 0, hash: '' };

/** Clusters between the devices of one owner: the last writer's, by version vectors. */
export function ownClusters({ book, crypto, identity, events, changed, looked }: OwnClustersDeps) {
  const headOf = ({ name, row, cluster }: KeptCluster): ClusterHead => ({
    name,
    row,
    version: row.version ?? {},
    removed: false,
    work: row.steps + row.learned + row.heard,
    hash: toHex(crypto.sha256(cluster.encode())),
  });
  const find = (name: string): KeptCluster | undefined => book.list().find((one) => one.name === name);
  const mineOf = (name: string): ClusterFacts => {
    const kept = find(name);
    if (kept !== undefined) return headOf(kept);
    return { ...never, version: book.gone().get(name) ?? {} };
  };
  return {
    heads: (): readonly ClusterHead[] => [
      ...book.list().map(headOf),
      ...[...book.gone()].map(([name, version]) => ({ ...never, name, row: undefined, version })),
    ],
    stateOf: (name: string): Uint8Array => book.find(name).cluster.encode(),
    async merge(theirs: ClusterHead, fetch: () => Promise<Uint8Array>): Promise<'same' | 'taken' | 'conflict'> {
      const before = decide(mineOf(theirs.name), theirs);
      // With this device, which may change it next.
      if (new Set([identity.peer, ...Object.keys(before.version)]).size > ownLimits.versionPeersMax)
        throw new PeerAiError(
          'LIMIT_REACHED',
          `"${theirs.name}" was changed by more than ${ownLimits.versionPeersMax} devices`,
        );
      const bytes = before.take && theirs.row !== undefined ? await fetch() : undefined;
      if (bytes !== undefined && toHex(crypto.sha256(bytes)) !== theirs.hash) return 'same';
      const kept = find(theirs.name);
      const apply = async (): Promise<'same' | 'taken' | 'conflict'> => {
        // What was learned here while the state came is looked at too.
        const { take, version, isConflict } = decide(mineOf(theirs.name), theirs);
        const now = find(theirs.name);
        if (!take) {
          if (now !== undefined && version !== now.row.version)
            await book.adopt(theirs.name, { ...now.row, version }, undefined);
          return isConflict ? 'conflict' : 'same';
        }
        if (theirs.row === undefined) await book.adopt(theirs.name, { ...nothing, version }, 'removed');
        else if (bytes === undefined) return 'same';
        else {
          if (now === undefined && book.list().length >= clusterLimits.clustersMax)
            throw new PeerAiError(
              'LIMIT_REACHED',
              `"${theirs.name}" would be more than ${clusterLimits.clustersMax} clusters`,
            );
          await book.adopt(theirs.name, { ...theirs.row, version }, restoreCluster(bytes));
        }
        const after = find(theirs.name);
        if (after === undefined) events.emit({ type: 'cluster-changed', name: theirs.name, cluster: null });
        else changed(after);
        looked();
        return isConflict ? 'conflict' : 'taken';
      };
      return kept === undefined ? await apply() : await kept.turn(apply);
    },
  };
}

const nothing: ClusterRow = { seed: 0, shared: false, createdMs: 0, steps: 0, learned: 0, heard: 0, right: null };
