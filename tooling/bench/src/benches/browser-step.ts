import { availableParallelism } from 'node:os';
import { openBrowser, type Page, runtimeFiles, serveSite } from '@peerai/config/tab';
import type { Tensors } from '@peerai/core-protocol';
import { createTrainer, freshState, type Trainer } from '@peerai/nn-engine';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import type { Tab } from '../browser-step/page.ts';
import { type Bench, elapsedMs, interleave, resultOf } from '../harness.ts';
import { limits } from '../limits.ts';
import { learningRate, workload } from '../train-step/workload.ts';

const rounds = 7;
const stepsPerRound = 4;
const goal = 2;
/** As many as a usual laptop gives away; no more than there are cores. */
const threadsMax = 4;
/** How far the two losses may be apart after all steps, nats: further, and they do not train the same model. */
const lossToleranceMax = 5e-3;

declare const tab: Tab;
const source = (name: string): URL => new URL(`../../src/browser-step/${name}`, import.meta.url);

/** A step of the 1 M language model in a tab, against onnxruntime-node with as many threads? */
export const browserStep: Bench = {
  name: 'browser-step',
  async run({ signal }) {
    const work = workload();
    const many = Math.min(threadsMax, availableParallelism());
    await using site = await serveSite(
      { 'page.js': source('page.ts'), 'worker.js': new URL(import.meta.resolve('@peerai/nn-engine/browser/worker')) },
      runtimeFiles,
    );
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(site.url);
      await page.waitForFunction('"tab" in globalThis', undefined, { timeout: limits.readyMs });
      if (!(await page.evaluate('crossOriginIsolated'))) throw new Error('the page is not cross-origin isolated');
      const results = [];
      const notes = [];
      for (const threads of new Set([many, 1])) {
        await using trainer = await createTrainer(
          { runtime: createNodeRuntime() },
          { graph: work.graph, initial: freshState(work.weights), threads, signal },
        );
        const { here, there, apart } = await compare(page, trainer, { batch: work.batch, threads, signal });
        if (!(apart < lossToleranceMax)) throw new Error(`the two losses are ${apart} nats apart: not the same model`);
        const name = threads === 1 ? 'one thread' : `${threads} threads`;
        const row = { case: `a step, ${name}`, unit: 'ms', candidate: there, baseline: here } as const;
        results.push(resultOf(threads === many ? { ...row, goal, rule: 'ratio-at-most' } : row));
        notes.push(`${name}: the last losses of both are ${apart.toExponential(1)} nats apart.`);
      }
      return { results, notes: [`${browser.version()} (Chromium), onnxruntime-web in wasm.`, ...notes] };
    } finally {
      await browser.close();
    }
  },
};

interface Setting {
  readonly batch: Tensors;
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** Milliseconds of one step, here and in the tab, in turns; how far the last losses are apart. */
async function compare(page: Page, trainer: Trainer, { batch, threads, signal }: Setting) {
  await page.evaluate((count) => tab.load(count), threads);
  let [mine, theirs] = [Number.NaN, Number.NaN];
  const readings = await interleave(
    {
      here: async () => {
        const ms = await elapsedMs(async () => {
          for (let step = 0; step < stepsPerRound; step += 1)
            mine = (await trainer.step(batch, learningRate, signal)).loss;
        });
        return ms / stepsPerRound;
      },
      there: async () => {
        const { ms, loss } = await page.evaluate(([count, steps]) => tab.steps(count, steps), [
          threads,
          stepsPerRound,
        ] as const);
        theirs = loss;
        return ms / stepsPerRound;
      },
    },
    { rounds, signal },
  );
  await page.evaluate((count) => tab.close(count), threads);
  return { ...readings, apart: Math.abs(mine - theirs) };
}
