import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { limits } from '../limits.ts';

/** A Node program, from its start to its first line, in the state a person has it: no flags, no loader. */
export interface Started {
  readonly readyMs: number;
  /** Resident memory now, MB; undefined where the system does not tell in /proc. */
  readonly memoryMb: () => number | undefined;
  readonly stop: () => Promise<void>;
}

/** Throws with the program's last words when it ends before it says a line, or takes longer than `limits.readyMs`. */
export async function startProgram(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Started> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const words: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => words.push(line));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const force = setTimeout(kill, limits.stopMs);
    await ended;
    clearTimeout(force);
    process.removeListener('exit', kill);
  };
  const { promise: line, resolve: said } = Promise.withResolvers<boolean>();
  createInterface({ input: child.stdout }).once('line', () => said(true));
  const late = setTimeout(() => said(false), limits.readyMs);
  void ended.then(() => said(false));
  const ready = await line;
  const readyMs = performance.now() - startMs;
  clearTimeout(late);
  if (!ready) {
    await stop();
    throw new Error(`${script} was not ready:\n${words.slice(-20).join('\n')}`);
  }
  return { readyMs, memoryMb: () => residentMb(child.pid), stop };
}

function residentMb(pid: number | undefined): number | undefined {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : (Number(kilobytes) * 1_024) / 1_000_000;
  } catch {
    return undefined;
  }
}
