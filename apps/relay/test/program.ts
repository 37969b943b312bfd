import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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
