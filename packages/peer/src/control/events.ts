import type { PeerView, PendingPairing } from '../pairing/pairing.schema.ts';
import type { FileView } from '../files/files.schema.ts';
import type { MessageView } from '../messages/messages.schema.ts';
import type { ReceiptView } from '../ledger/ledger.schema.ts';
import type { ShareView } from '../share/share.schema.ts';
import type { GroupMessageView, GroupView } from '../groups/groups.schema.ts';
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
  | { readonly type: 'receipt-signed'; readonly receipt: ReceiptView }
  | { readonly type: 'relay-changed'; readonly address: string; readonly state: 'connected' | 'unreachable' }
  | {
      readonly type: 'traffic';
      readonly bytesPerSecond: number;
      readonly tokensPerSecond: number;
      readonly answering: number;
    };
export type ControlEventType = ControlEvent['type'];
