import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Store,
  toBase64Url,
} from '@peerai/core-protocol';
import { type Cluster, createCluster, mostVoted, type ReceivedError, softmax } from '@peerai/nn-engine/cluster';
import { clusterSample, type StateSample } from '@peerai/nn-engine/metrics';
import type { z } from 'zod';
import type { PeerErrorCode } from '../errors.ts';
import type { EventHub } from '../events/hub.ts';
import { clusterLimits } from './limits.ts';
import { createMutex } from '../store/mutex.ts';
import { type ClusterRow, type KeptCluster, openClusterBook } from './cluster-book.ts';
import type {
  ClusterAnswerView,
  ClusterDetail,
  ClusterExportView,
  ClusterGrownView,
  ClusterLearnedView,
  clusterLessonSchema,
  ClusterQuestion,
  clusterRequestSchema,
  ClusterRunView,
  clusterStepsSchema,
  ClustersView,
  ClusterView,
} from './clusters.schema.ts';
import { type Company, type CompanyDeps, openCompany } from './company.ts';
import { type ClusterHead, ownClusters } from './own-clusters.ts';
import { createFirings } from './firings.ts';
import { firedNow, learnExamples, processSteps } from './work.ts';

export interface ClusterRoomDeps extends Pick<CompanyDeps, 'others' | 'own'> {
  readonly identity: Identity;
  readonly network: Network;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  readonly stopping: AbortSignal;
}
/** Gating clusters of this peer: all they learn is on the disk. A cluster is named by its name. */
export interface ClusterRoom {
  list(): ClustersView;
  /** Throws CLUSTER_UNKNOWN. */
  get(name: string): ClusterDetail;
  /** Throws CLUSTER_EXISTS, LIMIT_REACHED, INVALID_OPTION. */
  create(wish: z.output<typeof clusterRequestSchema>): Promise<ClusterView>;
  /** A stream of inputs, in which thresholds adapt. Throws CLUSTER_UNKNOWN, INVALID_OPTION, LIMIT_EXCEEDED, ABORTED. */
  process(name: string, steps: z.output<typeof clusterStepsSchema>, signal: AbortSignal): Promise<ClusterRunView>;
  /** A trial from rest. Throws CLUSTER_UNKNOWN, INVALID_OPTION. */
  ask(name: string, question: ClusterQuestion, signal: AbortSignal): Promise<ClusterAnswerView>;
  /** Throws CLUSTER_UNKNOWN, INVALID_OPTION, LIMIT_EXCEEDED, ABORTED. */
  learn(name: string, lesson: z.output<typeof clusterLessonSchema>, signal: AbortSignal): Promise<ClusterLearnedView>;
  /** Splits busy nodes, strengthens used edges, drops weak ones. Throws CLUSTER_UNKNOWN. */
  grow(name: string): Promise<ClusterGrownView>;
  /** As an ONNX file that begins from what it is now. Throws CLUSTER_UNKNOWN. */
  toOnnx(name: string): Promise<ClusterExportView>;
  /** Throws CLUSTER_UNKNOWN. */
  remove(name: string): Promise<void>;
  /** What all clusters are now, as one state; undefined without any. */
  sample(): StateSample | undefined;
  /** The rights of a device changed: what it may not do any more ends. */
  review(peer: PeerId, mayTrain: boolean): void;
  /** All clusters, and those that were removed, as other devices of this owner compare them. */
  heads(): readonly ClusterHead[];
  /** Its state, as `restoreCluster` takes it. Throws CLUSTER_UNKNOWN. */
  stateOf(name: string): Uint8Array;
  /** Compares one of another device of this owner with the one here, and takes it where it is the newer. Throws LIMIT_REACHED, INVALID_FORMAT, what `fetch` throws. */
  merge(head: ClusterHead, fetch: () => Promise<Uint8Array>): Promise<'same' | 'taken' | 'conflict'>;
  close(): Promise<void>;
}

/** Throws what the store throws. */
export async function openClusterRoom(deps: ClusterRoomDeps): Promise<ClusterRoom> {
  const { clock, logger, events, nameOf, stopping } = deps;
  const book = await openClusterBook(deps.store, logger, deps.identity.peer);
  const firings = createFirings(deps);
  const changed = (kept: KeptCluster): void =>
    events.emit({ type: 'cluster-changed', name: kept.name, cluster: viewOf(kept) });
  const late = lateSaves(deps, async (kept) => {
    await book.save(kept);
    changed(kept);
  });
  const heard = ({ cluster: name, error }: ReceivedError): void => {
    const kept = book.list().find((one) => one.name === name && one.row.shared);
    if (kept === undefined || kept.cluster.outputs !== error.length) return;
    kept.cluster.learn(error);
    kept.row = { ...kept.row, heard: kept.row.heard + 1 };
    late.note(kept);
  };
  const company = companyWhileShared({ ...deps, heard }, () => book.list().some(({ row }) => row.shared));
  const update = async (kept: KeptCluster, row: Partial<ClusterRow>): Promise<ClusterView> => {
    kept.row = { ...kept.row, ...row };
    await book.save(kept);
    changed(kept);
    return viewOf(kept);
  };
  /** One request after the other; what an aborted one did stands, and is saved a little later. */
  const atWork = async <T>(name: string, work: (kept: KeptCluster) => Promise<T>): Promise<T> => {
    const kept = book.find(name);
    return await kept.turn(async () => {
      try {
        return await work(kept);
      } catch (error) {
        late.note(kept);
        throw error;
      }
    });
  };
  return {
    list: () => ({
      v: 1,
      clusters: book.list().map(viewOf),
      peers: (company.now()?.clusters() ?? []).map(({ id, members }) => ({
        id,
        members: members.map((peer) => ({ peerId: peer, name: nameOf(peer) })),
      })),
    }),
    get: (name) => detailOf(book.find(name)),
    async create({ name, shared, ...shape }) {
      if (book.has(name))
        throw new PeerAiError<PeerErrorCode>('CLUSTER_EXISTS', `there is a cluster "${name}" here already`);
      if (book.list().length >= clusterLimits.clustersMax)
        throw new PeerAiError('LIMIT_REACHED', `at most ${clusterLimits.clustersMax} clusters; remove one first`);
      const nodesMax = Math.max(shape.nodes, shape.nodesMax);
      const cluster = createCluster({ ...shape, nodesMax });
      const counts = { steps: 0, learned: 0, heard: 0, right: null };
      const row = { seed: shape.seed, shared, createdMs: clock.nowMs(), ...counts };
      const kept = { name, cluster, row, turn: createMutex() };
      await book.add(kept);
      company.look();
      changed(kept);
      return viewOf(kept);
    },
    process: (name, steps, signal) =>
      atWork(name, async (kept) => {
        const fired = (nodes: readonly number[]): void => {
          kept.row = { ...kept.row, steps: kept.row.steps + 1 };
          firings.note(name, nodes);
        };
        const work = { clock, signal: AbortSignal.any([signal, stopping]), fired };
        const done = await processSteps(kept.cluster, steps, work);
        return { v: 1, cluster: await update(kept, {}), ...done };
      }),
    ask: (name, { input }, signal) =>
      atWork(name, async ({ cluster }) => {
        signal.throwIfAborted();
        const votes = cluster.present(input);
        firings.note(name, firedNow(cluster));
        return { v: 1, votes: [...votes], shares: [...softmax(votes)], label: mostVoted(votes) };
      }),
    learn: (name, lesson, signal) =>
      atWork(name, async (kept) => {
        const taught = (error: Float64Array): void => {
          kept.row = { ...kept.row, learned: kept.row.learned + 1 };
          if (kept.row.shared) company.now()?.tell(name, error);
        };
        const fired = (nodes: readonly number[]): void => firings.note(name, nodes);
        const work = { clock, signal: AbortSignal.any([signal, stopping]), fired };
        const done = await learnExamples(kept.cluster, lesson, work, taught);
        return { v: 1, cluster: await update(kept, { right: done.rightLast }), ...done };
      }),
    grow: (name) =>
      atWork(name, async (kept) => {
        const { cluster } = kept;
        const done = { split: cluster.split(), strengthened: cluster.strengthen(), pruned: cluster.prune() };
        return { v: 1, cluster: await update(kept, {}), ...done };
      }),
    toOnnx: (name) =>
      atWork(name, async (kept) => {
        const { clusterOnnx } = await import('@peerai/nn-engine/export');
        return { v: 1, cluster: viewOf(kept), onnx: toBase64Url(clusterOnnx(kept.cluster.encode())) };
      }),
    async remove(name) {
      book.find(name);
      await book.remove(name);
      firings.forget(name);
      company.look();
      events.emit({ type: 'cluster-changed', name, cluster: null });
    },
    ...ownClusters({ ...deps, book, changed, looked: () => company.look() }),
    sample: () => sampleOf(book.list().map(({ cluster }) => cluster)),
    review(peer, mayTrain) {
      if (!mayTrain) company.now()?.cutOff(peer);
      company.look();
    },
    close: () => late.flush(),
  };
}

/** Company is kept only while a cluster is shared. */
function companyWhileShared(
  deps: ClusterRoomDeps & Pick<CompanyDeps, 'heard'>,
  isShared: () => boolean,
): { now(): Company | undefined; look(): void } {
  const { clock, logger, events, stopping } = deps;
  let company: Company | undefined;
  let isWaiting = false;
  const lookAgain = async (): Promise<void> => {
    isWaiting = true;
    await clock.sleep(clusterLimits.clusterLookMs, stopping).catch(() => undefined);
    isWaiting = false;
    look();
  };
  const look = (): void => {
    if (stopping.aborted) return;
    if (!isShared()) {
      company?.end();
      company = undefined;
      return;
    }
    company ??= openCompany({
      ...deps,
      changed: (changes) => {
        for (const { type, ...facts } of changes) logger.info(`peer-cluster-${type}`, facts);
        events.emit({ type: 'peer-clusters-changed' });
      },
    });
    company.look();
    if (!isWaiting) void lookAgain();
  };
  look();
  return { now: () => company, look };
}

/** Saves what other peers taught, and what an aborted request left, a little later and once for many. */
function lateSaves({ clock, logger, stopping }: ClusterRoomDeps, save: (kept: KeptCluster) => Promise<void>) {
  const waiting = new Set<KeptCluster>();
  const flush = async (): Promise<void> => {
    const all = [...waiting];
    waiting.clear();
    await Promise.all(all.map((kept) => save(kept)));
  };
  const later = async (): Promise<void> => {
    await clock.sleep(clusterLimits.clusterSaveMs, stopping);
    await flush();
  };
  return {
    note(kept: KeptCluster): void {
      waiting.add(kept);
      if (waiting.size > 1) return;
      void later().catch((error: unknown) => {
        // The end of the peer saves what waits.
        if (!stopping.aborted) logger.error('cluster-not-saved', { name: kept.name, error: String(error) });
      });
    },
    flush,
  };
}

function viewOf({ name, cluster, row }: KeptCluster): ClusterView {
  const { size, nodesMax, inputs, outputs } = cluster;
  const edges = cluster.nodes().reduce((sum, node) => sum + node.edges.length, 0);
  return { name, nodes: size, nodesMax, inputs, outputs, edges, ...row };
}

function detailOf(kept: KeptCluster): ClusterDetail {
  const state = kept.cluster.nodes().map(({ fired = null, value, accumulator, threshold, timer, interval, edges }) => ({
    fired,
    value,
    accumulator,
    threshold,
    timer,
    interval,
    edges: edges.map((edge) => ({ ...edge })),
  }));
  return { v: 1, ...viewOf(kept), state };
}

function sampleOf(clusters: readonly Cluster[]): StateSample | undefined {
  if (clusters.length === 0) return undefined;
  const samples = clusters.map((cluster) => clusterSample(cluster));
  const joined = (list: 'activity' | 'connections' | 'phases'): number[] =>
    samples.flatMap((sample) => Array.from(sample[list]));
  return { activity: joined('activity'), connections: joined('connections'), phases: joined('phases') };
}
