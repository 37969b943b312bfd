import type {
  Clock,
  Crawler,
  CryptoProvider,
  Directory,
  Logger,
  Network,
  Paths,
  PeerId,
  Random,
  Topics,
} from '@peerai/core-protocol';
import type { RelayUse } from '../network/more-relays.ts';

/** What every node needs from outside. */
export interface TransportDeps {
  /** 32 bytes: the Ed25519 seed of the peer. Keep it yourself: libp2p's own storage is not used. */
  readonly seed: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Asked for every channel of a `granted` protocol, so the answer may change over time. */
  readonly isGranted: (peer: PeerId, protocolId: string) => boolean;
  /** Peers we neither dial nor let in; asked for every connection and channel. */
  readonly isBlocked?: (peer: PeerId) => boolean;
  /** Peers that were seen to do the post-quantum exchange: without it nothing is said to them, nor heard. */
  readonly isHybrid?: (peer: PeerId) => boolean;
  /** 32 bytes: then this node talks to those only who know the same, on every link. */
  readonly networkKey?: Uint8Array;
  /** Checks the signatures of records; the pure JavaScript one unless given. */
  readonly crypto?: CryptoProvider;
  /** For devices with little memory. */
  readonly bounds?: Partial<MemoryBounds & RefusalBounds>;
}

/** How much of what strangers tell is remembered; each default is the limit of the same name. */
export interface MemoryBounds {
  readonly recordsMax: number;
  readonly recordsPerSourceMax: number;
  readonly recordsTakenMax: number;
  readonly idlePeersMax: number;
}

/** Of connections beyond a node's own; each default is the limit of the same name. */
export interface RefusalBounds {
  readonly refusedConnectionsMax: number;
  readonly refusedConnectionMs: number;
}

export interface TransportStats {
  readonly connections: number;
  /** Peers those connections are with (relay only). */
  readonly peers?: number;
  readonly direct: number;
  readonly relayed: number;
  /** Channels answered here and open. */
  readonly channels: number;
  /** Peers that hold a reservation here (relay only). */
  readonly reservations: number;
  /** Circuits open through this node (relay only). */
  readonly circuits: number;
  /** Since the start (relay only). */
  readonly refused: RelayRefusals;
  /** Bytes of channels over links that are up. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** How often a relay's bounds were reached. */
export interface RelayRefusals {
  /** Connections turned away at the door: too many are open, or one address opens them too fast. */
  readonly connections: number;
  readonly reservations: number;
  readonly circuits: number;
  /** Circuits ended because their bytes or their time were spent. */
  readonly circuitsCut: number;
}

/** One libp2p node behind the ports. */
export interface TransportNode {
  readonly network: Network;
  readonly topics: Topics;
  readonly directory: Directory;
  /** Walks from peer to peer; agents and relays have it. */
  readonly crawler?: Crawler;
  /** How attempts at peers failed; an agent has it. */
  readonly paths?: Paths;
  /**
   * Keeps these relays beside those of its options, and no others: a connection and a reservation each, while they are named;
   * one that is named no more is left, with the circuits through it. They count wherever the options' own do, and after them:
   * peers whose addresses name none are looked for there, and they are asked which doors can be dialled. Those beyond
   * `relaysMax` with the options' own, and what is no multiaddr ending in `/p2p/<id>`, are left out with a line in the log.
   * An agent has it. Returns what became of each. Throws ABORTED before the start.
   */
  readonly useRelays?: (addresses: readonly string[]) => readonly RelayUse[];
  /** Safe to call twice; a stopped node does not start again (ABORTED). Throws the listener's error when a port is taken. */
  start(signal?: AbortSignal): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
  stats(): TransportStats;
}
