import { useInfiniteQuery, useQuery, type UseQueryResult } from '@tanstack/react-query';
import type {
  CapsuleView,
  ClustersView,
  DoctorView,
  DocumentView,
  FilesView,
  GovernanceGroupsView,
  GroupView,
  LeasesView,
  LedgerHead,
  LendingView,
  MarketView,
  MessageView,
  MemoryGraphView,
  ModelsView,
  NodeView,
  PairingsView,
  PeerView,
  ReputationsView,
  RewardsView,
  SettlementView,
  ShareView,
  StorageView,
  TasksView,
  TrainingOffersView,
  TrainingRunView,
} from '@peerai/peer/control';
import { useApp, useLive } from './context.ts';
import { keys } from './keys.ts';
import { limits } from './limits.ts';

function useFetched<T>(queryKey: readonly string[], queryFn: (signal: AbortSignal) => Promise<T>): UseQueryResult<T> {
  const lost = useLive().link === 'lost';
  return useQuery({
    queryKey,
    queryFn: ({ signal }) => queryFn(signal),
    refetchInterval: lost ? limits.pollLostMs : limits.pollLiveMs,
  });
}

export const useNode = (): UseQueryResult<NodeView> => {
  const { client } = useApp();
  return useFetched(keys.node, (signal) => client.node(signal));
};
export const usePeers = (): UseQueryResult<readonly PeerView[]> => {
  const { client } = useApp();
  return useFetched(keys.peers, (signal) => client.peers(signal));
};
export const usePairings = (): UseQueryResult<PairingsView> => {
  const { client } = useApp();
  return useFetched(keys.pairings, (signal) => client.pairings(signal));
};
export const useShares = (): UseQueryResult<readonly ShareView[]> => {
  const { client } = useApp();
  return useFetched(keys.shares, (signal) => client.shares(signal));
};
export const useMarket = (): UseQueryResult<MarketView> => {
  const { client } = useApp();
  return useFetched(keys.market, (signal) => client.market(signal));
};
/** Leases of nodes, those of others here and ours there. */
export const useNodeLeases = (): UseQueryResult<LeasesView> => {
  const { client } = useApp();
  return useFetched(keys.nodeLeases, (signal) => client.leases(signal));
};
/** What this peer lends, with what its machine measured. */
export const useLending = (): UseQueryResult<LendingView> => {
  const { client } = useApp();
  return useFetched(keys.lending, (signal) => client.lending(signal));
};
/** What is leased of storage: each proof tells of itself by `market-changed`. */
export const useStorage = (): UseQueryResult<StorageView> => {
  const { client } = useApp();
  return useFetched(keys.storage, (signal) => client.storage(signal));
};
/** Asks the chain's node. */
export const useSettlement = (): UseQueryResult<SettlementView> => {
  const { client } = useApp();
  return useFetched(keys.settlement, (signal) => client.settlement(signal));
};
export const useGovernance = (): UseQueryResult<GovernanceGroupsView> => {
  const { client } = useApp();
  return useFetched(keys.governance, (signal) => client.governance(signal));
};
/** With what a group decides, what is given by it changes too. */
export const useRewards = (): UseQueryResult<RewardsView> => {
  const { client } = useApp();
  return useFetched(keys.rewards, (signal) => client.rewards(signal));
};
export const useModels = (): UseQueryResult<ModelsView> => {
  const { client } = useApp();
  return useFetched(keys.models, (signal) => client.models(signal));
};
export const useTasks = (): UseQueryResult<TasksView> => {
  const { client } = useApp();
  return useFetched(keys.tasks, (signal) => client.tasks(signal));
};
export const useMessages = (): UseQueryResult<readonly MessageView[]> => {
  const { client } = useApp();
  return useFetched(keys.messages, (signal) => client.messages(signal));
};
export const useFiles = (): UseQueryResult<FilesView> => {
  const { client } = useApp();
  return useFetched(keys.files, (signal) => client.files(signal));
};
export const useGroups = (): UseQueryResult<readonly GroupView[]> => {
  const { client } = useApp();
  return useFetched(keys.groups, (signal) => client.groups(signal));
};
export const useDocuments = (): UseQueryResult<readonly DocumentView[]> => {
  const { client } = useApp();
  return useFetched(keys.documents, (signal) => client.documents(signal));
};
/** A page at a time, the newest first. */
export const useMemories = (filter: { readonly tag?: string; readonly level?: CapsuleView['level'] }) => {
  const { client } = useApp();
  const lost = useLive().link === 'lost';
  return useInfiniteQuery({
    queryKey: [...keys.memory, filter],
    queryFn: ({ pageParam: after, signal }) =>
      client.memories({ ...filter, limit: limits.memoryPage, ...(after === undefined ? {} : { after }) }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
    refetchInterval: lost ? limits.pollLostMs : limits.pollLiveMs,
  });
};
export const useClusters = (): UseQueryResult<ClustersView> => {
  const { client } = useApp();
  return useFetched(keys.clusters, (signal) => client.clusters(signal));
};
export const useMemoryGraph = (): UseQueryResult<MemoryGraphView> => {
  const { client } = useApp();
  return useFetched(keys.memoryGraph, (signal) => client.memoryGraph(signal));
};
export const useTraining = (): UseQueryResult<readonly TrainingRunView[]> => {
  const { client } = useApp();
  return useFetched(keys.training, (signal) => client.trainingRuns(signal));
};
/** Asks every paired device that may train with us. */
export const useTrainingOffers = (): UseQueryResult<TrainingOffersView> => {
  const { client } = useApp();
  return useFetched(keys.trainingOffers, (signal) => client.trainingOffers(signal));
};
/** Of devices, and of others that are known for what they did. */
export const useReputations = (): UseQueryResult<ReputationsView> => {
  const { client } = useApp();
  return useFetched(keys.reputations, (signal) => client.reputations(signal));
};
export const useLedgerHead = (): UseQueryResult<LedgerHead> => {
  const { client } = useApp();
  return useFetched(keys.ledger, (signal) => client.ledgerHead(signal));
};
/** Asked for once and on demand: checks take seconds. */
export const useDoctor = (): UseQueryResult<DoctorView> => {
  const { client } = useApp();
  return useQuery({
    queryKey: keys.doctor,
    queryFn: ({ signal }) => client.doctor(signal),
    staleTime: limits.pollLiveMs,
  });
};
