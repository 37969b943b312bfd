import { utf8 } from '@peerai/core-protocol';
import { gaussian, seededUnit } from '@peerai/nn-engine';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import type { Peer } from '@peerai/peer';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityViolations, openBrowser, overflowPixels, visit } from './browser.ts';
import { builtPages } from './builds.ts';
import { type RealTrainers, startRealTrainers } from './real-provider.ts';

/** A table: whether two numbers have the same sign. */
function signs(rows: number, seed: number): string {
  const random = seededUnit(seed);
  const lines = Array.from({ length: rows }, () => {
    const [x, y] = [gaussian(random), gaussian(random)];
    return `${x.toFixed(4)},${y.toFixed(4)},${x * y > 0 ? 'same' : 'other'}`;
  });
  return ['x,y,sign', ...lines, ''].join('\n');
}
async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield utf8(text);
}
const readIn = async (peer: Peer, seed: number, name: string): Promise<string> =>
  (await peer.training.readIn(name, bytesOf(signs(120, seed)))).id;

describe('A visitor with a link, and two peers that train', () => {
  let trainers: RealTrainers;
  let browser: Browser;
  beforeAll(async () => {
    const dist = await builtPages();
    [trainers, browser] = await Promise.all([startRealTrainers(dist, async () => createNodeRuntime()), openBrowser()]);
    const { host, other } = trainers;
    await host.training.begin({
      name: 'signs',
      data: await readIn(host, 1, 'desk.csv'),
      model: { kind: 'mlp', label: 'sign', hidden: [16] },
      rounds: 2_000,
      localSteps: 50,
      compression: 'int8',
      outer: 'local-sgd',
      aggregation: 'trimmed-mean',
      liars: 0,
      membersMin: 2,
      roundMs: 30_000,
      schedule: 'constant',
      learningRate: 0.01,
      seed: 1,
      threads: 1,
    });
    const data = await readIn(other, 2, 'laptop.csv');
    await other.training.join('signs', { data, accept: true, threads: 1 }, AbortSignal.timeout(20_000));
  });
  afterAll(async () => {
    await browser.close();
    await trainers.stop();
  });
  /** Rounds that closed, as the member sees it that the tab knows nothing of; and those in which somebody with the link counted. */
  async function rounds(id: string): Promise<{ readonly closed: number; readonly counted: number }> {
    const [made] = (await trainers.host.training.links('signs')).filter((one) => one.id === id);
    const visitor = made?.visitors[0]?.peerId;
    const run = await trainers.other.training.get('signs');
    const counted = run.rounds.filter(({ members }) => members.some(({ peerId }) => peerId === visitor));
    return { closed: run.round, counted: counted.length };
  }
  async function agree(page: Page): Promise<void> {
    await page.getByRole('heading', { name: 'study-pc asks you to help train signs' }).waitFor({ timeout: 20_000 });
    await page.getByRole('checkbox', { name: 'I have read' }).press('Space');
    await page.getByRole('button', { name: 'Train with them' }).press('Enter');
  }
  /** A tab whose direct link fails goes on over the relay, some seconds later. */
  const patient = { timeout: 60_000, interval: 200 };

  it(
    'is told what it takes first, takes part, is counted by the others, and leaves a run that goes on',
    { timeout: 180_000 },
    async () => {
      const context = await browser.newContext();
      const data = await readIn(trainers.host, 3, 'spare.csv');
      const made = await trainers.host.training.link('signs', { forMs: 3_600_000, visitors: 2, data });
      const asked: URL[] = [];
      context.on('request', (request) => void asked.push(new URL(request.url())));
      const { page, complaints } = await visit(context, made.link, { size: 'phone' });
      await page.getByText('Nothing of this has been downloaded or computed yet.').waitFor({ timeout: 20_000 });
      await page.getByText(/MB, from the host of this page/).waitFor();
      await page.getByText(/, a part of spare\.csv/).waitFor();
      expect([await accessibilityViolations(page), await overflowPixels(page)]).toEqual([[], 0]);
      // Sizes were asked for, and nothing of the engine fetched.
      const fetched = await page.evaluate(
        () =>
          performance.getEntriesByType('resource').filter(({ name }) => /ort|worker/.test(name) && !name.includes('?'))
            .length,
      );
      expect([fetched, page.workers().length]).toEqual([4, 0]);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);

      await page.getByRole('button', { name: 'Train with them' }).press('Enter');
      // The browser asks for the yes.
      expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('accept');
      await agree(page);
      await expect.poll(async () => (await rounds(made.id)).counted, patient).toBeGreaterThanOrEqual(2);
      await page.getByText(/counted in [1-9]\d* of \d+ seen here/).waitFor();
      await page.getByRole('img', { name: /^mean of what members report: from/ }).waitFor();
      await expect.poll(() => page.getByText(/^\d+ % of the last seconds$/).textContent(), patient).not.toMatch(/^0 %/);
      expect([await accessibilityViolations(page), await overflowPixels(page)]).toEqual([[], 0]);

      await page.getByRole('button', { name: 'Leave' }).press('Enter');
      await page.getByText('You left.').waitFor();
      await expect.poll(() => page.workers().length, patient).toBe(0);
      const { closed } = await rounds(made.id);
      await expect.poll(async () => (await rounds(made.id)).closed, patient).toBeGreaterThan(closed + 1);
      const { counted } = await rounds(made.id);
      await expect.poll(async () => (await rounds(made.id)).closed, patient).toBeGreaterThan(closed + 3);
      expect((await rounds(made.id)).counted).toBe(counted);
      // Chromium itself says that it has no graphics card when the page asks for one.
      expect(complaints.filter((one) => !one.startsWith('No available adapters.'))).toEqual([]);
      expect(new Set(asked.map(({ host }) => host))).toEqual(new Set([new URL(made.link).host]));

      await trainers.host.training.stopLink(made.id);
      const again = await visit(context, made.link, { theme: 'dark' });
      await again.page.getByText('study-pc ended this link').waitFor({ timeout: 20_000 });
      expect(await accessibilityViolations(again.page)).toEqual([]);
      await context.close();
    },
  );

  it(
    'is offered the graphics card where there is one, and computes there after a yes to it',
    { timeout: 180_000 },
    async () => {
      await using gpu = await openBrowser({ webGpu: true });
      const context = await gpu.newContext();
      const data = await readIn(trainers.host, 4, 'second.csv');
      const made = await trainers.host.training.link('signs', { forMs: 3_600_000, visitors: 1, data });
      const { page } = await visit(context, made.link, { size: 'phone' });
      const choice = page.getByLabel(/^Use the graphics card \(2\d(?:\.\d)? MB more\)/);
      await choice.waitFor({ timeout: 20_000 });
      expect(await choice.isChecked()).toBe(false);
      expect([await accessibilityViolations(page), await overflowPixels(page)]).toEqual([[], 0]);
      await choice.press('Space');
      await agree(page);
      await page.getByText('computes', { exact: true }).waitFor({ timeout: 120_000 });
      await expect.poll(async () => (await rounds(made.id)).counted, patient).toBeGreaterThanOrEqual(1);
      expect(await accessibilityViolations(page)).toEqual([]);
    },
  );
});
