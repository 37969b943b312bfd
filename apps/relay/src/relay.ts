import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Logger, PeerAiError, type PeerId, relayInfoMethod, serveMethod } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { loadOrCreateSeed, nodeRandom, systemClock } from '@peerai/platform/node';
import { createRelayNode } from '@peerai/transport/node';
import { createFace } from './http.ts';
import { createRelayMetrics } from './metrics.ts';
import { findPage } from './page.ts';
import type { RelaySettings } from './settings.ts';

export const version = '0.1.0';

export interface Relay {
  readonly peerId: PeerId;
  /** Base URL of `/health` and the rest. */
  readonly http: string;
  /** Base of share links; `undefined` when the page is not installed. */
  readonly pageUrl: string | undefined;
  readonly addresses: readonly string[];
  /** Ends within 5 s. Safe to call twice. */
  stop(): Promise<void>;
}

/** Where the guest's page may lie: beside this program when installed, or built in the repository. */
const pageFolders = ['./page', '../../dashboard/dist'].map((place) => fileURLToPath(new URL(place, import.meta.url)));

/** Starts a relay. Throws PORT_TAKEN naming the port, and what the key file throws. */
export async function startRelay(settings: RelaySettings, keyFile: string, logger: Logger): Promise<Relay> {
  const { seed } = await loadOrCreateSeed(keyFile, { random: nodeRandom });
  const page = findPage(pageFolders);
  const startedMs = Date.now();
  const metrics = createRelayMetrics();
  const server = createFace({
    page,
    health: () => ({
      status: 'healthy',
      service: 'peerai-relay',
      version,
      peer_id: node.network.self,
      uptime_s: Math.round((Date.now() - startedMs) / 1000),
    }),
    stats: () => {
      const { connections, reservations, relayed, bytesSent, bytesReceived } = node.stats();
      return {
        online_peers: connections,
        reservations,
        relayed,
        bytes_sent: bytesSent,
        bytes_received: bytesReceived,
        uptime_s: Math.round((Date.now() - startedMs) / 1000),
      };
    },
    metrics: () => metrics.text(node.stats()),
  });
  server.listen(settings.port, settings.bind);
  await Promise.race([
    once(server, 'listening'),
    once(server, 'error').then(([cause]) => Promise.reject(portError(settings, cause))),
  ]);
  const { port } = server.address() as AddressInfo;
  const node = await createRelayNode(
    { seed, clock: systemClock, random: nodeRandom, logger, crypto: nodeCrypto, isGranted: () => false },
    {
      listen: [`/ip4/${settings.bind}/tcp/${settings.tcpPort}`],
      httpServer: server,
      ...(settings.publicUrl === undefined ? {} : { announce: publicAddresses(settings.publicUrl) }),
      ...(settings.reservations === undefined ? {} : { limits: { reservationsMax: settings.reservations } }),
    },
  );
  const stop = async (): Promise<void> => {
    info[Symbol.dispose]();
    await node.stop();
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const http = settings.publicUrl ?? `http://${settings.bind === '0.0.0.0' ? '127.0.0.1' : settings.bind}:${port}`;
  const pageUrl = page === undefined ? undefined : `${http}/s`;
  const info = serveMethod(node.network, relayInfoMethod, async () => ({
    name: settings.name,
    version,
    pageUrl,
    addresses: [...browserFirst(node.network.addresses())].slice(0, 16),
  }));
  try {
    await node.start();
  } catch (cause) {
    await stop();
    throw portError(settings, cause);
  }
  return { peerId: node.network.self, http, pageUrl, addresses: browserFirst(node.network.addresses()), stop };
}

/** WebSocket addresses before the others: a browser can dial nothing else. */
function browserFirst(addresses: readonly string[]): readonly string[] {
  const isWebSocket = (address: string): boolean => /\/wss?(?:\/|$)/.test(address);
  return [...addresses.filter(isWebSocket), ...addresses.filter((address) => !isWebSocket(address))];
}

/** `https://relay.example` as the address a browser dials through the TLS proxy. */
function publicAddresses(publicUrl: string): readonly string[] {
  const { protocol, hostname, port } = new URL(publicUrl);
  const secure = protocol === 'https:';
  const host = /^[\d.]+$/.test(hostname) ? `/ip4/${hostname}` : `/dns4/${hostname}`;
  return [`${host}/tcp/${port === '' ? (secure ? '443' : '80') : port}${secure ? '/tls' : ''}/ws`];
}

function portError({ port, tcpPort }: RelaySettings, cause: unknown): unknown {
  const text = cause instanceof Error ? `${cause.message} ${String((cause as { cause?: unknown }).cause ?? '')}` : '';
  if (!/EADDRINUSE|in use/i.test(text)) return cause;
  return new PeerAiError(
    'PORT_TAKEN',
    `port ${port} or ${tcpPort} is taken; choose others with --port and --tcp-port`,
    { port, tcpPort },
    { cause },
  );
}
