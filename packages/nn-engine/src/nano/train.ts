/**
 * `pnpm nano:train`: trains the nano model from the corpus, then writes `assets/nano.bin` and its card with the figures measured on it.
 * Stop it and start it again: it goes on where it was. A finished run only exports again.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { type Clock, utf8 } from '@peerai/core-protocol';

import { createNodeRuntime } from '../node/runtime.ts';
import { corpus } from './corpus/index.ts';
import { nanoBatch, nanoSizes } from './sizes.ts';
import { nanoCard } from './training/card.ts';
import { loadCheckpoint, saveCheckpoint, writeDurably } from './training/checkpoint-file.ts';
import { exportModel } from './training/export.ts';
import { createNanoTraining, type NanoTraining } from './training/training.ts';

const checkpointEverySteps = 200;
const showEverySteps = 20;
const fromPackage = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '1500' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    checkpoint: { type: 'string', default: fromPackage('node_modules/.cache/nano.checkpoint') },
    assets: { type: 'string', default: fromPackage('assets') },
    fresh: { type: 'boolean', default: false },
  },
});
const [steps, seed] = [Number(values.steps), Number(values.seed)];
const clock: Clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: async (ms, signal) => await sleep(ms, undefined, signal === undefined ? {} : { signal }),
  deadline: (ms, parent) => AbortSignal.any([AbortSignal.timeout(ms), ...(parent === undefined ? [] : [parent])]),
};
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(name)));

const resume = values.fresh ? undefined : await loadCheckpoint(values.checkpoint);
const training = await createNanoTraining(
  { runtime: createNodeRuntime() },
  {
    corpus,
    sizes: nanoSizes,
    batch: nanoBatch,
    steps,
    seed,
    threads: Number(values.threads),
    signal: stop.signal,
    ...(resume === undefined ? {} : { resume }),
  },
);
say(`${corpus.intents.length} intents, ${nanoSizes.layers} layers, ${steps} steps, from step ${training.step}`);
await trainToEnd(training);
const checkpoint = await training.checkpoint();
await training[Symbol.asyncDispose]();
if (resume === undefined || resume.state.step < checkpoint.state.step)
  await saveCheckpoint(values.checkpoint, checkpoint);
if (stop.signal.aborted) {
  say(`stopped at step ${checkpoint.state.step}; run again to go on`);
} else {
  say('trained; now setting the gate and judging');
  const exported = await exportModel(checkpoint, corpus, clock, seed);
  await writeDurably(`${values.assets}/nano.bin`, exported.file);
  const card = nanoCard(checkpoint, exported, corpus, seed);
  await writeDurably(`${values.assets}/nano-card.json`, utf8(`${JSON.stringify(card, undefined, 2)}\n`));
  const { known, typos, unrelated, unseenPatterns } = exported.evaluation;
  say(
    `known ${percent(known.share)}  typos ${percent(typos.share)}  unrelated refused ${percent(unrelated.share)}  unseen patterns ${percent(unseenPatterns.share)}`,
  );
  say(`${values.assets}/nano.bin, ${exported.file.length} bytes`);
}

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
      say(
        `step ${step}/${steps}  loss ${smoothed.toFixed(4)}  gradient ${gradientNorm.toFixed(2)}  ${clockText(seconds)} gone, ${clockText(left)} left`,
      );
    }
    if (step % checkpointEverySteps === 0) await saveCheckpoint(values.checkpoint, await training.checkpoint());
  }
}

function clockText(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
