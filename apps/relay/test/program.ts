import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTestNodes } from '@peerai/transport/testing';
import { afterAll, afterEach } from 'vitest';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface Ready {
  readonly name: string;
  readonly http: string;
  readonly pageUrl?: string;
  readonly addresses: readonly string[];
  readonly peerId: string;
}
export interface Running {
  readonly child: ChildProcess;
  readonly ready: Ready;
  readonly said: { stderr: string };
}

/** The compiled program, just as it is started. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** A relay on free ports of 127.0.0.1, once it is ready. Later flags win. */
export async function relayIn(home: string, ...args: readonly string[]): Promise<Running> {
  const ports = ['--port', '0', '--tcp-port', '0', '--bind', '127.0.0.1'];
  const child = start(['--json', ...ports, '--home', home, ...args]);
  const said = { stderr: '' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  if (child.stdout === null) throw new TypeError('no stdout');
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(said.stderr))),
  ])) as [string];
  return { child, ready: JSON.parse(line) as Ready, said };
}

export const addressOf = ({ ready }: Running): string => ready.addresses[0] ?? '';
export const stats = async ({ ready }: Running): Promise<Record<string, number>> =>
  (await (await fetch(`${ready.http}/stats`)).json()) as Record<string, number>;

export interface TestRelays {
  /** Gone after the last test of the file. */
  readonly folder: string;
  /** Agents without a program; each test ends all of them. */
  readonly nodes: ReturnType<typeof createTestNodes>;
  /** The real program, killed after the test. */
  readonly relay: (...flags: readonly string[]) => Promise<Running>;
}

/** What a file of tests with real relays needs, cleared away after each test; called once, at the top of the file. */
export function testRelays(name: string): TestRelays {
  const folder = mkdtempSync(join(tmpdir(), `peerai-relay-${name}-`));
  const nodes = createTestNodes();
  const relays: Running[] = [];
  afterEach(async () => {
    await nodes.stopAll();
    await Promise.all(
      relays.splice(0).map(({ child }) => {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        return gone;
      }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return {
    folder,
    nodes,
    async relay(...flags) {
      const running = await relayIn(join(folder, 'home'), ...flags);
      relays.push(running);
      return running;
    },
  };
}
