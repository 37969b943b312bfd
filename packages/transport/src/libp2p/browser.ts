import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { webRTC } from '@libp2p/webrtc';
import { webSockets } from '@libp2p/websockets';
import { limits } from '../limits.ts';
import { circuitInit } from '../network/reservations.ts';
import { assembleNode, webrtcInit } from './assemble.ts';
import type { TransportDeps, TransportNode } from './options.ts';

export interface BrowserOptions {
  /** Relays to hold a reservation on, so that others can reach this tab; WebSocket multiaddrs. */
  readonly relays: readonly string[];
  /** Nodes to stay connected to. */
  readonly bootstrap?: readonly string[];
  readonly maxConnections?: number;
  readonly connectionTimeoutMs?: number;
  readonly path?: 'any' | 'direct-only';
  /** Asks the DHT; a tab keeps nothing for others. */
  readonly dht?: boolean;
}

/** A node for a browser tab: WebSocket to relays, WebRTC to peers. Runs on Node as well. */
export async function createBrowserNode(deps: TransportDeps, options: BrowserOptions): Promise<TransportNode> {
  const dht = options.dht === true ? (await import('../discovery/kad.ts')).dhtPart('client') : undefined;
  return assembleNode(deps, {
    listen: ['/webrtc'],
    transports: [circuitRelayTransport(circuitInit), webSockets(), webRTC(webrtcInit)],
    relays: options.relays,
    bootstrap: options.bootstrap ?? [],
    maxConnections: options.maxConnections ?? limits.connectionsMax,
    connectionTimeoutMs: options.connectionTimeoutMs ?? limits.connectionTimeoutMs,
    directOnly: options.path === 'direct-only',
    webrtc: true,
    ...(dht === undefined ? {} : { dht }),
  });
}
