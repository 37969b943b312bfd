import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Logger } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import type { SignatureThreads } from '@peerai/core-protocol/signature-threads';
import { createPeer, type Peer, type PeerSettings } from '@peerai/peer';
import { type Config, systemClock, systemRandom } from '@peerai/platform';
import type { LoadedConfig } from '@peerai/platform/node';
import { createAgentNode, readNetworkKey } from '@peerai/transport/node';
import { version } from '../version.ts';
import {
  announcedAddresses,
  iceServersOf,
  listenAddresses,
  proxyOf,
  relayAddresses,
  relaysBehindProxy,
  splitHostPort,
} from './addresses.ts';
import { createPostPool } from '../peer-http/post.ts';
import { peerHttpSettings } from '../peer-http/settings.ts';
import { type PeerHttpFace, startPeerHttp } from '../peer-http/start.ts';
import type { Engines } from './engines.ts';
import type { Home } from './home.ts';
import { chainWorld } from './chain-world.ts';
import { choosePort } from './listen.ts';
import { readMachine } from './machine.ts';
import { modelRunner } from './model-runner.ts';
import { taskHooks } from './task-hooks.ts';
import type { Undo } from './undo.ts';

export interface PeerParts {
  readonly loaded: LoadedConfig;
  readonly home: Home;
  readonly engines: Engines;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly api: () => string;
}

/** Opens the links and the peer over them. Throws PORT_TAKEN, RELAY_INVALID, INVALID_FORMAT (psk_file). */
export async function startPeer(
  { loaded, home, engines, logger, signal, api }: PeerParts,
  undo: Undo,
): Promise<{ readonly peer: Peer; readonly relays: readonly string[]; readonly http: string }> {
  const { config, origins } = loaded;
  const socks = proxyOf(config);
  const relays =
    socks === undefined
      ? await relayAddresses(config.network.relays, (reason) => logger.warn('relay-left-out', { reason }))
      : relaysBehindProxy(config.network.relays);
  const asked = splitHostPort(config.network.listen_address);
  // Who hides behind a proxy is not to be found beside it.
  const wish = socks === undefined ? asked : { ...asked, host: '127.0.0.1' };
  const setting = 'network.listen_address';
  const configured = origins[setting] !== 'default';
  const port = await choosePort({
    ...wish,
    span: 2,
    udp: socks === undefined && config.network.transports.quic,
    configured,
    setting,
  });
  if (port !== wish.port) logger.warn('port-taken', { setting, wished: wish.port, chosen: port });
  const world = { clock: systemClock, random: systemRandom, crypto: nodeCrypto, logger };
  let peer: Peer | undefined;
  const keyFile = config.network.psk_file;
  const node = await createAgentNode(
    {
      ...world,
      seed: home.seed,
      isGranted: (id, protocol) => peer?.isGranted(id, protocol) ?? false,
      isBlocked: (id) => peer?.isBlocked(id) ?? false,
      isHybrid: (id) => peer?.isHybrid(id) ?? false,
      ...(keyFile === undefined ? {} : { networkKey: readNetworkKey(await readFile(resolve(keyFile), 'utf8')) }),
    },
    { ...linkOptions(config, wish.host, port), ...(socks === undefined ? {} : { socks }), relays },
  );
  undo.add(() => node.stop());
  await node.start(signal);
  const { identity, store } = home;
  // Nothing goes round a proxy: with one, nothing is sent by HTTP.
  const pool = proxyOf(config) === undefined ? createPostPool() : undefined;
  undo.add(() => pool?.stop());
  let signatures: Promise<SignatureThreads> | undefined;
  const signatureThreads = async (): Promise<SignatureThreads> => {
    const { createSignatureThreads } = await import('@peerai/core-protocol/signature-threads');
    return createSignatureThreads(world);
  };
  undo.add(async () => (await signatures)?.stop());
  let face: PeerHttpFace | undefined;
  peer = await createPeer(
    {
      ...world,
      ...(availableParallelism() === 1
        ? {}
        : { verifyAside: async (signed) => (await (signatures ??= signatureThreads())).allHold(signed) }),
      identity,
      replaceKey: (seed) => home.replaceKey(seed),
      store,
      shelf: home.shelf,
      network: node.network,
      ...(node.paths === undefined ? {} : { paths: node.paths }),
      engines: engines.list,
      findings: engines.findings,
      operators: engines.operators,
      modelRunner,
      machine: readMachine,
      ...(pool === undefined ? {} : { post: pool.post }),
      ...(await chainWorld(config, home)),
      api,
      topics: node.topics,
      directory: node.directory,
      // Behind a proxy the owner alone says who sees this peer come.
      ...(node.useRelays === undefined || socks !== undefined ? {} : { useRelays: node.useRelays }),
      ...(node.crawler === undefined ? {} : { crawler: node.crawler }),
      taskHandlers: taskHooks(config.tasks.hooks),
      trainingRuntime: async () => (await import('@peerai/nn-engine/node')).createNodeRuntime(),
      nanoFile: async (until) => (await import('@peerai/nn-engine/node')).readNanoFile(until),
      async memoryIndexes(secret) {
        const { createUsearchIndexes } = await import('@peerai/nn-engine/node');
        return createUsearchIndexes({ ...world, folder: home.memoryIndex, secret });
      },
    },
    {
      ...settingsOf(config),
      tells: toldOf(config),
      ...(config.network.region === undefined ? {} : { region: config.network.region }),
      name: home.nameOf(config),
      home: home.folder,
      relays,
      http: peerHttpSettings(config, () => face?.port ?? 0),
    },
  );
  const running = peer;
  undo.add(() => running.stop());
  // Before the first hello goes out, so that it can say where this face is.
  const opened = await startPeerHttp(loaded, { peer: running, logger });
  undo.add(() => opened.stop());
  face = opened;
  await running.start();
  return { peer: running, relays, http: opened.url };
}

function linkOptions(config: Config, host: string, port: number) {
  const { network, performance } = config;
  const signalPlace = network.transports.file_signalling;
  const iceServers = iceServersOf(config);
  // A proxy carries TCP alone.
  const on =
    proxyOf(config) === undefined
      ? network.transports
      : { tcp: network.transports.tcp, websocket: false, webrtc: false, quic: false };
  return {
    listen: listenAddresses(host, port, on),
    ...(network.external_address === undefined ? {} : { announce: announcedAddresses(network.external_address, on) }),
    bootstrap: network.bootstrap_nodes,
    mdns: network.discovery.mdns,
    dht: network.discovery.dht,
    peerExchange: network.discovery.pex,
    maxConnections: network.max_connections,
    ...(performance.bandwidth === undefined ? {} : { bytesPerSecondMax: performance.bandwidth }),
    connectionTimeoutMs: network.connection_timeout,
    transports: on,
    ...(signalPlace === undefined ? {} : { signalPlace: resolve(signalPlace) }),
    ...(iceServers === undefined ? {} : { iceServers }),
    path: network.path,
    postQuantum: network.post_quantum,
  };
}

/** Nothing is said of a peer that looks for nobody, or hides behind a proxy. */
function toldOf(config: Config): NonNullable<PeerSettings['tells']> {
  const { dht, pex, tells } = config.network.discovery;
  return (dht || pex) && proxyOf(config) === undefined ? tells : [];
}

function settingsOf({
  llm,
  cache,
  memory,
  ledger,
  governance,
  market,
  metrics,
  reputation,
  share,
  tasks,
  network,
}: Config): Omit<PeerSettings, 'name' | 'home' | 'relays'> {
  return {
    version,
    ...(share.page_url === undefined ? {} : { pageUrl: share.page_url }),
    share: { forMs: share.for, tokens: share.tokens, guests: share.guests, concurrency: share.concurrency },
    expose: llm.expose,
    ...(llm.default_model === undefined ? {} : { defaultModel: llm.default_model }),
    ...(llm.system_prompt === undefined ? {} : { systemPrompt: llm.system_prompt }),
    ledgerShow: ledger.show,
    groupRelays: governance.relays,
    groupTopics: governance.topics,
    logHeads: governance.log_heads,
    rewards: market.rewards,
    memoryEmbedder: memory.embedder,
    admissionMin: reputation.admission_min,
    cache: { quotaBytes: cache.quota, offered: cache.offer },
    metricAlerts: metrics.alerts,
    concurrency: llm.max_concurrent,
    queueLength: llm.queue_length,
    tasksAtOnce: tasks.max_concurrent,
    heartbeatMs: network.heartbeat,
  };
}
