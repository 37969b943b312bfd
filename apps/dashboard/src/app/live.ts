import type {
  CapsuleDetail,
  ClustersView,
  ClusterView,
  ControlClient,
  ControlEvent,
  FilesView,
  GroupMessageView,
  GroupView,
  MemoryFoundView,
  MessageView,
  PairingsView,
  PeerView,
  PendingPairing,
  ShareView,
  StateMetricsView,
  TasksView,
  TrainingDetail,
  TrainingRoundView,
  TrainingRunView,
} from '@peerai/peer/control';
import type { QueryClient } from '@tanstack/react-query';
import { keys } from './keys.ts';
import { limits } from './limits.ts';

/** Nodes of a cluster that fired just now. */
export interface Fired {
  readonly nodes: readonly number[];
}

interface TrafficPoint {
  readonly bytesPerSecond: number;
  readonly tokensPerSecond: number;
}

export interface LiveState {
  /** `lost`: the events stopped; pages poll until they are back. */
  readonly link: 'connecting' | 'live' | 'lost';
  readonly lastEventMs: number;
  readonly answering: number;
  /** The last minute, oldest first. */
  readonly traffic: readonly TrafficPoint[];
}

export interface Live {
  readonly state: LiveState;
  readonly subscribe: (listener: () => void) => () => void;
}

export interface LiveDeps {
  readonly client: Pick<ControlClient, 'events'>;
  readonly cache: QueryClient;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Follows the agent's events until the signal fires, coming back with `Last-Event-ID` after every break. */
export function startLive({ client, cache, now, sleep }: LiveDeps, signal: AbortSignal): Live {
  let state: LiveState = { link: 'connecting', lastEventMs: now(), answering: 0, traffic: [] };
  const listeners = new Set<() => void>();
  const change = (patch: Partial<LiveState>): void => {
    state = { ...state, ...patch };
    for (const listener of listeners) listener();
  };
  const follow = async (): Promise<void> => {
    let lastEventId: string | undefined;
    let attempt = 0;
    while (!signal.aborted) {
      try {
        for await (const event of client.events(signal, lastEventId)) {
          if (event.id !== '') lastEventId = event.id;
          if (state.link === 'lost') void cache.invalidateQueries();
          attempt = 0;
          change({ link: 'live', lastEventMs: now(), ...trafficOf(state, event) });
          applyEvent(cache, event);
        }
      } catch {
        // Whatever ended the stream, the same follows: say so, wait, come back.
      }
      if (signal.aborted) return;
      change({ link: 'lost' });
      await sleep(limits.reconnectMs[Math.min(attempt, limits.reconnectMs.length - 1)] ?? 0, signal).catch(
        () => undefined,
      );
      attempt += 1;
    }
  };
  void follow();
  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function trafficOf(state: LiveState, event: ControlEvent): Partial<LiveState> {
  if (event.type !== 'traffic') return {};
  const { bytesPerSecond, tokensPerSecond, answering } = event;
  return {
    answering,
    traffic: [...state.traffic, { bytesPerSecond, tokensPerSecond }].slice(-limits.trafficPointsMax),
  };
}

/** How much of the weights of a model that is being split is at its devices. */
export type SplitProgress = Extract<ControlEvent, { type: 'split-progress' }>;

/** What an event changes of what the pages hold. */
export function applyEvent(cache: QueryClient, event: ControlEvent): void {
  switch (event.type) {
    case 'peer-connected':
    case 'peer-disconnected':
    case 'peer-updated':
      cache.setQueryData<readonly PeerView[]>(keys.peers, (peers) => put(peers, event.peer, (peer) => peer.peerId));
      // Who is refused loses its link.
      if (event.type === 'peer-disconnected') void cache.invalidateQueries({ queryKey: keys.reputations });
      break;
    case 'peer-removed':
      cache.setQueryData<readonly PeerView[]>(keys.peers, (peers) =>
        peers?.filter((peer) => peer.peerId !== event.peerId),
      );
      break;
    case 'pairing-changed':
      cache.setQueryData<PairingsView>(
        keys.pairings,
        (view) => view && { ...view, pending: put(view.pending, event.pairing, pairingId) ?? [] },
      );
      if (event.pairing.state === 'accepted') void cache.invalidateQueries({ queryKey: keys.peers });
      break;
    case 'share-changed':
      cache.setQueryData<readonly ShareView[]>(keys.shares, (shares) =>
        put(shares, event.share, (share) => share.id, 'first'),
      );
      break;
    case 'models-changed':
      void cache.invalidateQueries({ queryKey: keys.models });
      break;
    case 'relay-changed':
      void cache.invalidateQueries({ queryKey: keys.node });
      break;
    case 'receipt-signed':
    case 'ledger-fork':
      for (const queryKey of [keys.ledger, keys.reputations])
        void cache.invalidateQueries({ queryKey }, { cancelRefetch: false });
      break;
    case 'task-changed':
      cache.setQueryData<TasksView>(
        keys.tasks,
        (view) => view && { ...view, tasks: put(view.tasks, event.task, (task) => task.id, 'first') ?? [] },
      );
      break;
    case 'lease-changed':
      for (const queryKey of [keys.nodeLeases, keys.lending, keys.market])
        void cache.invalidateQueries({ queryKey, exact: true }, { cancelRefetch: false });
      break;
    case 'market-changed':
      // Each answer of a lease changes it: one that is being asked for is not asked for again.
      for (const queryKey of [keys.market, keys.storage])
        void cache.invalidateQueries({ queryKey, exact: true }, { cancelRefetch: false });
      break;
    case 'governance-changed':
      // The list, for what is open, and the group itself.
      void cache.invalidateQueries({ queryKey: keys.governance });
      break;
    case 'training-changed':
      changeRun(cache, event.run);
      break;
    case 'training-round':
      changeRound(cache, event.runId, event.round);
      break;
    case 'cluster-changed':
      changeCluster(cache, event.name, event.cluster);
      break;
    case 'cluster-fired':
      cache.setQueryData<Fired>([...keys.clusterFired, event.name], { nodes: event.nodes });
      break;
    case 'peer-clusters-changed':
      void cache.invalidateQueries({ queryKey: keys.clusters, exact: true });
      break;
    case 'metrics_update':
      cache.setQueryData<readonly StateMetricsView[]>(keys.stateMetrics, (views = []) =>
        [...views, event.metrics].slice(-limits.metricsPointsMax),
      );
      break;
    // The state that comes with the next update says it too.
    case 'metrics-alert':
      break;
    case 'split-progress':
      cache.setQueryData<SplitProgress>(keys.splitProgress, event);
      break;
    case 'memory-changed':
      // Many may change at once: one that is being asked for is not asked for again.
      for (const queryKey of [keys.memory, keys.memoryGraph])
        void cache.invalidateQueries({ queryKey }, { cancelRefetch: false });
      if (event.isHere) void cache.invalidateQueries({ queryKey: [...keys.memoryOne, event.capsuleId] });
      else dropCapsule(cache, event.capsuleId);
      break;
    case 'message-received':
      cache.setQueryData<readonly MessageView[]>(keys.messages, (messages) =>
        put(messages, event.message, (message) => message.id, 'first'),
      );
      break;
    case 'file-changed':
      cache.setQueryData<FilesView>(
        keys.files,
        (view) => view && { ...view, files: put(view.files, event.file, (file) => file.id, 'first') ?? [] },
      );
      // What it takes of the room is counted where it lies.
      if (event.file.endedMs !== null) void cache.invalidateQueries({ queryKey: keys.files });
      break;
    case 'group-changed':
      changeGroup(cache, event.groupId, event.group);
      break;
    case 'group-message-received':
      cache.setQueryData<readonly GroupMessageView[]>([...keys.groups, event.message.group, 'messages'], (messages) =>
        put(messages, event.message, (message) => message.id, 'first'),
      );
      break;
    case 'state-changed':
      // The list, for its counts, and the document with its contents.
      void cache.invalidateQueries({ queryKey: keys.documents });
      break;
    case 'traffic':
      break;
  }
}

function changeGroup(cache: QueryClient, id: string, group: GroupView | null): void {
  cache.setQueryData<readonly GroupView[]>(keys.groups, (groups) =>
    group === null ? groups?.filter((one) => one.id !== id) : put(groups, group, (one) => one.id),
  );
}

function changeCluster(cache: QueryClient, name: string, cluster: ClusterView | null): void {
  cache.setQueryData<ClustersView>(keys.clusters, (view) => {
    if (view === undefined) return undefined;
    const others = view.clusters.filter((one) => one.name !== name);
    const clusters = cluster === null ? others : (put(view.clusters, cluster, (one) => one.name) ?? []);
    return { ...view, clusters };
  });
  if (cluster === null) cache.removeQueries({ queryKey: [...keys.clusters, name] });
  else void cache.invalidateQueries({ queryKey: [...keys.clusters, name] }, { cancelRefetch: false });
}

function dropCapsule(cache: QueryClient, id: string): void {
  cache.setQueryData<CapsuleDetail | null>([...keys.memoryOne, id], null);
  cache.setQueriesData<MemoryFoundView>(
    { queryKey: keys.memorySearch },
    (found) => found && { ...found, hits: found.hits.filter(({ capsule }) => capsule.id !== id) },
  );
}

function changeRun(cache: QueryClient, run: TrainingRunView): void {
  cache.setQueryData<readonly TrainingRunView[]>(keys.training, (runs) => put(runs, run, ({ id }) => id, 'first'));
  cache.setQueryData<TrainingDetail>([...keys.training, run.id], (detail) => detail && { ...detail, ...run });
}

function changeRound(cache: QueryClient, runId: string, round: TrainingRoundView): void {
  cache.setQueryData<TrainingDetail>(
    [...keys.training, runId],
    (detail) => detail && { ...detail, rounds: put(detail.rounds, round, (one) => `${one.round}`) ?? [] },
  );
}

const pairingId = (pairing: PendingPairing): string => pairing.id;

/** The list with this item in the place of its namesake, else at the chosen end; `undefined` while nothing was fetched. */
function put<T>(
  list: readonly T[] | undefined,
  item: T,
  idOf: (item: T) => string,
  end: 'first' | 'last' = 'last',
): T[] | undefined {
  if (list === undefined) return undefined;
  const id = idOf(item);
  if (list.some((other) => idOf(other) === id)) return list.map((other) => (idOf(other) === id ? item : other));
  return end === 'first' ? [item, ...list] : [...list, item];
}
