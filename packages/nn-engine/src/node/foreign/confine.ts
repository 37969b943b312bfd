import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { limits } from '../../limits.ts';

/** Heap of the child's own JavaScript, MiB: tensors lie outside of it. */
const heapMiB = 256;
/**
 * Sets what the platform lets set, then becomes the command: no more writable memory of its own than given (KiB), no core file, and the first to go when the machine
 * runs out of memory. Where a limit cannot be set (macOS has none that holds) the child's own look at its memory is what holds.
 */
const shell =
  'ulimit -d "$0" 2>/dev/null; ulimit -c 0 2>/dev/null; (echo 1000 >/proc/self/oom_score_adj) 2>/dev/null; exec "$@"';

export interface Confined {
  readonly child: ChildProcess;
  /** When the process is gone, all it said was read, and its folder is removed: what ended it. */
  readonly ended: Promise<string>;
}

/**
 * Starts `child.ts` in an empty folder of its own, with an empty environment, no inherited files but the channel to us, below normal priority, and
 * writable memory of at most `memoryBytesMax` above what Node reserves.
 */
export async function startConfined(memoryBytesMax: number): Promise<Confined> {
  const folder = await mkdtemp(join(tmpdir(), `peerai-model-${process.pid}-`));
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const script = fileURLToPath(new URL(`./child.${extension}`, import.meta.url));
  const command = [process.execPath, `--max-old-space-size=${heapMiB}`, script];
  const dataKiB = Math.ceil((memoryBytesMax + limits.foreignReservedBytes) / 1_024);
  const [program = '', ...words] =
    process.platform === 'win32' ? command : ['/bin/sh', '-c', shell, `${dataKiB}`, ...command];
  const child = spawn(program, words, {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    windowsHide: true,
  });
  lowerPriority(child.pid);
  return { child, ended: endOf(child, folder) };
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It is gone already, or the platform does not let us.
  }
}

async function endOf(child: ChildProcess, folder: string): Promise<string> {
  const gone = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit status ${code}`));
  });
  const silent = new Promise<void>((resolve) => child.once('disconnect', resolve));
  const how = await gone;
  if (child.connected) await silent;
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  return how;
}
