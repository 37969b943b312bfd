/**
 * The local API of an agent as data: a schema for every body, and a typed client that the command line and the dashboard use.
 *
 * @packageDocumentation
 */
export { textFileNames, textFiles } from './model-calls.ts';
export { createControlClient, type ControlClient, type ControlOptions } from './client.ts';
export type {
  ClusterAnswerView,
  ClusterDetail,
  ClusterLearnedView,
  ClusterLesson,
  ClusterRequest,
  ClustersView,
  ClusterView,
} from '../clusters/clusters.schema.ts';
export type { ControlEvent, ControlEventType } from './events.ts';
export type { Problem } from './problem.ts';
export type { ConfigView } from './config.schema.ts';
export type { KeyView } from './keys.schema.ts';
export type { SessionCodeView, SessionView } from './session.schema.ts';
export type { RevocationView, RotationView } from '../keys/keys.schema.ts';
export type { AnswerCheckView, ChatEvent, ChatRequest, ServedBy } from '../chat/chat.schema.ts';
export type { CensusView } from '../discovery/census.schema.ts';
export type { CrawlView, FindRequest, FoundView } from '../discovery/discovery.schema.ts';
export type { Check, DoctorView } from '../doctor/doctor.schema.ts';
export type { FilesView, FileView } from '../files/files.schema.ts';
export type {
  LedgerEntries,
  LedgerEntryView,
  LedgerHead,
  LedgerVerification,
  MessageCheckView,
  ReceiptView,
} from '../ledger/ledger.schema.ts';
export type { LedgerPageView, LogCopyView, LogsView, RepairView } from '../ledger/logs.schema.ts';
export type {
  CapsuleDetail,
  CapsuleElsewhere,
  CapsuleView,
  KeptCapsuleView,
  MemoryEmbedderView,
  MemoryFoundView,
  MemoryGraphView,
  MemoryListView,
} from '../memory/memory.schema.ts';
export type { CacheView, FetchedView } from '../cache/cache.schema.ts';
export type { OwnDevicesView } from '../own/own.schema.ts';
export type {
  GovernanceActionView,
  GovernanceChainView,
  GovernanceChoice,
  GovernanceCreate,
  GovernanceDecisionView,
  GovernanceDetail,
  GovernanceEvidenceView,
  GovernanceGroupsView,
  GovernanceHeadView,
  GovernanceGroupView,
  GovernanceLogView,
  GovernancePaidView,
  GovernancePropose,
  GovernanceProposalView,
  GovernanceSaidView,
  GovernanceVerifyView,
  RewardsView,
} from '../governance/governance.schema.ts';
export type { GovernanceProofView } from '../governance/log-heads.schema.ts';
export type {
  LeaseDetail,
  LeasesView,
  LeaseView,
  LendingView,
  NodeDispute,
  NodesView,
} from '../lending/lending.schema.ts';
export type {
  BalanceView,
  DisputeDetail,
  EvidenceView,
  MarketOffersView,
  MarketView,
  MeteredLeaseDetail,
  MeteredLeaseView,
  VerdictView,
} from '../market/market.schema.ts';
export type {
  AnchoredView,
  DeployedView,
  DepositView,
  PayoutView,
  SettlementView,
} from '../settlement/settlement.schema.ts';
export type { BroadcastView, DeliveryView, MessageView } from '../messages/messages.schema.ts';
export type { MetricNumbers, StateMetricsView } from '../metrics/metrics.schema.ts';
export type { ImportedModelView, ModelRunView, OfferedRunView } from '../models/imported.schema.ts';
export type { ModelsView, ModelView } from '../models/models.schema.ts';
export type { ExportFormat } from '../models/own-models.schema.ts';
export type { SplitRequest, SplitsView, SplitView } from '../models/split/split.schema.ts';
export type { EngineFinding, Fingerprint, NodeView } from '../node/node.schema.ts';
export type {
  InviteView,
  PairingsView,
  PeerPatch,
  PeerView,
  PendingPairing,
  PingView,
} from '../pairing/pairing.schema.ts';
export { type Permission, permissions } from '../pairing/permissions.ts';
export type { OlderPeerView } from '../http/older-peers.schema.ts';
export type { HandshakeView, PeerSessionView } from '../http/sessions.schema.ts';
export type { NetView, TraceView } from '../paths/paths.schema.ts';
export type { ReputationDetail, ReputationsView, ReputationView } from '../reputation/reputation.schema.ts';
export type { ShareRequest, ShareView } from '../share/share.schema.ts';
export type { DocumentChange, DocumentContents, DocumentRequest, DocumentView } from '../state/state.schema.ts';
export type { CapabilitiesView, StatusReport, WakeView } from '../status/status.schema.ts';
export type { GroupDeliveryView, GroupMessageView, GroupSentView, GroupView } from '../groups/groups.schema.ts';
export type { PublishedView, TopicMessageView } from '../topics/topics.schema.ts';
export type {
  StorageFoundView,
  StorageLeaseView,
  StorageView,
  StoredFileDetail,
  StoredFileView,
} from '../storage/storage.schema.ts';
export type { TaskDetail, TaskPriority, TaskRequest, TasksView, TaskView } from '../tasks/tasks.schema.ts';
export type {
  HeldOut,
  TrainingDataView,
  TrainingDetail,
  TrainingJoin,
  TrainingLinkRequest,
  TrainingLinksView,
  TrainingLinkView,
  TrainingOffersView,
  TrainingPrediction,
  TrainingOfferView,
  TrainingPlan,
  TrainingRequest,
  TrainingRoundView,
  TrainingRunView,
} from '../training/training.schema.ts';
