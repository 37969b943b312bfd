import { bootstrap } from '@libp2p/bootstrap';
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { mdns } from '@libp2p/mdns';
import { tcp } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import type { Libp2pInit } from 'libp2p';
import { assembleNode } from '../libp2p/assemble.ts';
import type { TransportDeps, TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { isQuicAddress, loadQuic } from '../links/quic.ts';
import { circuitInit } from '../network/reservations.ts';
import { nativeWebrtc } from './native-webrtc.ts';

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
  readonly maxConnections?: number;
  readonly connectionTimeoutMs?: number;
  readonly transports?: TransportChoice;
  /** `direct-only`: relays may introduce, but carry no channel. */
  readonly path?: 'any' | 'direct-only';
}

export const mdnsServiceTag = 'peerai.local';

/** A whole agent's node. Throws UNSAFE_ENVIRONMENT, INVALID_FORMAT. */
export async function createAgentNode(deps: TransportDeps, options: AgentOptions): Promise<TransportNode> {
  const on = options.transports ?? { tcp: true, websocket: true, webrtc: true };
  const transports: NonNullable<Libp2pInit['transports']> = [circuitRelayTransport(circuitInit)];
  if (on.tcp) transports.push(tcp());
  if (on.websocket) transports.push(webSockets());
  const native = on.webrtc ? await nativeWebrtc() : undefined;
  if (native !== undefined) transports.push(native.transport);
  const quic = on.quic === false ? undefined : await loadQuic(deps.logger);
  if (quic !== undefined) transports.push(quic);
  const listen = options.listen.filter((address) => quic !== undefined || !isQuicAddress(address));
  const node = await assembleNode(deps, {
    listen: [...listen, ...(on.webrtc ? ['/webrtc'] : [])],
    ...(options.announce === undefined ? {} : { announce: options.announce }),
    transports,
    discovery: [
      ...(options.bootstrap.length > 0 ? [bootstrap({ list: [...options.bootstrap], timeout: 100 })] : []),
      ...(options.mdns === true ? [mdns({ serviceTag: mdnsServiceTag })] : []),
    ],
    relays: options.relays,
    bootstrap: options.bootstrap,
    maxConnections: options.maxConnections ?? limits.connectionsMax,
    connectionTimeoutMs: options.connectionTimeoutMs ?? limits.connectionTimeoutMs,
    directOnly: options.path === 'direct-only',
    webrtc: on.webrtc,
    forwardTopics: false,
  });
  return native === undefined ? node : native.releasedWith(node);
}
