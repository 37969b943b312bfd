import { type ChildProcess, fork } from 'node:child_process';
import { limits } from './limits.ts';

/** A program of this package in a process of its own; it says one thing when it is ready. */
export interface Forked<Ready> extends AsyncDisposable {
  readonly ready: Ready;
}

/** Throws when the process ends, or says nothing within `limits.readyMs`. */
export async function forkProgram<Ready>(url: URL, signal: AbortSignal): Promise<Forked<Ready>> {
  const child = fork(url, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    process.removeListener('exit', kill);
    kill();
    await ended;
  };
  try {
    return { ready: (await firstMessage(child, signal)) as Ready, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function firstMessage(child: ChildProcess, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within ${limits.readyMs / 1000} s`)), limits.readyMs);
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
