import { type ChildProcess, fork } from 'node:child_process';
import { limits } from './limits.ts';

/** A program of this package in a process of its own; it says one thing when it is ready. */
export interface Forked<Ready> extends AsyncDisposable {
  readonly ready: Ready;
}

interface ForkOptions {
  readonly args?: readonly string[];
  /** Of Node itself. */
  readonly execArgv?: readonly string[];
  /** How long it may take until it says its thing, milliseconds; `limits.readyMs` unless said. */
  readonly readyMs?: number;
}

/** Throws when the process ends, or says nothing in time. */
export async function forkProgram<Ready>(
  url: URL,
  signal: AbortSignal,
  { args = [], execArgv = [], readyMs = limits.readyMs }: ForkOptions = {},
): Promise<Forked<Ready>> {
  const child = fork(url, [...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [...execArgv] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    process.removeListener('exit', kill);
    kill();
    await ended;
  };
  try {
    return { ready: (await firstMessage(child, signal, readyMs)) as Ready, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function firstMessage(child: ChildProcess, signal: AbortSignal, readyMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within ${readyMs / 1000} s`)), readyMs);
    timer.unref();
    child.once('message', (message) => {
      clearTimeout(timer);
      resolve(message);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the process ended with status ${code}`)));
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
