import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createControlClient } from '@peerai/peer/control';
import { type Child, type RunningAgent, startChild } from '@peerai/testnet';

/** What a `peerai.yaml` may hold; values as people write them. */
export type Settings = Readonly<Record<string, unknown>>;

/** An agent with a configuration file of its own. */
export interface OwnAgent extends RunningAgent {
  /** Lines on stderr since its start. */
  readonly lines: readonly string[];
  /** Ends it and starts it again in the same home, with other settings. */
  again(settings: Settings): Promise<OwnAgent>;
}
export interface OwnAgents {
  /** A folder that goes when all stop. */
  readonly folder: string;
  /** `name` is that of the home's folder; what others see is in the settings. */
  start(name: string, settings: Settings): Promise<OwnAgent>;
  stop(): Promise<void>;
}

/** The built `peerai`. */
export const agentProgram = join(
  dirname(createRequire(import.meta.url).resolve('@peerai/agent/package.json')),
  'dist/program/main.js',
);

/** Real agents, each with its own `peerai.yaml` and nothing from the environment. */
export function ownAgents(): OwnAgents {
  const folder = mkdtempSync(join(tmpdir(), 'peerai-own-'));
  const running = new Set<Child<unknown>>();
  const start = async (name: string, settings: Settings): Promise<OwnAgent> => {
    const home = join(folder, name);
    mkdirSync(home, { recursive: true, mode: 0o700 });
    // JSON is YAML.
    writeFileSync(join(home, 'peerai.yaml'), JSON.stringify(settings));
    const lines: string[] = [];
    const child = await startChild<{
      readonly agent: { readonly api: string; readonly http: string; readonly name: string; readonly peerId: string };
    }>(agentProgram, ['up', '--json', '--home', home], {
      env: {},
      cwd: folder,
      onLog: (line) => void lines.push(line),
    });
    running.add(child);
    const { api, http, peerId, name: shown } = child.ready.agent;
    const token = readFileSync(join(home, 'token'), 'utf8').trim();
    const client = createControlClient({ baseUrl: api, token });
    const { addresses } = await client.node();
    const again = async (next: Settings): Promise<OwnAgent> => {
      await child.stop();
      running.delete(child);
      return start(name, next);
    };
    return {
      info: { name: shown, api, token, http, peerId, home, pid: child.pid, addresses },
      client,
      child,
      lines,
      restart: () => again(settings),
      again,
    };
  };
  return {
    folder,
    start,
    async stop() {
      await Promise.all([...running].map((child) => child.stop()));
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Whether somebody accepts connections there. */
export function isOpen(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (open: boolean) => (): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
  });
}
