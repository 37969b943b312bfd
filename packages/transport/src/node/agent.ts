import { bootstrap } from '@libp2p/bootstrap';
import type { NatFacts, PeerId } from '@peerai/core-protocol';
import { meetingPart } from '../discovery/meeting.ts';
import { createSealing, type PostQuantum } from '../hybrid/sealing.ts';
import { assembleNode } from '../libp2p/assemble.ts';
import { transportError } from '../errors.ts';
import type { TransportDeps, TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import type { SocksProxy } from '../links/socks.ts';
import { createPaths } from '../trace/paths.ts';
import { createMoreRelays, leaveRelay, type MoreRelays } from '../network/more-relays.ts';
import { keepRelay } from '../network/relay-keeper.ts';
import { createSpareLinks } from '../network/upgrader.ts';
import { createBandwidth } from '../policy/bandwidth.ts';
import { isThroughTurn } from './through-turn.ts';
import { waysOf } from './ways.ts';
import type { DoorBook } from '../nat/door-book.ts';
import type { IceServers } from '../nat/servers.ts';
import { alongside } from './alongside.ts';
import { tellOwnAddresses } from './own-addresses.ts';
import { createTopicGuard } from '../topics/guard.ts';

/** Ways to connect; QUIC is on unless it is switched off or its native code does not load. */
export interface TransportChoice {
  readonly tcp: boolean;
  readonly websocket: boolean;
  readonly webrtc: boolean;
  readonly quic?: boolean;
}

export interface AgentOptions {
  /** Multiaddrs to listen on, such as `/ip4/127.0.0.1/tcp/0`; empty: dial only. */
  readonly listen: readonly string[];
  /** Addresses to tell others instead of the listened ones. */
  readonly announce?: readonly string[];
  /** Relays to hold a reservation on; multiaddrs ending in `/p2p/<id>`. */
  readonly relays: readonly string[];
  /** Nodes to stay connected to. */
  readonly bootstrap: readonly string[];
  /** Finds agents on the local network. */
  readonly mdns?: boolean;
  /** Finds and is found through the DHT, and keeps records for others there. */
  readonly dht?: boolean;
  /** Asks the peers it is linked to for others, tries some of those, and passes on the signed records it knows. */
  readonly peerExchange?: boolean;
  readonly maxConnections?: number;
  /** Sent to each peer at most, over all its channels; unbounded by default. */
  readonly bytesPerSecondMax?: number;
  readonly connectionTimeoutMs?: number;
  readonly transports?: TransportChoice;
  /** A folder, or a file `….json` of the older form, where peers that share it meet without any server. Not used behind a proxy. */
  readonly signalPlace?: string;
  /** Everything goes through this proxy: no WebRTC, QUIC, WebSocket or mDNS, no name looked up here, and nothing but loopback listened on. */
  readonly socks?: SocksProxy;
  /** STUN and TURN servers for WebRTC; none of anybody by default. Not used behind a proxy. */
  readonly iceServers?: IceServers;
  /** Whether channels are sealed with post-quantum keys; `preferred` by default: with every peer that can. */
  readonly postQuantum?: PostQuantum | 'off';
  /** `direct-only`: relays may introduce, but carry no channel. */
  readonly path?: 'any' | 'direct-only';
}

const noServers: NatFacts = { isKnown: true, stunServers: [], turnServers: [] };

export const mdnsServiceTag = 'peerai.local';

/** A whole agent's node. Throws UNSAFE_ENVIRONMENT, INVALID_FORMAT. */
export async function createAgentNode(deps: TransportDeps, options: AgentOptions): Promise<TransportNode> {
  const { postQuantum = 'preferred' } = options;
  const ways = await waysOf(options, deps);
  const dht = options.dht === true ? (await import('../discovery/kad.ts')).dhtPart('server') : undefined;
  const timeoutMs = options.connectionTimeoutMs ?? limits.connectionTimeoutMs;
  let listened: () => readonly string[] = () => [];
  let doors: DoorBook | undefined;
  let more: MoreRelays | undefined;
  const moreRelays = (): readonly string[] => more?.addresses() ?? [];
  let running: AbortSignal | undefined;
  const node = await assembleNode(deps, {
    ...ways.shape,
    ...(options.announce === undefined ? {} : { announce: options.announce }),
    discovery: [
      ...(options.bootstrap.length > 0 ? [bootstrap({ list: [...options.bootstrap], timeout: 100 })] : []),
      ...(ways.mdns ? [(await import('@libp2p/mdns')).mdns({ serviceTag: mdnsServiceTag })] : []),
    ],
    relays: options.relays,
    moreRelays,
    paths(components, parts) {
      tellOwnAddresses(components);
      listened = () => [...(options.announce ?? []), ...components.transportManager.getAddrs().map(String)];
      const facts = {
        ...(ways.shape.webrtc ? { nat: () => ways.nat?.facts() ?? noServers } : {}),
        checked: () => doors?.checked() ?? [],
      };
      const { placesOf } = ways.shape;
      const relays = (): readonly string[] => [...options.relays, ...moreRelays()];
      const made = createPaths({ ...parts, components }, { relays, timeoutMs, placesOf, facts });
      const { dialAddressMs } = ways.shape;
      const keeping = { ...deps, components, told: made.relayTold };
      const keeper = { ...keeping, ...(dialAddressMs === undefined ? {} : { dialAddressMs }) };
      more = createMoreRelays({
        ...deps,
        configured: options.relays,
        keep: (address, signal) => keepRelay(keeper, address, true, signal),
        letGo: (relay) => leaveRelay(components, relay, (peer) => node.network.disconnect(peer)),
      });
      return made;
    },
    bootstrap: options.bootstrap,
    maxConnections: options.maxConnections ?? limits.connectionsMax,
    ...(options.bytesPerSecondMax === undefined
      ? {}
      : { bandwidth: createBandwidth(deps.clock, options.bytesPerSecondMax) }),
    connectionTimeoutMs: timeoutMs,
    directOnly: options.path === 'direct-only',
    topicGuard: createTopicGuard,
    isThroughTurn,
    spareLinks: createSpareLinks,
    ...(postQuantum === 'off' ? {} : { sealing: (parts) => createSealing(parts, postQuantum) }),
    meeting: meetingPart(options.peerExchange === true ? 'meets' : 'asks'),
    ...(dht === undefined ? {} : { dht }),
  });
  const own = new Set(options.relays.flatMap(peerOf));
  /** Once: with the first relay there is, whoever names it. */
  const openDoors = async (): Promise<void> => {
    if (doors !== undefined) return;
    const { createDoorBook } = await import('../nat/door-book.ts');
    // Another call may have been first.
    if (doors !== undefined) return;
    const isRelay = (peer: PeerId): boolean => own.has(peer) || more?.has(peer) === true;
    doors = createDoorBook({ ...deps, network: node.network, isRelay, listened: () => listened() });
    if (running?.aborted === false) void doors.run(running);
  };
  // Behind a proxy nobody may dial this machine.
  const hasDoors = options.socks === undefined;
  if (hasDoors && own.size > 0) await openDoors();
  const started = alongside(node, (signal) => {
    running = signal;
    void ways.nat?.run(signal);
    void doors?.run(signal);
  });
  return ways.releasedWith({
    ...started,
    useRelays(addresses) {
      if (more === undefined || running === undefined) throw transportError('ABORTED', 'this node has not started');
      const uses = more.use(addresses, running);
      if (hasDoors && moreRelays().length > 0) void openDoors();
      return uses;
    },
  });
}

/** Whose address it is. */
function peerOf(address: string): readonly PeerId[] {
  const peer = /\/p2p\/([^/]+)$/u.exec(address)?.[1];
  return peer === undefined ? [] : [peer as PeerId];
}
