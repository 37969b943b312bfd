import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';

export const program = fileURLToPath(new URL('../dist/program/main.js', import.meta.url));
/** How long one command may take here, milliseconds: the machine that runs the tests is busy. */
const commandMsMax = 20_000;

const lanes = Math.min(4, availableParallelism());

export interface Told {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface Call {
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Where it runs; the machine's temporary folder by default. */
  readonly cwd?: string;
  /** Its input stays open, to be typed into. */
  readonly typed?: boolean;
}

/** An environment without what the tester's own shell says. */
export function environment({ home, env = {} }: Call): Record<string, string> {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:PEERAI|XDG)_|^(?:CI|VITEST|NODE_ENV|OLLAMA_HOST|MODEL_NAME|SECRET_KEY|PEER_URL|TEST)$/.test(name),
  );
  const all = {
    ...(Object.fromEntries(own) as Record<string, string>),
    ...(home === undefined ? {} : { PEERAI_HOME: home }),
    PEERAI_NETWORK__LISTEN_ADDRESS: '127.0.0.1:0',
    PEERAI_NETWORK__DISCOVERY__MDNS: 'false',
    PEERAI_API__PORT: '0',
    PEERAI_LLM__ENGINES: 'scripted',
    ...env,
  };
  // An empty value takes a setting back.
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

/** Runs `peerai` to its end. */
export async function peerai(args: readonly string[], call: Call = {}): Promise<Told> {
  const child = start(args, call);
  return ended(child);
}

export function start(args: readonly string[], call: Call = {}): ChildProcess & { readonly told: Told } {
  const child = spawn(process.execPath, [program, ...args], {
    env: environment(call),
    cwd: call.cwd ?? tmpdir(),
    stdio: 'pipe',
  });
  const told = { stdout: '', stderr: '', code: null, signal: null };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told.stderr += text));
  child.stdin.on('error', () => undefined);
  if (call.typed !== true) child.stdin.end(call.input ?? '');
  return Object.assign(child, { told });
}

/** How a process ended; it is killed after `msMax`. */
export function ended(child: ChildProcess & { readonly told: Told }, msMax = commandMsMax): Promise<Told> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), msMax);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...child.told, code, signal });
    });
  });
}

export interface Agent {
  readonly child: ChildProcess & { readonly told: Told };
  readonly home: string;
  readonly info: { readonly pid: number; readonly api: string; readonly peerId: string; readonly name: string };
  /** Runs `peerai` for this home. */
  run(args: readonly string[], call?: Call): Promise<Told>;
  /** The same with `--json`, parsed; throws what stderr said when it is no JSON with `"v":1`. */
  json<T>(args: readonly string[], call?: Call): Promise<T>;
  /** Ends it by a signal, and says how. */
  end(signal?: NodeJS.Signals): Promise<Told>;
}

/** `peerai up` in the foreground; resolves when it says it is ready. Throws with its last words. */
export async function up(home: string, call: Call = {}, args: readonly string[] = []): Promise<Agent> {
  const child = start(['up', '--json', ...args], { ...call, home });
  const info = await new Promise<Agent['info']>((resolve, reject) => {
    createInterface({ input: child.stdout ?? process.stdin }).once('line', (line) => {
      const said = JSON.parse(line) as { agent?: Agent['info']; error?: { code: string; message: string } };
      if (said.agent === undefined) reject(new Error(`${line}\n${child.told.stderr}`));
      else resolve(said.agent);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}\n${child.told.stderr}`)));
  });
  const run = (words: readonly string[], more: Call = {}): Promise<Told> => peerai(words, { ...more, home });
  return {
    child,
    home,
    info,
    run,
    async json<T>(words: readonly string[], more?: Call) {
      const { stdout, stderr } = await run([...words, '--json'], more);
      const value = JSON.parse(stdout.trim() === '' ? `{"stderr":${JSON.stringify(stderr)}}` : stdout) as T & {
        v?: number;
      };
      if (value.v !== 1) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`);
      return value;
    },
    async end(signal: NodeJS.Signals = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null)
        return { ...child.told, code: child.exitCode, signal: child.signalCode };
      child.kill(signal);
      return ended(child);
    },
  };
}

/** The same, by the name that other devices see. */
export const upAs = (name: string, home: string, { env, ...call }: Call = {}): Promise<Agent> =>
  up(home, { ...call, env: { ...env, PEERAI_NETWORK__NAME: name } });

/** The one lets the other in; both say yes. */
export async function pairUp(host: Agent, guest: Agent, allow = 'chat'): Promise<void> {
  const { invite } = await host.json<{ invite: { link: string } }>(['invite', '--allow', allow]);
  const joining = guest.run(['join', invite.link, '-y']);
  const id = await vi.waitFor(
    async () => {
      const { pending } = await host.json<{ pending: { id: string }[] }>(['peers']);
      expect(pending).toHaveLength(1);
      return pending[0]?.id ?? '';
    },
    { timeout: 15_000, interval: 200 },
  );
  await host.run(['peers', 'accept', id]);
  expect((await joining).code).toBe(0);
}

/** Folders that are gone when the tests are. */
export function homes(): { make(): string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'peerai-cli-'));
  let count = 0;
  return {
    make: () => join(folder, `home-${(count += 1)}`),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Does the work for each item, as many at once as there are cores here: a process costs a third of a second of one. */
export async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const lane = async (offset: number): Promise<void> => {
    for (const [at, item] of items.entries()) if (at % lanes === offset) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, (_, offset) => lane(offset)));
  return results;
}
