import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { encodeTicket } from '@peerai/core-protocol/access';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessibilityViolations, openBrowser, overflowPixels, visit } from './browser.ts';
import { builtPages, guestPageOverFakeWorld } from './builds.ts';
import { startFixtureAgent, type FixtureAgent } from './fixture-agent.ts';

describe('The guest’s page', () => {
  let dist: string;
  let agent: FixtureAgent;
  let browser: Browser;
  let context: BrowserContext;
  let complaints: string[] = [];
  beforeAll(async () => {
    dist = await guestPageOverFakeWorld();
    [agent, browser] = await Promise.all([startFixtureAgent(dist), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await agent.stop();
    await rm(dist, { recursive: true, force: true });
  });
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  async function at(behaviour: string, look: Parameters<typeof visit>[2] = { size: 'phone' }): Promise<Page> {
    const visited = await visit(context, `${agent.url}/s#${behaviour}`, look);
    ({ complaints } = visited);
    return visited.page;
  }
  async function say(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox').fill(text);
    await page.keyboard.press('Enter');
  }

  for (const size of ['wide', 'phone'] as const) {
    for (const theme of ['light', 'dark'] as const) {
      it(`answers, accessible and whole, ${size}, ${theme}`, async () => {
        const page = await at('ok', { size, theme });
        await page.getByRole('heading', { name: 'study-pc shares mistral' }).waitFor();
        await page.getByText('Did your friend say the same pictures?').waitFor();
        await say(page, 'Name a soup.');
        await page.getByRole('button', { name: /study-pc · direct · 42 tok\/s · signed ✓/ }).waitFor();
        await page.getByText('18.0k tokens left').waitFor();
        expect(await accessibilityViolations(page)).toEqual([]);
        expect(await overflowPixels(page)).toBe(0);
      });
    }
  }

  it('takes words before the connection stands, and sends them then', async () => {
    const page = await at('late');
    await say(page, 'early words');
    await page.getByText('Waiting for the connection').waitFor();
    await page.getByText('Asking study-pc…').first().waitFor({ state: 'attached' });
    await page.getByText('Leek and potato.').first().waitFor();
  });

  it('says after a while why it is slow', async () => {
    await context.clock.install();
    const page = await at('slow');
    await page.getByText('Asking study-pc…').first().waitFor({ state: 'attached' });
    expect(await page.getByText('Why is this slow?').count()).toBe(0);
    await context.clock.fastForward(5_000);
    await page.getByText('Why is this slow?').waitFor();
    await page.getByText('Why is this slow?').press('Enter');
    await page.getByText(/study-pc may be asleep/).waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
  });

  const refusals: Readonly<Record<string, string | RegExp>> = {
    TICKET_INVALID: 'This link does not work',
    TICKET_EXPIRED: /^This link ended at /,
    TICKET_REVOKED: 'study-pc ended this link',
    TOO_MANY_GUESTS: 'This link is full',
  };
  for (const [code, sentence] of Object.entries(refusals)) {
    it(`says plainly ${code}, and asks for nothing more`, async () => {
      const page = await at(code);
      await page.getByRole('alert').getByText(sentence).waitFor();
      expect(await page.getByRole('textbox').count()).toBe(0);
      if (code === 'TICKET_REVOKED') expect(await accessibilityViolations(page)).toEqual([]);
    });
  }
  const lateRefusals: Readonly<Record<string, readonly [string, number]>> = {
    BUDGET_SPENT: ['All tokens of this link are used', 0],
    MODEL_NOT_SHARED: ['This link is for other models', 1],
    TOO_MANY: ['Another answer is running', 1],
  };
  for (const [code, [sentence, boxes]] of Object.entries(lateRefusals)) {
    it(`says plainly ${code} when a question is refused`, async () => {
      const page = await at(code);
      await say(page, 'refuse this');
      await page.getByRole('alert').getByText(sentence).waitFor();
      expect(await page.getByRole('textbox').count()).toBe(boxes);
    });
  }

  it('keeps a broken answer and tries again', async () => {
    const page = await at('ok');
    await say(page, 'please break');
    await page.getByText('study-pc broke off in the middle of the answer').waitFor();
    await page.getByText('Leek and potato. Soften two').first().waitFor();
    await page.reload();
    await page.getByText('Leek and potato. Soften two').first().waitFor();
    await page.getByRole('button', { name: 'Try again' }).press('Enter');
    await page.getByText('study-pc broke off in the middle of the answer').waitFor();
  });

  it('stops an answer at once', async () => {
    const page = await at('ok');
    await say(page, 'endless');
    await page.getByText('Leek and potato. Soften').first().waitFor();
    await page.getByRole('button', { name: 'Stop' }).press('Enter');
    await page.getByText('Stopped by you. This part is kept.').waitFor();
  });

  it('comes back when the provider was away', async () => {
    const page = await at('away');
    await page.getByText('study-pc cannot be reached').waitFor();
    await page.getByRole('button', { name: 'Try again' }).press('Enter');
    await page.getByText(/2 h left/).waitFor();
  });

  it('offers what was perhaps meant, and shows the evidence', async () => {
    const page = await at('ok');
    await say(page, 'unsure');
    await page.getByRole('button', { name: 'Name a salad' }).press('Enter');
    await page
      .getByRole('button', { name: /signed ✓/ })
      .nth(1)
      .press('Enter');
    await page.getByRole('dialog').getByText('You hold a copy of the receipt').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
  });

  it('forgets everything when the guest leaves, and explains itself without a link', async () => {
    const page = await at('ok');
    await say(page, 'Name a soup.');
    await page.getByRole('button', { name: /signed ✓/ }).waitFor();
    await page.getByRole('button', { name: 'Leave' }).press('Enter');
    await page.getByText('You left.').waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await page.goto('about:blank');
    await page.goto(`${agent.url}/s`);
    await page.getByText('This page needs a link').waitFor();
  });
});

describe('The guest’s page over its real world', () => {
  let agent: FixtureAgent;
  let browser: Browser;
  beforeAll(async () => {
    [agent, browser] = await Promise.all([builtPages().then(startFixtureAgent), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await agent.stop();
  });

  it('reads a signed link, starts a network in the tab and says who cannot be reached', async () => {
    const context = await browser.newContext();
    const { page, complaints } = await visit(context, `${agent.url}/s#${shareTicket(Date.now() + 3_600_000)}`);
    await page.getByRole('heading', { name: 'study-pc shares mistral' }).waitFor();
    await page.getByText('study-pc cannot be reached').waitFor({ timeout: 20_000 });
    const databases = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    expect(databases).toEqual(['guest-0707070707070707']);
    // The one complaint is the browser's own about the port that nobody listens on.
    expect(complaints.filter((complaint) => !complaint.includes('ws://127.0.0.1:9'))).toEqual([]);
    await context.close();
  });

  it('refuses a damaged and an ended link without a network', async () => {
    const context = await browser.newContext();
    const damaged = await visit(context, `${agent.url}/s#${shareTicket(Date.now() + 3_600_000).slice(0, -4)}AAAA`);
    await damaged.page.getByText('This link does not work').waitFor();
    const ended = await visit(context, `${agent.url}/s#${shareTicket(Date.now() - 1_000)}`);
    await ended.page.getByText(/^This link ended at/).waitFor();
    expect([...damaged.complaints, ...ended.complaints]).toEqual([]);
    await context.close();
  });
});

/** A true ticket of a provider that is not there. */
function shareTicket(expiresMs: number): string {
  return encodeTicket(createIdentity(nobleCrypto, new Uint8Array(32).fill(7)), {
    kind: 'share',
    id: new Uint8Array(8).fill(7),
    name: 'study-pc',
    addresses: ['/ip4/127.0.0.1/tcp/9/ws'],
    models: ['mistral'],
    tokens: 1_000,
    expiresMs,
    guests: 1,
    concurrency: 1,
    allow: [],
    secret: new Uint8Array(16).fill(7),
  });
}
