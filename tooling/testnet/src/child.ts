import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How long a process may take to say it is ready, on a machine that is busy with others, and to end when asked, milliseconds. */
const readyMsMax = 60_000;
const stopMsMax = 6_000;

/** A real process of ours that says one line of JSON when it is ready. */
export interface Child<Ready> {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly ready: Ready;
  /** SIGTERM, and SIGKILL when that was not enough. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What runs Node, such as `ip netns exec <name>`; nothing by default. */
  readonly within?: readonly string[];
  /** Gets every line the process writes to stderr. */
  readonly onLog: (line: string) => void;
  /** Ends a process that is not ready yet. */
  readonly signal?: AbortSignal | undefined;
}

/** Starts a Node program. Throws with its last words when it ends before it is ready, and the signal's reason. */
export async function startChild<Ready>(
  script: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<Child<Ready>> {
  const { signal } = options;
  signal?.throwIfAborted();
  const [program, ...before] = [...(options.within ?? []), process.execPath];
  const child = spawn(program, [...before, '--enable-source-maps', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const last: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    last.push(line);
    if (last.length > 20) last.shift();
    options.onLog(line);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    await ended;
    clearTimeout(force);
  };
  const stopEarly = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stopEarly, { once: true });
  try {
    const ready = await readyLine<Ready>(child, ended);
    return { process: child, pid: child.pid ?? 0, ready, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
  } catch (error) {
    await end('SIGKILL');
    signal?.throwIfAborted();
    throw new Error(`${script} ${args.join(' ')}: ${(error as Error).message}\n${last.join('\n')}`, { cause: error });
  } finally {
    signal?.removeEventListener('abort', stopEarly);
  }
}

function readyLine<Ready>(child: ChildProcess, ended: Promise<void>): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within ${readyMsMax / 1000} s`)), readyMsMax);
    void ended.then(() => reject(new Error('ended before it was ready')));
    if (child.stdout === null) throw new TypeError('no stdout');
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      if (!line.startsWith('{')) return;
      clearTimeout(timer);
      const said = JSON.parse(line) as Ready & { readonly error?: { readonly code: string; readonly message: string } };
      if (said.error === undefined) resolve(said);
      else reject(new Error(`${said.error.message} (${said.error.code})`));
    });
  });
}
