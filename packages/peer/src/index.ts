/**
 * One peer: pairing, chat, sharing, models, ledger and doctor as plain use cases over a World.
 *
 * @packageDocumentation
 */
export { hintFor } from './chat/hints.ts';
export type { AnswerCheckView, ChatEvent, ChatRequest, ServedBy } from './chat/chat.schema.ts';
export type {
  ClusterAnswerView,
  ClusterDetail,
  ClusterExportView,
  ClusterGrownView,
  ClusterLearnedView,
  ClusterRunView,
  ClustersView,
  ClusterView,
} from './clusters/clusters.schema.ts';
export type { ConfigView } from './control/config.schema.ts';
export type { ControlEvent } from './control/events.ts';
export type { KeyView } from './control/keys.schema.ts';
export type { SessionCodeView, SessionView } from './control/session.schema.ts';
export type { Problem } from './control/problem.ts';
export type { CensusView } from './discovery/census.schema.ts';
export type { CrawlView, FindRequest, FoundView } from './discovery/discovery.schema.ts';
export type { Check, DoctorView } from './doctor/doctor.schema.ts';
export type { PeerErrorCode } from './errors.ts';
export type { EventHub, NumberedEvent } from './events/hub.ts';
export type {
  GovernanceChainView,
  GovernanceDetail,
  GovernanceEvidenceView,
  GovernanceGroupsView,
  GovernanceHeadView,
  GovernanceLogView,
  GovernancePaidView,
  RewardsView,
  GovernanceSaidView,
  GovernanceVerifyView,
} from './governance/governance.schema.ts';
export type { GovernanceProofView } from './governance/log-heads.schema.ts';
export type { GroupDeliveryView, GroupMessageView, GroupSentView, GroupView } from './groups/groups.schema.ts';
export type { OlderPeerPatch, OlderPeerView } from './http/older-peers.schema.ts';
export type { HandshakeView, PeerSessionView } from './http/sessions.schema.ts';
export type { RevocationView, RotationView } from './keys/keys.schema.ts';
export type {
  LedgerEntries,
  LedgerHead,
  LedgerProof,
  LedgerVerification,
  MessageCheckView,
  ReceiptView,
} from './ledger/ledger.schema.ts';
export type { LedgerPageView, LogsView, RepairView } from './ledger/logs.schema.ts';
export { repairStopped } from './ledger/repair-stopped.ts';
export { limits as peerLimits } from './limits.ts';
export type { CacheView, FetchedView } from './cache/cache.schema.ts';
export type { OwnDevicesView } from './own/own.schema.ts';
export type { LeaseDetail, LeasesView, LendingView, NodeDispute, NodesView } from './lending/lending.schema.ts';
export type {
  DisputeDetail,
  EvidenceView,
  MarketOffersQuestion,
  MarketOffersView,
  MarketView,
  MeteredLeaseDetail,
  VerdictView,
} from './market/market.schema.ts';
export type { ChainWorld } from './settlement/chain-world.ts';
export type { AnchoredView, DeployedView, PayoutView, SettlementView } from './settlement/settlement.schema.ts';
export type { StorageFoundView, StorageView, StoredFileDetail } from './storage/storage.schema.ts';
export type { MachineReading } from './lending/gauge.ts';
export type {
  CapsuleDetail,
  CapsuleElsewhere,
  CapsuleView,
  ConsolidationUndoneView,
  ConsolidationView,
  KeptCapsuleView,
  MemoryAddedView,
  MemoryFoundView,
  MemoryGraphView,
  MemoryListView,
  MemorySharedView,
} from './memory/memory.schema.ts';
export type { MetricAlert, StateMetricsView } from './metrics/metrics.schema.ts';
export type { BroadcastView, DeliveryView, MessageView } from './messages/messages.schema.ts';
export type {
  ImportedModelsView,
  ImportedModelView,
  ModelRunRequest,
  ModelRunView,
  OfferedRunsView,
} from './models/imported.schema.ts';
export type { ModelRunner } from './models/imported/runner.ts';
export type { ModelsView, ModelView } from './models/models.schema.ts';
export type { SplitsView, SplitView } from './models/split/split.schema.ts';
export type { EngineFinding, NodeView } from './node/node.schema.ts';
export type {
  InviteView,
  PairingsView,
  PeerPatch,
  PeerView,
  PendingPairing,
  PingView,
} from './pairing/pairing.schema.ts';
export type { FilesView, FileView } from './files/files.schema.ts';
export type { Permission } from './pairing/permissions.ts';
export type { NetView, TraceView } from './paths/paths.schema.ts';
export { createPeer, type Peer, type PeerSettings, type PeerWorld } from './peer.ts';
export type { ReputationDetail, ReputationsView } from './reputation/reputation.schema.ts';
export type { ShareRequest, ShareView } from './share/share.schema.ts';
export type { DocumentContents, DocumentView } from './state/state.schema.ts';
export type { CapabilitiesView, WakeView } from './status/status.schema.ts';
export type { TaskHandler, TaskRun, TaskToRun } from './tasks/task-handler.ts';
export type { TaskDetail, TasksView, TaskView } from './tasks/tasks.schema.ts';
export type { PublishedView } from './topics/topics.schema.ts';
export type {
  TrainingDataView,
  TrainingDetail,
  TrainingLinkView,
  TrainingOffersView,
  TrainingPrediction,
  TrainingRunsView,
  TrainingRunView,
} from './training/training.schema.ts';
