import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ControlClient, createControlClient } from '@peerai/peer/control';
import { type Child, startChild } from './child.ts';
import { introduceAll } from './pairing.ts';
import { lastingPort } from './lasting-port.ts';
import { counted } from './progress.ts';
import { someAtOnce } from './some-at-once.ts';

export interface TestnetOptions {
  readonly agents: number;
  /** Relays; agents know all of them. */
  readonly relays: number;
  readonly engine: 'scripted' | 'nano' | 'auto';
  /** Engines of single agents, in their order, where they differ. */
  readonly engines?: readonly TestnetOptions['engine'][];
  /** Environment of every agent, besides what this program sets. */
  readonly env: Readonly<Record<string, string>>;
  /** Address the relay and the agents listen on; another loopback address than 127.0.0.1 is possible. */
  readonly host?: string;
  /** Names of the agents; `agent-1`, `agent-2` … unless given. */
  readonly names?: readonly string[];
  /** Ports that people know (8006, 4100, …) or the next free ones, instead of any free ones. */
  readonly usualPorts?: boolean;
  /** Pair every agent with every other one, all permissions; default true. */
  readonly pair?: boolean;
  readonly onLog?: (line: string) => void;
  /** Told how far it has come, in words: many agents take a while. */
  readonly onProgress?: (text: string) => void;
  /** Ends what is up while it is being started; a started testnet is ended by its `stop`. */
  readonly signal?: AbortSignal;
}
export interface RelayInfo {
  readonly name: string;
  readonly http: string;
  readonly addresses: readonly string[];
  readonly peerId: string;
  readonly pid: number;
}
export interface AgentInfo {
  readonly name: string;
  readonly api: string;
  readonly token: string;
  /** Base URL of the peer protocol's HTTP. */
  readonly http: string;
  readonly peerId: string;
  readonly home: string;
  readonly pid: number;
  readonly addresses: readonly string[];
}
export interface Testnet {
  readonly relays: readonly RunningRelay[];
  readonly agents: readonly RunningAgent[];
  /** What `pnpm testnet` prints. */
  info(): { readonly relays: readonly RelayInfo[]; readonly agents: readonly AgentInfo[] };
  /** Ends every process and removes the homes. */
  stop(): Promise<void>;
}
export interface RunningRelay {
  readonly info: RelayInfo;
  readonly child: Child<RelayInfo>;
}
export interface RunningAgent {
  readonly info: AgentInfo;
  readonly client: ControlClient;
  readonly child: Child<unknown>;
  /** Starts the same home again, after `child.kill()` or `child.stop()`; the local API on the same port. */
  restart(): Promise<RunningAgent>;
}

const require = createRequire(import.meta.url);
const programOf = (name: string, file: string): string =>
  join(dirname(require.resolve(`${name}/package.json`)), 'dist', file);
/** Agents that start at the same time: each keeps one core busy for a second and a half, and twenty at once were not ready within 30 s on two. */
const startsAtOnce = availableParallelism() + 1;

/** Relays and agents as real processes on loopback, paired with one another. Takes free ports and temporary homes. */
export async function startTestnet(options: TestnetOptions): Promise<Testnet> {
  const folder = mkdtempSync(join(tmpdir(), 'peerai-testnet-'));
  const onLog = options.onLog ?? (() => undefined);
  const { host = '127.0.0.1', signal } = options;
  const relays: RunningRelay[] = [];
  const agents: RunningAgent[] = [];
  // Also those that were started again, or whose neighbour failed to start.
  const children: Child<unknown>[] = [];
  const started = (child: Child<unknown>): void => void children.push(child);
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const names = Array.from({ length: options.relays }, (_, index) => `relay-${index + 1}`);
    relays.push(
      ...(await Promise.all(
        names.map((name) =>
          startRelay(name, join(folder, name), {
            host,
            usualPorts: options.usualPorts === true,
            onLog,
            started,
            signal,
          }),
        ),
      )),
    );
    const known = relays.map(({ info }) => browserAddress(info));
    const agentNames = Array.from(
      { length: options.agents },
      (_, index) => options.names?.[index] ?? `agent-${index + 1}`,
    );
    const start = (name: string, index: number): Promise<RunningAgent> =>
      startAgent({
        name,
        engine: options.engines?.[index] ?? options.engine,
        home: join(folder, name),
        host,
        relays: known,
        options,
        onLog,
        started,
        signal,
        ports: undefined,
      });
    // Two that look for the same usual port at once could both find it free.
    const atOnce = options.usualPorts === true ? 1 : startsAtOnce;
    const up = counted(options.agents, 'agents are up', options.onProgress);
    agents.push(
      ...(await someAtOnce(agentNames, atOnce, async (name, index) => {
        const agent = await start(name, index);
        up();
        return agent;
      })),
    );
    if (options.pair !== false) await introduceAll(agents, { signal, onProgress: options.onProgress });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    relays,
    agents,
    info: () => ({ relays: relays.map(({ info }) => info), agents: agents.map(({ info }) => info) }),
    stop,
  };
}

interface Watched {
  readonly onLog: (line: string) => void;
  /** Told of each child that is up, so that it is ended with the rest. */
  readonly started: (child: Child<unknown>) => void;
  readonly signal: AbortSignal | undefined;
}

async function startRelay(
  name: string,
  home: string,
  { host, usualPorts, onLog, started, signal }: Watched & { readonly host: string; readonly usualPorts: boolean },
): Promise<RunningRelay> {
  const ports = usualPorts ? [] : ['--port', '0', '--tcp-port', '0'];
  const args = ['--json', ...ports, '--bind', host, '--home', home, '--name', name];
  const child = await startChild<RelayInfo>(programOf('@peerai/relay', 'program/main.js'), args, {
    env: {},
    onLog: (line) => onLog(`${name} ${line}`),
    signal,
  });
  started(child);
  const { http, addresses, peerId } = child.ready;
  return { info: { name, http, addresses, peerId, pid: child.pid }, child };
}

/** The address a browser can dial too: links made with it work in a tab. */
function browserAddress({ addresses }: RelayInfo): string {
  const address = addresses.find((one) => one.includes('/ws')) ?? addresses[0];
  if (address === undefined) throw new Error('the relay has no address');
  return address;
}

interface AgentPlan extends Watched {
  readonly name: string;
  readonly engine: TestnetOptions['engine'];
  readonly home: string;
  readonly host: string;
  readonly relays: readonly string[];
  readonly options: TestnetOptions;
  /** Ports of an earlier start. */
  readonly ports: { readonly api: string; readonly http: string } | undefined;
}
interface AgentReady {
  readonly agent: { readonly api: string; readonly http: string; readonly peerId: string };
}

async function startAgent(plan: AgentPlan): Promise<RunningAgent> {
  const { name, engine, home, host, relays, options, onLog, started, signal, ports } = plan;
  const port = async (known: string | undefined): Promise<string> => known ?? `${await lastingPort(host)}`;
  const env: Record<string, string> = {
    PEERAI_NETWORK__NAME: name,
    PEERAI_NETWORK__DISCOVERY__MDNS: 'false',
    PEERAI_NETWORK__RELAYS: relays.join(','),
    PEERAI_NETWORK__LISTEN_ADDRESS: `${host}:0`,
    PEERAI_HTTP__BIND: host,
    ...(options.usualPorts === true && ports === undefined
      ? {}
      : { PEERAI_API__PORT: await port(ports?.api), PEERAI_HTTP__PORT: await port(ports?.http) }),
    PEERAI_LLM__ENGINES: engine,
    PEERAI_LLM__EXPOSE: '*',
    ...options.env,
  };
  const child = await startChild<AgentReady>(
    programOf('@peerai/agent', 'program/main.js'),
    ['up', '--json', '--home', home],
    {
      env,
      cwd: tmpdir(),
      onLog: (line) => onLog(`${name} ${line}`),
      signal,
    },
  );
  started(child);
  const { api, http, peerId } = child.ready.agent;
  const token = readFileSync(join(home, 'token'), 'utf8').trim();
  const client = createControlClient({ baseUrl: api, token });
  const { addresses } = await client.node();
  return {
    info: { name, api, token, http, peerId, home, pid: child.pid, addresses },
    client,
    child,
    restart: () =>
      startAgent({ ...plan, signal: undefined, ports: { api: new URL(api).port, http: new URL(http).port } }),
  };
}
