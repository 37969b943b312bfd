/** What runs in the tab of `browser-step`: the same model and batch, built from the same source. */
import { createTrainer, freshState, type Trainer } from '@peerai/nn-engine';
import { createBrowserRuntime } from '@peerai/nn-engine/browser';
import { learningRate, workload } from '../train-step/workload.ts';

const { signal } = new AbortController();
const work = workload();
const runtime = createBrowserRuntime({
  worker: '/worker.js',
  wasm: {
    module: '/ort.wasm.min.mjs',
    loader: '/ort-wasm-simd-threaded.mjs',
    wasm: '/ort-wasm-simd-threaded.wasm',
  },
});
const trainers = new Map<number, Trainer>();

const tab = {
  /** Loads a program with so many threads. */
  async load(threads: number): Promise<void> {
    const { graph, weights } = work;
    const trainer = await createTrainer({ runtime }, { graph, initial: freshState(weights), threads, signal });
    trainers.set(threads, trainer);
  },
  /** Makes some steps; gives their milliseconds and the loss of the last one. */
  async steps(threads: number, count: number): Promise<{ readonly ms: number; readonly loss: number }> {
    const startMs = performance.now();
    let loss = Number.NaN;
    for (let step = 0; step < count; step += 1)
      loss = (await trainers.get(threads)?.step(work.batch, learningRate, signal))?.loss ?? Number.NaN;
    return { ms: performance.now() - startMs, loss };
  },
  async close(threads: number): Promise<void> {
    await trainers.get(threads)?.[Symbol.asyncDispose]();
  },
};

export type Tab = typeof tab;
Object.assign(globalThis, { tab });
