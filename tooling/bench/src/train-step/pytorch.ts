import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { limits } from '../limits.ts';
import { learningRate, length, rows, sizes, type Workload } from './workload.ts';

/** Debian's Python has Debian's packages; another one that is first in the path may not. */
const pythons = ['/usr/bin/python3', 'python3'];
export const torchMissing =
  'PyTorch is not installed, so there is no baseline: `apt-get install python3-torch libopenblas0` on Debian.';

/** The first Python that has PyTorch. */
export async function findTorch(signal: AbortSignal): Promise<string | undefined> {
  for (const python of pythons) {
    const options = { signal, timeout: limits.readyMs };
    const there = await promisify(execFile)(python, ['-c', 'import torch'], options).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    if (there) return python;
  }
  return undefined;
}

export interface Steps {
  readonly losses: readonly number[];
  readonly seconds: number;
  readonly processorSeconds: number;
}
export interface Torch extends AsyncDisposable {
  /** The library its matrix products come from; "reference" is Debian's slow one. */
  readonly blas: string;
  readonly version: string;
  steps(count: number): Promise<Steps>;
}

/** A Python process that trains the workload's model. Throws when it ends before it answers. */
export async function startTorch(python: string, folder: string, work: Workload, threads: number): Promise<Torch> {
  writeFileSync(join(folder, 'weights.bin'), work.weights);
  writeFileSync(join(folder, 'tokens.bin'), work.tokens);
  const parameters = work.layout.parameters.map(({ name, shape, offset, size }) => [name, shape, offset, size]);
  const settings = { ...sizes, rows, length, learningRate, parameters };
  writeFileSync(join(folder, 'sizes.json'), JSON.stringify(settings));
  const script = fileURLToPath(new URL('../../src/train-step/pytorch.py', import.meta.url));
  const count = String(threads);
  const child = spawn(python, [script, folder, count], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count },
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ask = asking(child);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', kill);
    kill();
    await ended;
  };
  try {
    const ready = (await ask()) as Pick<Torch, 'blas' | 'version'>;
    return { ...ready, steps: async (steps) => (await ask(steps)) as Steps, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One line in, one line out. */
function asking(child: ChildProcessByStdio<Writable, Readable, null>): (steps?: number) => Promise<unknown> {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (steps) => {
    if (steps !== undefined) child.stdin.write(`${steps}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the Python process ended');
    return JSON.parse(value);
  };
}
