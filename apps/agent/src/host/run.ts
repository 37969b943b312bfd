import { resolve } from 'node:path';
import type { Logger } from '@peerai/core-protocol';
import { systemClock } from '@peerai/platform';
import { createLogger, directories, loadConfig } from '@peerai/platform/node';
import type { Instance } from '../cli/locate.ts';
import { banner } from './banner.ts';
import { configView } from './config-view.ts';
import { createEngines } from './engines.ts';
import { openHome } from './home.ts';
import { instanceFileOf, removeInstance, writeInstance } from './instance.ts';
import { type Undo, undoList } from './undo.ts';

export interface RunOptions {
  readonly home: string | undefined;
  readonly configFile: string | undefined;
  /** Configuration keys from the command line. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Nobody looks at its screen: without a `logging.file` the log goes to the home's. */
  readonly detached: boolean;
}
export interface RunningAgent {
  readonly instance: Instance;
  /** What `peerai up` prints. */
  banner(took: string): string;
  /** Resolves when the agent has ended. */
  readonly ended: Promise<void>;
  /** Ends everything in order, or the process after 5 s. Safe to call twice. */
  stop(): Promise<void>;
}

/** How long an orderly end may take before the process ends anyway, milliseconds. */
const stopMsMax = 4_500;
/** How long an answer to `POST /api/v1/shutdown` has to go out, milliseconds. */
const answerMs = 50;

/**
 * Starts the agent of a home: key, store, engines, links, peer, local API.
 * Throws the code of the part that could not start (CONFIG_*, KEY_*, STORE_*, PORT_TAKEN, RELAY_INVALID …); what was started is stopped.
 */
export async function runAgent(options: RunOptions): Promise<RunningAgent> {
  const given = options.home ?? process.env['PEERAI_HOME'];
  const home = given === undefined || given === '' ? {} : { home: given };
  const loaded = loadConfig({
    env: process.env,
    flags: options.flags,
    cwd: process.cwd(),
    ...home,
    ...(options.configFile === undefined ? {} : { file: options.configFile }),
  });
  const folders = directories({ env: process.env, ...home });
  const undo = undoList();
  try {
    const { file = options.detached ? folders.files.log : undefined } = loaded.config.logging;
    const logFile = file === undefined ? undefined : resolve(file);
    const logger = createLogger({ ...loaded.config.logging, file: logFile });
    // Node says it on stderr too; a log in a file should hold its own end.
    if (logFile !== undefined) process.on('uncaughtExceptionMonitor', (error) => logger.error('crashed', { error }));
    return await start({ loaded, folders, undo, logger, logFile });
  } catch (error) {
    await undo.run();
    throw error;
  }
}

interface StartParts {
  readonly loaded: ReturnType<typeof loadConfig>;
  readonly folders: ReturnType<typeof directories>;
  readonly undo: Undo;
  readonly logger: Logger;
  readonly logFile: string | undefined;
}

async function start({ loaded, folders, undo, logger, logFile }: StartParts): Promise<RunningAgent> {
  const { config } = loaded;
  const startedMs = Date.now();
  const file = instanceFileOf(folders);
  // Removed last, so that whoever waits for its end finds everything closed; and only our own.
  let isWritten = false;
  undo.add(() => isWritten && removeInstance(file));
  // Links and the local API are most of the modules: they load while the store opens in its thread.
  const [home, { startPeer }, { startFace }] = await Promise.all([
    openHome(folders, undo),
    import('./start-peer.ts'),
    import('./face.ts'),
  ]);
  const life = new AbortController();
  undo.add(() => life.abort());
  const engines = await createEngines({ clock: systemClock, logger }, config.llm.engines);
  await engines.probe(life.signal);
  let api = '';
  const { peer, relays, http } = await startPeer(
    { loaded, home, engines, logger, signal: life.signal, api: () => api },
    undo,
  );
  void engines.run(life.signal, () => peer.models.refresh(life.signal));

  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const shutdown = async (): Promise<void> => {
    setTimeout(() => process.exit(1), stopMsMax).unref();
    await undo.run();
    end();
  };
  const face = await startFace({
    loaded,
    home,
    peer,
    logger,
    config: configView(loaded),
    shutdown: () => void setTimeout(() => void shutdown(), answerMs),
  });
  undo.add(() => face.edge.stop());
  api = face.api;
  const instance: Instance = {
    pid: process.pid,
    api,
    http,
    name: home.nameOf(config),
    peerId: peer.id,
    startedMs,
    ...(logFile === undefined ? {} : { log: logFile }),
  };
  writeInstance(file, instance);
  isWritten = true;
  process.once('SIGTERM', () => void shutdown());
  process.once('SIGINT', () => void shutdown());
  logger.info('agent-ready', { api, peer: peer.id });
  const facts = {
    instance,
    token: process.stdout.isTTY ? home.token : undefined,
    relays,
    files: loaded.files,
    moved: face.moved,
    refusal: peer.books.refusal(),
  };
  return { instance, ended, stop: shutdown, banner: (took) => banner({ ...facts, took, engines: engines.list() }) };
}
