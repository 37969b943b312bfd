import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  limits as coreLimits,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  relayInfoMethod,
  serveMethod,
} from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { createMailboxKeeper, type MailboxKeeper, type MailboxStats } from '@peerai/messaging/mailbox';
import { loadOrCreateSeed, nodeRandom, openStore, systemClock } from '@peerai/platform/node';
import type { TransportNode } from '@peerai/transport';
import { createRelayNode, readNetworkKey } from '@peerai/transport/node';
import { createFace, pathOf } from './http.ts';
import { createRelayMetrics } from './metrics.ts';
import { findPage } from './page.ts';
import type { RelaySettings } from './settings.ts';
import { createSignalling, signalPath } from './signal/signalling.ts';
import { webHost } from './web-host.ts';

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

/** Where the guest's page may lie: beside the built program, or where the dashboard's build puts it, seen from source. */
const pageFolders = ['../page', '../../dashboard/dist'].map((place) => fileURLToPath(new URL(place, import.meta.url)));

/** Starts a relay. Throws PORT_TAKEN naming the port and its flag, CONFIG_INVALID (--psk-file), and what the key file and the letters' file throw. */
export async function startRelay(
  settings: RelaySettings,
  files: { readonly key: string; readonly letters: string },
  logger: Logger,
): Promise<Relay> {
  const networkKey = await networkKeyOf(settings);
  const { seed } = await loadOrCreateSeed(files.key, { random: nodeRandom });
  const page = findPage(pageFolders);
  const startedMs = Date.now();
  const metrics = createRelayMetrics();
  let node: TransportNode | undefined;
  let letters: Letters | undefined;
  const world = { clock: systemClock, random: nodeRandom, crypto: nodeCrypto, logger };
  // Strangers do not meet at a relay of a private network; the page and what it says of itself are no way in.
  const signalling = networkKey === undefined ? createSignalling(world) : undefined;
  const server = createFace({
    page,
    health: () => healthOf(node, startedMs),
    stats: () => ({ ...statsOf(node, startedMs), ...lettersOf(letters), signal_devices: signalling?.devices ?? 0 }),
    metrics: async () => (node === undefined ? '' : metrics.text(node.stats(), mailStats(letters))),
  });
  server.on('upgrade', (request, socket, head) => {
    if (pathOf(request.url ?? '/') !== signalPath) return;
    if (signalling === undefined) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    else signalling.accept(request, socket, head);
  });
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  const http = settings.publicUrl ?? `http://${webHost(settings.bind, networkInterfaces())}:${port}`;
  const pageUrl = page === undefined ? undefined : `${http}/s`;
  let info: Disposable | undefined;
  const stop = onlyOnce(async () => {
    info?.[Symbol.dispose]();
    signalling?.stop();
    await letters?.close();
    await node?.stop();
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
  try {
    const made = await createRelayNode(
      { ...world, seed, isGranted: () => false, ...(networkKey === undefined ? {} : { networkKey }) },
      nodeOptions(settings, server),
    );
    info = serveMethod(made.network, relayInfoMethod, async () => ({
      name: settings.name,
      version,
      pageUrl,
      addresses: browserFirst(made.network.addresses()).slice(0, coreLimits.relayAddressesMax),
    }));
    if (settings.mailboxBytes !== 0) letters = await openLetters(made.network, files.letters, settings, logger);
    await made.start();
    node = made;
    return { peerId: made.network.self, http, pageUrl, addresses: browserFirst(made.network.addresses()), stop };
  } catch (cause) {
    await stop();
    throw portError('--tcp-port', settings.tcpPort, cause);
  }
}

interface Letters {
  readonly keeper: MailboxKeeper;
  close(): Promise<void>;
}

/** The mailboxes, on disk. */
async function openLetters(
  network: Network,
  file: string,
  { mailboxBytes }: RelaySettings,
  logger: Logger,
): Promise<Letters> {
  const store = await openStore(file, { logger });
  const world = { store: store.room('letters'), network, clock: systemClock, random: nodeRandom, crypto: nodeCrypto };
  const keeper = await createMailboxKeeper(world, mailboxBytes === undefined ? {} : { totalBytesMax: mailboxBytes });
  return {
    keeper,
    close: async () => {
      keeper[Symbol.dispose]();
      await keeper.idle();
      await store.close();
    },
  };
}

const mailStats = (letters: Letters | undefined): MailboxStats =>
  letters?.keeper.stats() ?? { registrations: 0, letters: 0, bytes: 0 };

function lettersOf(letters: Letters | undefined): object {
  const { registrations, letters: count, bytes } = mailStats(letters);
  return { mailboxes: registrations, letters: count, letter_bytes: bytes };
}

function nodeOptions({ bind, tcpPort, publicUrl, limits }: RelaySettings, server: Server) {
  return {
    listen: [`/${isIPv6(bind) ? 'ip6' : 'ip4'}/${bind}/tcp/${tcpPort}`],
    httpServer: server,
    isOwnPath: (path: string) => path === signalPath,
    ...(publicUrl === undefined ? {} : { announce: publicAddresses(publicUrl) }),
    limits,
    // A bootstrap node that did not take part would keep those apart who know it alone.
    dht: true,
  };
}

/** The key that all members of its private network have. */
async function networkKeyOf({ pskFile }: RelaySettings): Promise<Uint8Array | undefined> {
  if (pskFile === undefined) return undefined;
  try {
    return readNetworkKey(await readFile(pskFile, 'utf8'));
  } catch (cause) {
    const why = PeerAiError.is(cause)
      ? cause.message
      : `it cannot be read (${(cause as { code?: string }).code ?? 'unknown'})`;
    throw new PeerAiError('CONFIG_INVALID', `--psk-file: ${why}`, {}, { cause });
  }
}

async function listen(server: Server, { port, bind }: RelaySettings): Promise<void> {
  server.listen(port, bind);
  await once(server, 'listening').catch((cause: unknown) => {
    throw portError('--port', port, cause);
  });
}

const secondsSince = (ms: number): number => Math.round((Date.now() - ms) / 1000);

/** `addresses` lets an agent be given this relay by its web address alone. */
function healthOf(node: TransportNode | undefined, startedMs: number): object {
  return {
    status: node === undefined ? 'starting' : 'healthy',
    service: 'peerai-relay',
    version,
    peer_id: node?.network.self ?? null,
    addresses: node === undefined ? [] : browserFirst(node.network.addresses()).slice(0, coreLimits.relayAddressesMax),
    uptime_s: secondsSince(startedMs),
  };
}

function statsOf(node: TransportNode | undefined, startedMs: number): object {
  const stats = node?.stats();
  return {
    online_peers: stats?.peers ?? 0,
    reservations: stats?.reservations ?? 0,
    relayed: stats?.circuits ?? 0,
    refused_connections: stats?.refused.connections ?? 0,
    refused_reservations: stats?.refused.reservations ?? 0,
    refused_circuits: stats?.refused.circuits ?? 0,
    circuits_cut: stats?.refused.circuitsCut ?? 0,
    bytes_sent: stats?.bytesSent ?? 0,
    bytes_received: stats?.bytesReceived ?? 0,
    uptime_s: secondsSince(startedMs),
  };
}

/** WebSocket addresses before the others: a browser can dial nothing else. */
function browserFirst(addresses: readonly string[]): string[] {
  const isWebSocket = (address: string): boolean => /\/wss?(?:\/|$)/.test(address);
  return [...addresses.filter(isWebSocket), ...addresses.filter((address) => !isWebSocket(address))];
}

/** `https://relay.example` as the address a browser dials through the TLS proxy. */
export function publicAddresses(publicUrl: string): readonly string[] {
  const { protocol, hostname, port } = new URL(publicUrl);
  const secure = protocol === 'https:';
  const bare = hostname.replaceAll(/[[\]]/g, '');
  const host = isIPv6(bare) ? `/ip6/${bare}` : /^[\d.]+$/.test(bare) ? `/ip4/${bare}` : `/dns4/${bare}`;
  return [`${host}/tcp/${port === '' ? (secure ? '443' : '80') : port}${secure ? '/tls' : ''}/ws`];
}

/** libp2p wraps what the system says: the code is somewhere beneath. */
function portError(flag: string, port: number, cause: unknown): unknown {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const text = `${(error as { code?: string }).code ?? ''} ${error.message}`;
    if (!text.includes('EADDRINUSE')) continue;
    return new PeerAiError('PORT_TAKEN', `port ${port} is taken; choose another with ${flag}`, { port }, { cause });
  }
  return cause;
}

function onlyOnce(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= task());
}
