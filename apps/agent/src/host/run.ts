import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createIdentity, type Logger, PeerAiError } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { createPeer, type Peer } from '@peerai/peer';
import { systemClock, systemRandom } from '@peerai/platform';
import { createLogger, directories, type FileStore, loadConfig, type LoadedConfig, loadOrCreateSeed, openStore } from '@peerai/platform/node';
import { createAgentNode } from '@peerai/transport/node';
import { existsSync } from 'node:fs';
import { startEdge } from '../edge/server.ts';
import { version } from '../version.ts';
import { announcedAddresses, listenAddresses, relayAddresses, splitHostPort } from './addresses.ts';
import { banner } from './banner.ts';
import { createEngines } from './engines.ts';
import { openGatewayKeys } from './gateway-keys.ts';
import { choosePort } from './listen.ts';
import { loadOrCreateToken } from './token.ts';
import type { Instance } from '../cli/locate.ts';

export interface RunOptions {
  readonly home: string | undefined;
  readonly configFile: string | undefined;
  /** Configuration keys from the command line. */
  readonly flags: Readonly<Record<string, unknown>>;
}
export interface RunningAgent {
  readonly instance: Instance;
  /** What `peerai up` prints. */
  banner(took: string): string;
  /** Resolves when the agent has ended. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** How long an orderly end may take before the process ends anyway, milliseconds. */
const stopMsMax = 5_000;
const pagesFolder = ['../pages', '../../../dashboard/dist'].map((place) => fileURLToPath(new URL(place, import.meta.url))).find((folder) => existsSync(join(folder, 'index.html')));

/** Starts the agent of a home: key, store, engines, links, peer, local API. Throws the code of the part that could not start; what was started is stopped. */
export async function runAgent(options: RunOptions): Promise<RunningAgent> {
  const home = options.home ?? process.env['PEERAI_HOME'];
  const folders = directories({ env: process.env, ...(home === undefined || home === '' ? {} : { home }) });
  const loaded = loadConfig({ env: process.env, flags: options.flags, cwd: process.cwd(), ...(home === undefined || home === '' ? {} : { home }), ...(options.configFile === undefined ? {} : { file: options.configFile }) });
  const { config } = loaded;
  const undo: (() => Promise<unknown>)[] = [];
  const stop = once(async () => {
    for (const step of undo.reverse()) await step().catch(() => undefined);
  });
  try {
    return await start(loaded, folders, undo, stop, createLogger(config.logging));
  } catch (error) {
    await stop();
    throw error;
  }
}

type Folders = ReturnType<typeof directories>;

async function start({ config, origins, ...loaded }: LoadedConfig, folders: Folders, undo: (() => Promise<unknown>)[], stop: () => Promise<void>, logger: Logger): Promise<RunningAgent> {
  const startedMs = Date.now();
  const passphrase = process.env['PEERAI_PASSPHRASE'];
  const { seed } = await loadOrCreateSeed(folders.files.identity, { random: systemRandom, ...(passphrase === undefined ? {} : { passphrase }) });
  const token = loadOrCreateToken(join(folders.config, 'token'), systemRandom);
  const store = await openHomeStore(folders.files.store);
  undo.push(() => store.close());
  const identity = createIdentity(nodeCrypto, seed);
  const life = new AbortController();
  undo.push(async () => life.abort());

  const engines = await createEngines({ clock: systemClock, logger }, config.llm.engines);
  await engines.probe(life.signal);
  const relays = await relayAddresses(config.network.relays, (text) => logger.warn('relay-left-out', { reason: text }));
  const wish = splitHostPort(config.network.listen_address);
  const port = await choosePort({ ...wish, span: 2, configured: origins['network.listen_address'] !== 'default', setting: 'network.listen_address' });
  let peer: Peer | undefined;
  const node = await createAgentNode(
    { seed, clock: systemClock, random: systemRandom, logger, crypto: nodeCrypto, isGranted: (id, protocol) => peer?.isGranted(id, protocol) ?? false, isBlocked: (id) => peer?.isBlocked(id) ?? false },
    {
      listen: listenAddresses(wish.host, port, config.network.transports),
      ...(config.network.external_address === undefined ? {} : { announce: announcedAddresses(config.network.external_address) }),
      relays,
      bootstrap: config.network.bootstrap_nodes,
      mdns: config.network.discovery.mdns,
      maxConnections: config.network.max_connections,
      connectionTimeoutMs: config.network.connection_timeout,
      transports: config.network.transports,
      path: config.network.path,
    },
  );
  undo.push(() => node.stop());
  await node.start(life.signal);

  let api = '';
  const name = config.network.name ?? hostname();
  peer = await createPeer(
    { identity, clock: systemClock, random: systemRandom, crypto: nodeCrypto, store, network: node.network, logger, engines: engines.list, findings: engines.findings, api: () => api },
    {
      name,
      version,
      home: folders.config,
      relays,
      ...(config.share.page_url === undefined ? {} : { pageUrl: config.share.page_url }),
      share: { forMs: config.share.for, tokens: config.share.tokens, guests: config.share.guests, concurrency: config.share.concurrency },
      expose: config.llm.expose,
      ...(config.llm.default_model === undefined ? {} : { defaultModel: config.llm.default_model }),
      ...(config.llm.system_prompt === undefined ? {} : { systemPrompt: config.llm.system_prompt }),
      concurrency: config.llm.max_concurrent,
      queueLength: config.llm.queue_length,
    },
  );
  const running = peer;
  undo.push(() => running.stop());
  await running.start();
  void engines.run(life.signal);

  const keys = await openGatewayKeys({ store, crypto: nodeCrypto, random: systemRandom, clock: systemClock });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const shutdown = once(async () => {
    setTimeout(() => process.exit(1), stopMsMax).unref();
    await stop();
    end();
  });
  const configView = () => ({ v: 1 as const, values: flatten(config, origins) });
  const apiPort = await choosePort({ host: config.api.bind, port: config.api.port, span: 1, configured: origins['api.port'] !== 'default', setting: 'api.port' });
  const edge = await startEdge(
    { peer: running, control: { config: configView, shutdown: () => void setTimeout(() => void shutdown(), 50), keys }, logger },
    {
      bind: config.api.bind,
      port: apiPort,
      pages: pagesFolder,
      rules: { loopbackBind: /^(?:127\.|localhost$|::1$)/.test(config.api.bind), requireToken: config.api.require_token, allowHosts: config.security.allow_hosts, allowOrigins: config.security.allow_origins, controlToken: token },
    },
  );
  undo.push(() => edge.stop());
  api = `http://${config.api.bind.includes(':') ? `[${config.api.bind}]` : config.api.bind === '0.0.0.0' ? '127.0.0.1' : config.api.bind}:${edge.port}`;
  const instance: Instance = { pid: process.pid, api, name, peerId: running.id, startedMs };
  const file = join(folders.state, 'agent.json');
  writeInstance(file, instance);
  undo.push(async () => rmSync(file, { force: true }));
  process.once('SIGTERM', () => void shutdown());
  process.once('SIGINT', () => void shutdown());
  void ended.then(() => process.exit(0));
  logger.info('agent-ready', { api, peer: running.id });
  return { instance, ended, stop: shutdown, banner: (took) => banner({ instance, token, took, relays, engines: engines.list(), files: loaded.files }) };
}

async function openHomeStore(file: string): Promise<FileStore> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    return await openStore(file);
  } catch (error) {
    if (!PeerAiError.is(error, 'STORE_LOCKED')) throw error;
    throw new PeerAiError('STORE_LOCKED', error.message, { ...error.details, hint: 'Another agent uses this folder: `peerai down` ends it, or give another --home.' }, { cause: error });
  }
}

function writeInstance(file: string, instance: Instance): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(instance)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Every key with its value and where it came from. */
function flatten(config: LoadedConfig['config'], origins: LoadedConfig['origins']): { key: string; value: unknown; origin: string }[] {
  const walk = (value: unknown, path: string): { key: string; value: unknown; origin: string }[] => {
    const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value) && origins[path] === undefined;
    if (!isBranch) return [{ key: path, value, origin: origins[path] ?? 'default' }];
    return Object.entries(value).flatMap(([name, one]) => walk(one, path === '' ? name : `${path}.${name}`));
  };
  return walk(config, '');
}

function once(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= task());
}
