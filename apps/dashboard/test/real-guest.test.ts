import { basename } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shortCount } from '../src/shared/format.ts';
import { openBrowser, visit } from './browser.ts';
import { builtPages } from './builds.ts';
import { notForGuests } from './limits.ts';
import { startRealProvider, type RealProvider } from './real-provider.ts';

describe('A guest with a link, a relay and a peer behind it', () => {
  let provider: RealProvider;
  let browser: Browser;
  beforeAll(async () => {
    [provider, browser] = await Promise.all([builtPages().then(startRealProvider), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await provider.stop();
  });

  it('talks to the model, holds a signed receipt, and both sides count the same tokens', async () => {
    const context = await browser.newContext();
    const { link } = await provider.share('echo');
    const scripts: string[] = [];
    context.on('request', (request) => void scripts.push(new URL(request.url()).pathname));
    const { page, complaints } = await visit(context, link, { size: 'phone' });
    await page.getByRole('textbox').fill('hello there');
    await page.keyboard.press('Enter');
    await page.getByText('echo: hello there').first().waitFor({ timeout: 20_000 });
    const foot = page.getByRole('button', { name: /study-pc · (direct|relayed) · .* tok\/s · signed ✓/ });
    await foot.waitFor();
    await expect.poll(async () => (await provider.peer.books.verify()).receipts).toBe(1);
    const [share] = provider.peer.sharing.list();
    const left = (share?.tokens.budget ?? 0) - (share?.tokens.used ?? 0);
    expect(left).toBeLessThan(20_000);
    await page.getByText(`${shortCount(left)} tokens left`).waitFor();
    expect(share?.guests).toHaveLength(1);
    expect(complaints).toEqual([]);
    for (const name of [...notForGuests.map((source) => basename(source, '.ts')), 'world'])
      expect([name, scripts.some((path) => basename(path).startsWith(`${name}-`))]).toEqual([name, name === 'world']);
    await context.close();
  });

  it('reaches the direct path', async () => {
    const context = await browser.newContext();
    const { link } = await provider.share('echo');
    const { page } = await visit(context, link);
    await page.getByText(/h left|min left/).waitFor({ timeout: 20_000 });
    await expect
      .poll(
        async () => {
          await page.getByRole('textbox').fill('and now?');
          await page.keyboard.press('Enter');
          const foot = page.getByRole('button', { name: /signed ✓/ }).last();
          await foot.waitFor();
          return foot.textContent();
        },
        { timeout: 20_000, interval: 500 },
      )
      .toContain('· direct ·');
    await context.close();
  });

  it('is told that the owner has ended the link', async () => {
    const context = await browser.newContext();
    const { link, id } = await provider.share('echo');
    const { page } = await visit(context, link);
    await page.getByText(/h left|min left/).waitFor({ timeout: 20_000 });
    await provider.peer.sharing.stop(id);
    await page.getByRole('textbox').fill('still there?');
    await page.keyboard.press('Enter');
    await page.getByText('study-pc ended this link').waitFor();
    await context.close();
  });

  it('uses a link in one tab at a time, and the same key when it comes back', async () => {
    const context = await browser.newContext();
    const { link } = await provider.share('echo');
    const { page } = await visit(context, link);
    await page.getByText(/h left|min left/).waitFor({ timeout: 20_000 });
    const second = await visit(context, link);
    await second.page.getByText('This link is open in another tab').waitFor();
    await page.close();
    await second.page.getByRole('button', { name: 'Try again' }).press('Enter');
    await second.page.getByText(/h left|min left/).waitFor({ timeout: 20_000 });
    const share = provider.peer.sharing.list().find((candidate) => candidate.link === link);
    expect(share?.guests.length ?? 0).toBeLessThanOrEqual(1);
    await context.close();
  });

  it('keeps what was said when the provider dies in the middle of an answer', async () => {
    const context = await browser.newContext();
    const { link } = await provider.share('echo-slow');
    const { page } = await visit(context, link);
    await page.getByRole('textbox').fill('one two three four '.repeat(50));
    await page.keyboard.press('Enter');
    await page.getByText('echo: one two three').first().waitFor({ timeout: 20_000 });
    void provider.stop();
    await page.getByText('The connection to study-pc is gone, trying to pick it up').waitFor();
    await page.getByText('study-pc broke off in the middle of the answer').waitFor({ timeout: 20_000 });
    await page.getByText('echo: one two three').first().waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await context.close();
  });
});
