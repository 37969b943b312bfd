import type { PeerId } from './brand.ts';
import type { MessagePriority } from './messenger.ts';

/** One wire protocol as data: who may open it, how it is framed, how much it may carry. */
export interface Protocol {
  readonly id: string;
  /** `anyone`: strangers may open it and must prove their right inside; `granted`: only peers the owner allowed. */
  readonly access: 'anyone' | 'granted';
  /** `messages`: length-prefixed under a credit window; `raw`: the stream's bytes as they come, for foreign protocols. */
  readonly framing: 'messages' | 'raw';
  readonly messageBytesMax: number;
  readonly channelsPerPeerMax: number;
  /** Whose messages go first where several channels of one link have something to say; `normal` when absent. What is low still moves. */
  readonly priority?: MessagePriority;
}

/** `file`: a data channel whose two ends met over a shared folder; `onion`: an onion service; `relay`: any circuit, whatever carries it. */
export type LinkTransport = 'tcp' | 'ws' | 'webrtc' | 'quic' | 'file' | 'onion' | 'relay';

/** One live connection as seen from here. Counters are bytes since it came up. */
export interface Link {
  readonly peer: PeerId;
  readonly path: 'direct' | 'relayed';
  /** What carries it; absent where a Network has one kind only, such as the one in memory. */
  readonly transport?: LinkTransport;
  /** Milliseconds; 0 until measured. */
  readonly roundTripMs: number;
  readonly state: 'up' | 'down';
  /** The remote multiaddr. */
  readonly address: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Whether a TURN server carries its bytes, which no PeerAI relay sees; absent until that is known, and where there is no such thing. */
  readonly throughTurn?: boolean;
  /** Whether its channels are sealed with keys of ML-KEM-768 and X25519 too; absent until that is known, and where nothing seals. */
  readonly hybrid?: boolean;
  /** How fast this side sends to this peer at most, over all its links; absent where nothing bounds it. */
  readonly bytesPerSecondMax?: number;
}

export interface OpenOptions {
  readonly signal: AbortSignal;
  /** Multiaddrs to try besides the known ones. */
  readonly addresses?: readonly string[];
  /**
   * The channel's first message: it leaves as soon as it is there, without waiting for the other side's yes, and `open` resolves when it has
   * left and the yes has come. Where a link dies meanwhile it is sent over the next one too, so it must carry an id of its own. If it
   * rejects, the channel is closed and `open` throws its error.
   */
  readonly first?: Promise<Uint8Array>;
}

/** Live links only: open a channel, answer one, watch links. No storage, topics, kinds or policy. */
export interface Network {
  readonly self: PeerId;
  /** Own multiaddrs others can dial now, best first, each ending in `/p2p/<self>`. */
  addresses(): readonly string[];
  /**
   * Dials when needed. Throws PEER_UNREACHABLE (`details.attempts` with every address and reason, `details.mayComeSoon` when a relay has no place
   * for the peer: a peer that is just starting takes its place a moment later), REFUSED, LIMIT_REACHED.
   */
  open(peer: PeerId, protocol: Protocol, options: OpenOptions): Promise<Channel>;
  /** Answers one protocol; `protocol.access` says whether strangers may open it. Disposing ends its channels. */
  answer(protocol: Protocol, handler: (channel: Channel) => Promise<void>): Disposable;
  /** Links as they are, then each change. */
  links(signal: AbortSignal): AsyncIterable<Link>;
  /** Closes every link to this peer (block, isolate). */
  disconnect(peer: PeerId): Promise<void>;
}

/** Whole messages both ways, in order, under a credit window: neither side can fill the other's memory. */
export interface Channel extends AsyncIterable<Uint8Array> {
  readonly link: Link;
  /** Aborts when the other side, the link or `answer` is gone; its reason is a PeerAiError. */
  readonly signal: AbortSignal;
  /** Resolves when credit allows the next. Throws CHANNEL_CLOSED, LIMIT_EXCEEDED (message too long). */
  send(message: Uint8Array): Promise<void>;
  /** Ends our half; with a code, resets both. Safe to call twice. */
  close(code?: string): Promise<void>;
}

/** Gossip topics. */
export interface Topics {
  publish(topic: string, message: Uint8Array): Promise<void>;
  /**
   * `judge` runs before forwarding: `accept` and `pass` forward, and only what is accepted comes out here; `ignore` and `reject` do neither, and what is rejected
   * counts against the neighbour that brought it: `from` wrote and signed it, `via` handed it over, and may be its author. The queue is bounded, the oldest message is dropped.
   */
  subscribe(
    topic: string,
    judge: (message: Uint8Array, from: PeerId, via: PeerId) => 'accept' | 'pass' | 'ignore' | 'reject',
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

/** Signed peer records: by peer, or by what is offered ("model:mistral"). */
export interface Directory {
  announce(record: Uint8Array): Promise<void>;
  find(what: PeerId | `${'model' | 'node' | 'topic'}:${string}`, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A peer met on a walk from peer to peer. */
export interface CrawledPeer {
  readonly peer: PeerId;
  /** Where it was said to be: foreign text. */
  readonly addresses: readonly string[];
  /** Program and version, as its own signed record says; empty where there is none. */
  readonly agent: string;
  /** `untried`: it may not be dialled from here, such as an address of this house that an outer peer told. */
  readonly state: 'reachable' | 'unreachable' | 'untried';
  /** How it was first heard of. */
  readonly via: 'link' | 'record' | 'dht';
  /** New records it told. */
  readonly told: number;
}

/** Walks from peer to peer by what peers say of each other; dials nothing that nobody named. */
export interface Crawler {
  /** Each peer once, after it was tried. Ends by itself: its peers and its time are bounded. */
  crawl(signal: AbortSignal): AsyncIterable<CrawledPeer>;
}
