import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import type { GossipSub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import { type ConnectionGater, FaultTolerance } from '@libp2p/interface';
import type { SingleKadDHT } from '@libp2p/kad-dht';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { concatBytes, type CryptoProvider, nobleCrypto, type PeerId } from '@peerai/core-protocol';
import { createLibp2p, type Libp2p, type Libp2pInit } from 'libp2p';
import { createDirectory, recordsTopic } from '../discovery/directory.ts';
import { createIntake } from '../discovery/intake.ts';
import type { DhtPart } from '../discovery/kad.ts';
import type { MakeMeeting } from '../discovery/meeting.ts';
import { createRecordBook } from '../discovery/record-book.ts';
import { transportError } from '../errors.ts';
import type { SealingDeps } from '../hybrid/sealing.ts';
import { limits } from '../limits.ts';
import type { IsThroughTurn } from '../network/link-table.ts';
import { createNetwork, type NetworkDeps } from '../network/network.ts';
import type { createSpareLinks } from '../network/upgrader.ts';
import { keepRelays } from '../network/relay-keeper.ts';
import type { MakeSealing } from '../network/sealing.ts';
import type { Bandwidth } from '../policy/bandwidth.ts';
import { type ConnectionLimit, createConnectionLimit } from '../policy/connection-limit.ts';
import type { ForwardTopics } from '../topics/forward.ts';
import type { MakeTopicGuard } from '../topics/guard.ts';
import type { MakePaths } from '../trace/paths.ts';
import { createTopics, gossipService, keepGossipStreams, topicPrefix } from '../topics/topics.ts';
import type { Components } from './components.ts';
import { eagerYamux } from './eager-yamux.ts';
import { noteProtocolsOnce } from './noted-protocols.ts';
import type { TransportDeps, TransportNode, TransportStats } from './options.ts';
import { boundPeerStore } from './peer-store-bound.ts';
import { resetWebSockets } from './web-socket-reset.ts';

/** What the three kinds of node differ in. */
export interface NodeShape {
  readonly listen: readonly string[];
  readonly announce?: readonly string[];
  readonly announceFilter?: NonNullable<Libp2pInit['addresses']>['announceFilter'];
  readonly transports: NonNullable<Libp2pInit['transports']>;
  readonly discovery?: NonNullable<Libp2pInit['peerDiscovery']>;
  readonly services?: NonNullable<Libp2pInit['services']>;
  readonly relays: readonly string[];
  /** Relays beside those, as they are named now. */
  readonly moreRelays?: () => readonly string[];
  readonly bootstrap: readonly string[];
  readonly maxConnections: number;
  /** Sent to each peer at most; unbounded without it. */
  readonly bandwidth?: Bandwidth;
  readonly connectionTimeoutMs: number;
  /** One address dialled; `limits.dialAddressMs` unless every way is slow. */
  readonly dialAddressMs?: number;
  readonly placesOf?: (peer: PeerId) => Promise<readonly string[]>;
  /** False: no name is ever looked up here. */
  readonly looksUpNames?: boolean;
  readonly directOnly: boolean;
  readonly webrtc: boolean;
  /** Holds back floods on topics; a page does without. */
  readonly topicGuard?: MakeTopicGuard;
  /** A relay's. */
  readonly forwardTopics?: ForwardTopics;
  readonly isThroughTurn?: IsThroughTurn;
  readonly spareLinks?: typeof createSpareLinks;
  /** Seals every channel; without it they are protected by their links alone. */
  readonly sealing?: (deps: SealingDeps) => MakeSealing;
  /** A node without it is not in the DHT. */
  readonly dht?: DhtPart;
  /** Peers by way of other peers. */
  readonly meeting?: MakeMeeting;
  /** Remembers how attempts at peers failed; an agent's. */
  readonly paths?: MakePaths;
  /** What a relay counts and refuses. */
  readonly relay?: {
    readonly gater: ConnectionGater;
    readonly stats: () => Pick<TransportStats, 'peers' | 'reservations' | 'circuits' | 'refused'>;
  };
}

const noRelay = {
  reservations: 0,
  circuits: 0,
  refused: { connections: 0, reservations: 0, circuits: 0, circuitsCut: 0 },
} as const;

/** No STUN server of anybody: the package's own default is four public ones. */
export const webrtcInit = { rtcConfiguration: { iceServers: [] } };

/** noise writes its session keys to a file when this is set. Throws UNSAFE_ENVIRONMENT. */
export function refuseKeyDump(environment: Readonly<Record<string, string | undefined>> | undefined): void {
  if (environment?.['DUMP_SESSION_KEYS'] !== undefined) {
    throw transportError(
      'UNSAFE_ENVIRONMENT',
      'DUMP_SESSION_KEYS is set: session keys would be written to disk; unset it',
    );
  }
}

/** Throws UNSAFE_ENVIRONMENT, INVALID_FORMAT (seed). */
export async function assembleNode(deps: TransportDeps, shape: NodeShape): Promise<TransportNode> {
  refuseKeyDump((globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env);
  if (deps.seed.length !== 32) throw transportError('INVALID_FORMAT', 'a seed has 32 bytes');
  const isBlocked = deps.isBlocked ?? ((): boolean => false);
  let components: Components | undefined;
  const crypto = deps.crypto ?? nobleCrypto;
  const membership = await membershipOf(deps, crypto);
  // A relay counts and refuses by itself.
  const connectionLimit =
    shape.relay === undefined ? createConnectionLimit(shape.maxConnections, deps.bounds) : undefined;
  const libp2p = await createLibp2p({
    ...libp2pOptions({ ...deps, crypto }, shape, isBlocked, connectionLimit),
    ...membership?.protection,
    start: false,
    services: {
      connectionLimit: (inner: Components) => (connectionLimit?.over(inner), {}),
      ...membership?.service,
      ...shape.services,
      identify: identify({ maxMessageSize: limits.identifyBytesMax }),
      ping: ping({ maxInboundStreams: limits.refusedStreamsMax, maxOutboundStreams: limits.refusedStreamsMax }),
      pubsub: gossipService(),
      ...(shape.dht === undefined ? {} : { dht: shape.dht.service({ ...deps, crypto }) }),
      inner: (inner: Components) => {
        components = inner;
        return {};
      },
    },
  });
  if (components === undefined) throw transportError('ABORTED', 'libp2p gave no components');
  const policy = { isBlocked, isForeign: membership?.isForeign, connectionLimit, bandwidth: shape.bandwidth };
  return runNode({ ...deps, ...policy }, shape, libp2p, components);
}

/** What a private network adds; loaded only there. Throws INVALID_FORMAT. */
async function membershipOf(deps: TransportDeps, crypto: CryptoProvider) {
  const { networkKey } = deps;
  if (networkKey === undefined) return undefined;
  if (networkKey.length !== limits.networkKeyBytes) {
    throw transportError('INVALID_FORMAT', `the key of a private network has ${limits.networkKeyBytes} bytes`);
  }
  const { createCover, requireMembership } = await import('../policy/private-network.ts');
  const membership = (components: Components): object => {
    const self = components.peerId.toString();
    requireMembership(components, { ...deps, crypto, networkKey, self });
    return {};
  };
  const { connectionProtector, isForeign } = createCover(networkKey);
  return { service: { membership }, protection: { connectionProtector }, isForeign };
}

function libp2pOptions(
  { seed, crypto }: TransportDeps & { readonly crypto: CryptoProvider },
  shape: NodeShape,
  isBlocked: (peer: PeerId) => boolean,
  connectionLimit: ConnectionLimit | undefined,
) {
  const deny = (peer: { toString(): string }): boolean => isBlocked(peer.toString() as PeerId);
  return {
    nodeInfo: { name: 'peerai', userAgent: 'peerai' },
    // With its public half, which libp2p would otherwise work out in JavaScript.
    privateKey: privateKeyFromRaw(concatBytes(seed, crypto.ed25519.publicKey(seed))),
    addresses: {
      listen: [...shape.listen],
      announce: [...(shape.announce ?? [])],
      ...(shape.announceFilter === undefined ? {} : { announceFilter: shape.announceFilter }),
    },
    transports: shape.transports,
    connectionEncrypters: [noise()],
    streamMuxers: [
      eagerYamux({
        maxInboundStreams: limits.streamsPerConnectionMax,
        maxOutboundStreams: limits.streamsPerConnectionMax,
        streamOptions: {
          maxStreamWindowSize: limits.streamWindowBytesMax,
          maxReadBufferLength: limits.streamReadBufferBytesMax,
        },
      }),
    ],
    peerDiscovery: shape.discovery ?? [],
    connectionGater: {
      // The browser default refuses private and loopback addresses.
      denyDialMultiaddr: () => false,
      denyDialPeer: deny,
      denyInboundEncryptedConnection: deny,
      denyOutboundEncryptedConnection: deny,
      ...shape.relay?.gater,
    },
    connectionManager: {
      maxConnections: connectionLimit?.libp2pMax ?? shape.maxConnections,
      inboundConnectionThreshold: limits.inboundConnectionsPerSecond,
      maxIncomingPendingConnections: limits.pendingConnectionsMax,
      dialTimeout: shape.connectionTimeoutMs,
      addressDialTimeout: shape.dialAddressMs ?? limits.dialAddressMs,
      ...(shape.looksUpNames === false ? { resolvers: {} } : {}),
    },
    // Our own ping measures and ends dead links.
    connectionMonitor: { enabled: false },
    transportManager: { faultTolerance: FaultTolerance.FATAL_ALL },
  } satisfies Libp2pInit;
}

function runNode(
  deps: TransportDeps & Pick<NetworkDeps, 'isBlocked' | 'isForeign' | 'connectionLimit' | 'bandwidth'>,
  shape: NodeShape,
  libp2p: Libp2p,
  components: Components,
): TransportNode {
  const { clock, bounds } = deps;
  const stopping = new AbortController();
  boundPeerStore(components, bounds?.idlePeersMax);
  noteProtocolsOnce(components, clock);
  resetWebSockets(components);
  const self = components.peerId.toString() as PeerId;
  const crypto = deps.crypto ?? nobleCrypto;
  const book = createRecordBook({ crypto, self, nowMs: () => clock.nowMs(), ...bounds });
  const announced = (peer: PeerId): readonly string[] => book.addresses(peer);
  const sealing = shape.sealing?.({ ...deps, crypto });
  const running = createNetwork({ ...deps, components, announced, sealing }, shape);
  const traced = shape.paths?.(components, { ...deps, announced });
  const pubsub = libp2p.services['pubsub'] as GossipSub;
  keepGossipStreams(components, pubsub, clock);
  const guard = shape.topicGuard?.(pubsub, clock);
  const topics = createTopics(pubsub, clock, guard);
  const dht = libp2p.services['dht'] as SingleKadDHT | undefined;
  const far = dht === undefined ? undefined : shape.dht?.directory({ ...deps, dht, crypto });
  const directory = createDirectory({
    network: running.network,
    topics,
    clock,
    book,
    intake: createIntake(clock, bounds?.recordsTakenMax),
    connected: () => [...new Set(running.links().map((entry) => entry.link.peer))],
    far,
  });
  const meeting = shape.meeting?.({
    ...deps,
    network: running.network,
    book,
    learn: (bytes, source) => directory.learn(bytes, source) !== undefined,
    links: () => new Map(running.links().map(({ link }) => [link.peer, link.address])),
    far,
  });
  let starting: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  async function startOnce(): Promise<void> {
    await libp2p.start();
    if (stopping.signal.aborted) return;
    shape.forwardTopics?.(pubsub, new Set([topicPrefix + recordsTopic]), guard);
    directory.run(stopping.signal);
    far?.run(stopping.signal);
    meeting?.run(stopping.signal);
    libp2p.addEventListener('peer:identify', ({ detail }) => {
      void directory.introduce(detail.peerId.toString() as PeerId);
    });
    const { dialAddressMs } = shape;
    const told = traced?.relayTold;
    const keeping = { ...deps, components, told, ...(dialAddressMs === undefined ? {} : { dialAddressMs }) };
    keepRelays(keeping, shape.relays, true, stopping.signal);
    keepRelays(keeping, shape.bootstrap, false, stopping.signal);
  }

  async function stopOnce(): Promise<void> {
    stopping.abort(transportError('ABORTED', 'this node is stopping'));
    await starting?.catch(() => undefined);
    running.stop();
    const done = new AbortController();
    const bound = clock.sleep(limits.stopMs, done.signal).catch(() => undefined);
    await Promise.race([libp2p.stop(), bound]);
    done.abort();
  }

  return {
    network: traced?.over(running.network) ?? running.network,
    ...(traced === undefined ? {} : { paths: traced.paths }),
    topics,
    directory,
    ...(meeting === undefined ? {} : { crawler: meeting.crawler }),
    async start(signal) {
      if (stopping.signal.aborted) throw transportError('ABORTED', 'this node was stopped');
      if (signal?.aborted === true) throw transportError('ABORTED', 'the caller stopped this', {}, signal.reason);
      starting ??= startOnce();
      await starting;
    },
    stop() {
      stopped ??= stopOnce();
      return stopped;
    },
    stats() {
      const links = running.links().map((entry) => entry.link);
      const sum = (pick: (link: (typeof links)[number]) => number): number =>
        links.reduce((total, link) => total + pick(link), 0);
      return {
        connections: links.length,
        direct: links.filter((link) => link.path === 'direct').length,
        relayed: links.filter((link) => link.path === 'relayed').length,
        channels: running.channels(),
        ...(shape.relay?.stats() ?? noRelay),
        bytesSent: sum((link) => link.bytesSent),
        bytesReceived: sum((link) => link.bytesReceived),
      };
    },
  };
}
