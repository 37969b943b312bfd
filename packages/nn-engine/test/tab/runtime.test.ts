import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { type Browser, openBrowser, type Page, runtimeFiles, serveSite, type Site } from '@peerai/config/tab';
import { createTrainer, trainingGraph } from '@peerai/nn-engine';
import { createCluster } from '@peerai/nn-engine/cluster';
import { clusterOnnx } from '@peerai/nn-engine/export';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Asked } from './page.ts';
import { clusterStream } from './small-cluster.ts';
import { smallBatch, smallModel, smallStart } from './small-model.ts';

const graph = trainingGraph(smallModel);
const clusterFile = clusterOnnx(createCluster({ nodes: 16, inputs: 2, seed: 2 }).encode());
/** Every program compiles 14 MB of wasm, which a busy machine takes seconds for. */
const patienceMs = 60_000;
declare const asked: Asked;
let folder: string;
let site: Site;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tab-'));
  await writeFile(join(folder, 'graph.onnx'), graph);
  await writeFile(join(folder, 'cluster.onnx'), clusterFile);
  site = await serveSite(
    {
      'page.js': new URL('./page.ts', import.meta.url),
      'worker.js': new URL('../../src/browser/worker.ts', import.meta.url),
    },
    {
      ...runtimeFiles,
      'graph.onnx': pathToFileURL(join(folder, 'graph.onnx')),
      'cluster.onnx': pathToFileURL(join(folder, 'cluster.onnx')),
    },
  );
  browser = await openBrowser();
  page = await open('/');
}, patienceMs);
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe('a program in a tab', { timeout: patienceMs }, () => {
  it('learns from the same bytes what it learns natively, in threads and without', async () => {
    const { signal } = new AbortController();
    await using trainer = await createTrainer(
      { runtime: createNodeRuntime() },
      { graph, initial: smallStart(), signal },
    );
    const native: number[] = [];
    for (const step of [0, 1, 2]) native.push((await trainer.step(smallBatch(step), 0.01, signal)).loss);
    const plain = await open('/plain');
    expect(await isolated(page)).toBe(true);
    expect(await isolated(plain)).toBe(false);
    for (const tab of [page, plain]) {
      const losses = await tab.evaluate(() => asked.losses(2));
      expect(losses).toHaveLength(3);
      losses.forEach((loss, step) => expect(Math.abs(loss - (native[step] ?? NaN))).toBeLessThan(1e-4));
    }
    await plain.close();
  });

  it('takes a gating cluster the way it goes natively', async () => {
    const native = await clusterStream(createNodeRuntime(), clusterFile);
    const tab = (await page.evaluate(() => asked.cluster())) as typeof native;
    expect(tab.map(({ fired }) => fired)).toEqual(native.map(({ fired }) => fired));
    expect(new Set(native.flatMap(({ fired }) => fired))).toEqual(new Set([0, 1, 2]));
    tab.forEach(({ value }, step) =>
      value.forEach((one, node) => expect(one).toBeCloseTo(native[step]?.value[node] ?? NaN, 4)),
    );
  });

  it('keeps what is carried and gives the rest', async () => {
    expect(await page.evaluate(() => asked.state())).toEqual({ names: ['shown'], shown: [24, 48], total: [12, 24] });
  });

  it('leaves the page its turns while it computes', async () => {
    expect(await page.evaluate(() => asked.turnsWhileComputing())).toBeGreaterThan(10);
  });

  it('an aborted run does not count, and the next one does', async () => {
    expect(await page.evaluate(() => asked.abortedRun())).toEqual({ code: 'ABORTED', before: [0], after: [1] });
  });

  it('disposed inside a run, it ends, and leaves no worker', async () => {
    expect(await page.evaluate(() => asked.disposedInside())).toEqual(['PROGRAM_CLOSED', 'PROGRAM_CLOSED']);
    await expect.poll(() => page.workers().length, { timeout: patienceMs }).toBe(0);
  });

  it('what cannot be loaded or run says why', async () => {
    const file = (name: string) => ({ code: 'ENGINE_MISSING', details: { file: `${site.url}/${name}`, reason: any } });
    const any: unknown = expect.any(String);
    expect(await page.evaluate(() => asked.refusals())).toEqual({
      shape: { code: 'SHAPE_MISMATCH', details: { node: 'step', left: '[2]', right: '[3]' } },
      model: { code: 'MODEL_REFUSED', details: {} },
      memory: { code: 'MODEL_REFUSED', details: { option: 'memoryBytesMax' } },
      worker: file('absent-worker.js'),
      module: file('absent.mjs'),
      loader: file('ort-wasm-simd-threaded.wasm'),
      wasm: file('absent.wasm'),
    });
  });

  it('offered WebGPU without an adapter, it runs in wasm and says why', async () => {
    expect(await page.evaluate(() => asked.withoutAdapter())).toEqual({
      shown: [4, 6],
      engines: [{ on: 'wasm', reason: 'no-adapter' }],
    });
  });
});

async function open(path: string): Promise<Page> {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(patienceMs);
  await tab.goto(`${site.url}${path}`);
  await tab.waitForFunction(() => 'asked' in globalThis);
  return tab;
}

const isolated = (tab: Page): Promise<boolean> => tab.evaluate(() => globalThis.crossOriginIsolated);
