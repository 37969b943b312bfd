import {
  type Browser,
  openBrowser,
  type Page,
  runtimeFiles,
  serveSite,
  type Site,
  webGpuFiles,
} from '@peerai/config/tab';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { learn } from './deep-model.ts';
import type { GpuAsked } from './web-gpu-page.ts';

/** A program compiles 27 MB of wasm, and SwiftShader each shader: a busy machine takes its time for both. */
const patienceMs = 120_000;
/** How far WebGPU may be from the processor: it sums in another order, and its functions are rounded more freely. */
const tolerance = 1e-4;
declare const asked: GpuAsked;
let site: Site;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  site = await serveSite(
    {
      'page.js': new URL('./web-gpu-page.ts', import.meta.url),
      'worker.js': new URL('../../src/browser/worker.ts', import.meta.url),
      'losing-worker.js': new URL('./losing-worker.ts', import.meta.url),
    },
    { ...runtimeFiles, ...webGpuFiles },
  );
  browser = await openBrowser({ webGpu: true });
  page = await browser.newPage();
  page.setDefaultTimeout(patienceMs);
  await page.goto(site.url);
  await page.waitForFunction(() => 'asked' in globalThis);
}, patienceMs);
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

/** By Chromium's software adapter: the same interface, no graphics processor. */
describe('a program on WebGPU', { timeout: patienceMs }, () => {
  it('learns and answers what it does natively, from the same bytes', async () => {
    const native = await learn(createNodeRuntime(), new AbortController().signal);
    const { engines, ...tab } = await page.evaluate(() => asked.learn());
    expect(engines).toEqual([{ on: 'webgpu' }, { on: 'webgpu' }]);
    for (const part of ['losses', 'weights', 'scores'] as const) {
      expect(tab[part]).toHaveLength(native[part].length);
      tab[part].forEach((value, at) => expect(Math.abs(value - (native[part][at] ?? NaN))).toBeLessThan(tolerance));
    }
    expect(native.losses[2]).toBeLessThan(native.losses[0] ?? NaN);
  });

  it('ends with a code when the graphics processor is lost, and does not hang', async () => {
    expect(await page.evaluate((ms) => asked.lost(ms), patienceMs / 4)).toEqual({
      before: 2,
      said: 'lost 1',
      outcomes: ['MODEL_REFUSED', 'MODEL_REFUSED', 'MODEL_REFUSED'],
      engines: [{ on: 'webgpu' }],
    });
  });

  it('goes on in wasm, with its state, when the first run shows that it does not fit there', async () => {
    expect(await page.evaluate(() => asked.tooManyParts())).toEqual({
      last: 11,
      total: 100 + 3 * 66,
      engines: [{ on: 'webgpu' }, { on: 'wasm', reason: 'graph', detail: expect.stringContaining('storage buffers') }],
    });
  });
});
