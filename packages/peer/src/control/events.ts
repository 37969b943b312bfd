import type { ClusterView } from '../clusters/clusters.schema.ts';
import type { MetricAlert, StateMetricsView } from '../metrics/metrics.schema.ts';
import type { PeerView, PendingPairing } from '../pairing/pairing.schema.ts';
import type { FileView } from '../files/files.schema.ts';
import type { MessageView } from '../messages/messages.schema.ts';
import type { ReceiptView } from '../ledger/ledger.schema.ts';
import type { ShareView } from '../share/share.schema.ts';
import type { LeaseView } from '../lending/lending.schema.ts';
import type { MeteredLeaseView } from '../market/market.schema.ts';
import type { GroupMessageView, GroupView } from '../groups/groups.schema.ts';
import type { TrainingRoundView, TrainingRunView } from '../training/training.schema.ts';
import type { TaskView } from '../tasks/tasks.schema.ts';

/** What `GET /api/v1/events` sends: `event:` is the type, `data:` the JSON of the rest, `id:` a rising number for `Last-Event-ID`. */
export type ControlEvent =
  | { readonly type: 'peer-connected'; readonly peer: PeerView }
  | { readonly type: 'peer-disconnected'; readonly peer: PeerView }
  | { readonly type: 'peer-updated'; readonly peer: PeerView }
  | { readonly type: 'peer-removed'; readonly peerId: string }
  | { readonly type: 'pairing-changed'; readonly pairing: PendingPairing }
  | { readonly type: 'share-changed'; readonly share: ShareView }
  | { readonly type: 'models-changed' }
  /** Stages of a model that is being split reach their devices: bytes of weights, told for each whole percent at most. */
  | { readonly type: 'split-progress'; readonly name: string; readonly moved: number; readonly bytes: number }
  /**
   * How far a memory is tidied (`name` is what is done: `dropping`, `comparing` and `joining` capsules), or compared with another device of this owner (its name; parts of
   * the memory), told for each whole percent at most.
   */
  | {
      readonly type: 'memory-progress';
      readonly work: 'tidy' | 'sync';
      readonly name: string;
      readonly done: number;
      readonly all: number;
    }
  /** A capsule came into this peer's memory, or went. */
  | { readonly type: 'memory-changed'; readonly capsuleId: string; readonly isHere: boolean }
  | { readonly type: 'message-received'; readonly message: MessageView }
  /** On its way (told a few times a second at most), waiting, or over. */
  | { readonly type: 'file-changed'; readonly file: FileView }
  /** `null`: this peer is in it no more. */
  | { readonly type: 'group-changed'; readonly groupId: string; readonly group: GroupView | null }
  | { readonly type: 'group-message-received'; readonly message: GroupMessageView }
  /** A document came, went, has other members, or says something else now. */
  | {
      readonly type: 'state-changed';
      readonly documentId: string;
      readonly keys: readonly string[];
      readonly text: boolean;
    }
  | { readonly type: 'task-changed'; readonly task: TaskView }
  /** A run came, went on (told a few times a second at most), waits, or is over. */
  | { readonly type: 'training-changed'; readonly run: TrainingRunView }
  /** A round closed; told again once it is measured what it led to. */
  | { readonly type: 'training-round'; readonly runId: string; readonly round: TrainingRoundView }
  /** `null`: it was removed. */
  | { readonly type: 'cluster-changed'; readonly name: string; readonly cluster: ClusterView | null }
  /** Nodes that fired since the last time, by index; told ten times a second at most. */
  | { readonly type: 'cluster-fired'; readonly name: string; readonly nodes: readonly number[] }
  /** Others work with each other than before; `GET /clusters` says who. */
  | { readonly type: 'peer-clusters-changed' }
  /** Each second while somebody watches. */
  | { readonly type: 'metrics_update'; readonly metrics: StateMetricsView }
  /** A metric of this peer crossed a rule's threshold, or came back. */
  | {
      readonly type: 'metrics-alert';
      readonly rule: MetricAlert;
      readonly raised: boolean;
      readonly value: number;
    }
  /** A group that governs together decided, was joined, or left. */
  | { readonly type: 'governance-changed'; readonly groupId: string }
  /** A lease began, went on, or is over. */
  | { readonly type: 'lease-changed'; readonly lease: LeaseView }
  /** A lease of a model began, was used, or is over. */
  | { readonly type: 'market-changed'; readonly lease: MeteredLeaseView }
  | { readonly type: 'receipt-signed'; readonly receipt: ReceiptView }
  /** Somebody was proven to have signed two histories of one log. */
  | { readonly type: 'ledger-fork'; readonly origin: string; readonly refused: boolean }
  | { readonly type: 'relay-changed'; readonly address: string; readonly state: 'connected' | 'unreachable' }
  | {
      readonly type: 'traffic';
      readonly bytesPerSecond: number;
      readonly tokensPerSecond: number;
      readonly answering: number;
    };
export type ControlEventType = ControlEvent['type'];
