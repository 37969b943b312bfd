import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { toySizes } from '../../../test/toy.ts';
import { loadCheckpoint } from './checkpoint-file.ts';

const count = 1_000_000;
/** Writes a checkpoint of step n, n + 1, … whose numbers are all n, and says each once it is durable. */
const child = `
  import { writeSync } from 'node:fs';
  import { saveCheckpoint } from ${JSON.stringify(new URL('./checkpoint-file.ts', import.meta.url).href)};
  const [path, first, sizes] = [process.argv[1], Number(process.argv[2]), JSON.parse(process.argv[3])];
  for (let step = first; ; step += 1) {
    const numbers = () => new Float32Array(${count}).fill(step);
    const state = { step, weights: numbers(), firstMoment: numbers(), secondMoment: numbers() };
    await saveCheckpoint(path, { state, average: numbers(), sizes });
    writeSync(1, step + '\\n');
  }
`;
const flags = ['--conditions=@peerai/source', '--input-type=module-typescript', '--eval', child];

/** Kills it with kill -9 so long after it began to write one after its second checkpoint. @returns the last step that it said was durable. */
async function killedAt(path: string, first: number, afterMs: number): Promise<number> {
  const running = spawn(process.execPath, [...flags, path, `${first}`, JSON.stringify(toySizes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const second = Promise.withResolvers<void>();
  running.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > 2) second.resolve();
  });
  const ended = new Promise<void>((resolve) => void running.once('close', () => resolve()));
  await Promise.race([second.promise, ended]);
  const writes = Promise.withResolvers<void>();
  using _ = disposing(watch(dirname(path), () => writes.resolve()));
  await Promise.race([writes.promise, ended]);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  running.kill('SIGKILL');
  await ended;
  expect(running.signalCode).toBe('SIGKILL');
  return Number(said.trim().split('\n').at(-1));
}

const disposing = (one: { close(): void }): Disposable => ({ [Symbol.dispose]: () => one.close() });

test('a training that is killed at any moment leaves its last durable checkpoint or the next one, whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  try {
    const path = join(folder, 'nano.train');
    let step = 1;
    for (let round = 0; round < 6; round += 1) {
      const durable = await killedAt(path, step, 2 * round);
      const found = await loadCheckpoint(path);
      if (found === undefined) throw new Error('there is no checkpoint');
      const { state } = found;
      expect([durable, durable + 1]).toContain(state.step);
      for (const numbers of [state.weights, state.firstMoment, state.secondMoment, found.average]) {
        expect(numbers).toHaveLength(count);
        expect(numbers.every((one) => one === state.step)).toBe(true);
      }
      step = state.step + 1;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
