/** `pnpm nano:train`: trains the nano model from the corpus and writes the model file. Stop it and start it again: it goes on where it was. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { createNodeRuntime } from '../node/runtime.ts';
import { corpus } from './corpus/index.ts';
import { nanoBatch, nanoSizes } from './sizes.ts';
import { loadCheckpoint, saveCheckpoint } from './training/checkpoint-file.ts';
import { createNanoTraining, type NanoTraining } from './training/training.ts';

const checkpointEverySteps = 200;
const showEverySteps = 20;
const defaultCheckpoint = fileURLToPath(new URL('../../dist/nano.checkpoint', import.meta.url));

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    checkpoint: { type: 'string', default: defaultCheckpoint },
    fresh: { type: 'boolean', default: false },
  },
});

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(name)));

const steps = Number(values.steps);
const resume = values.fresh ? undefined : await loadCheckpoint(values.checkpoint);
const training = await createNanoTraining(
  { runtime: createNodeRuntime() },
  {
    corpus,
    sizes: nanoSizes,
    batch: nanoBatch,
    steps,
    seed: Number(values.seed),
    threads: Number(values.threads),
    signal: stop.signal,
    ...(resume === undefined ? {} : { resume }),
  },
);
say(`${corpus.intents.length} intents, ${nanoSizes.layers} layers, ${steps} steps, from step ${training.step}`);
await trainToEnd(training);
await training[Symbol.asyncDispose]();

async function trainToEnd(training: NanoTraining): Promise<void> {
  const started = performance.now();
  const first = training.step;
  let smoothed = Number.NaN;
  while (training.step < steps && !stop.signal.aborted) {
    const { step, loss, gradientNorm } = await training.next(new AbortController().signal);
    smoothed = Number.isNaN(smoothed) ? loss : 0.95 * smoothed + 0.05 * loss;
    if (step % showEverySteps === 0 || step === steps) {
      const seconds = (performance.now() - started) / 1000;
      const left = (seconds / (step - first)) * (steps - step);
      say(`step ${step}/${steps}  loss ${smoothed.toFixed(4)}  gradient ${gradientNorm.toFixed(2)}  ${clock(seconds)} gone, ${clock(left)} left`);
    }
    if (step % checkpointEverySteps === 0) await saveCheckpoint(values.checkpoint, await training.checkpoint());
  }
  await saveCheckpoint(values.checkpoint, await training.checkpoint());
  say(stop.signal.aborted ? `stopped at step ${training.step}; run again to go on` : 'trained');
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
