import type { PeerId } from '@peerai/core-protocol';
import type { Gateway } from '@peerai/llm-bridge';
import type { Cache } from './cache/cache.ts';
import type { Chat } from './chat/chat.ts';
import type { Clusters } from './clusters/clusters.ts';
import type { Census } from './discovery/census.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { Doctor } from './doctor/doctor.ts';
import type { EventHub } from './events/hub.ts';
import type { OlderPeers } from './http/older-peers.ts';
import type { PeerHttp } from './http/open-messenger.ts';
import type { Governance } from './governance/governance.ts';
import type { Groups } from './groups/groups.ts';
import type { Books } from './ledger/books.ts';
import type { PeerLogs } from './ledger/logs.ts';
import type { Keys } from './keys/keys.ts';
import type { Files } from './files/files.ts';
import type { NodeLending } from './lending/lending.ts';
import type { PeerMemory } from './memory/memory.ts';
import type { Messages } from './messages/messages.ts';
import type { ImportedModels } from './models/imported-models.ts';
import type { Models } from './models/models.ts';
import type { OwnModels } from './models/own-models.ts';
import type { PeerMetrics } from './metrics/metrics.ts';
import type { Splits } from './models/splits.ts';
import type { NodeView } from './node/node.schema.ts';
import type { OwnDevices } from './own/own.ts';
import type { Pairing } from './pairing/pairing.ts';
import type { Peers } from './pairing/peers.ts';
import type { PeerPaths } from './paths/paths.ts';
import type { PeerReputation } from './reputation/reputation.ts';
import type { Sharing } from './share/sharing.ts';
import type { State } from './state/state.ts';
import type { Status } from './status/status.ts';
import type { Tasks } from './tasks/tasks.ts';
import type { PeerTopics } from './topics/topics.ts';
import type { Training } from './training/training.ts';

/** One peer: every use case, ready to be given a face. */
export interface Peer {
  readonly id: PeerId;
  readonly events: EventHub;
  readonly peers: Peers;
  readonly pairing: Pairing;
  readonly sharing: Sharing;
  readonly models: Models;
  readonly imported: ImportedModels;
  readonly own: OwnModels;
  readonly splits: Splits;
  readonly memory: PeerMemory;
  readonly chat: Chat;
  readonly clusters: Clusters;
  readonly metrics: PeerMetrics;
  readonly books: Books;
  readonly logs: PeerLogs;
  readonly messages: Messages;
  readonly files: Files;
  readonly groups: Groups;
  readonly state: State;
  readonly tasks: Tasks;
  readonly topics: PeerTopics;
  readonly training: Training;
  readonly governance: Governance;
  readonly nodeLending: NodeLending;
  readonly ownDevices: OwnDevices;
  readonly reputation: PeerReputation;
  readonly cache: Cache;
  readonly status: Status;
  readonly paths: PeerPaths;
  readonly doctor: Doctor;
  readonly discovery: Discovery;
  readonly census: Pick<Census, 'take'>;
  readonly keys: Keys;
  readonly http: PeerHttp;
  readonly olderPeers: OlderPeers;
  /** The OpenAI and Ollama faces. */
  readonly gateway: Gateway;
  node(): Promise<NodeView>;
  answering(): NodeView['answering'];
  linkBytes(): number;
  /** For the transport: may this peer open this `granted` protocol? */
  isGranted(peer: PeerId, protocolId: string): boolean;
  isBlocked(peer: PeerId): boolean;
  /** For the transport: were links to this peer sealed with post-quantum keys? Then they have to be. */
  isHybrid(peer: PeerId): boolean;
  /** Safe to call twice. */
  start(): Promise<void>;
  stop(): Promise<void>;
}
