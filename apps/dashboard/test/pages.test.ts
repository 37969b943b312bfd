import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityViolations, openBrowser, overflowPixels, visit, withToken, type Theme } from './browser.ts';
import { builtPages } from './builds.ts';
import { freshCode, startFixtureAgent, type FixtureAgent } from './fixture-agent.ts';
import { fixturePairing } from './fixture-data.ts';

const pages = [
  { path: '/', title: 'Network', sees: '4 paired, 1 blocked' },
  { path: '/chat', title: 'Chat', sees: 'Ask mistral on study-pc something.' },
  { path: '/shares', title: 'Share', sees: '1,800 of 20,000 tokens' },
  { path: '/tasks', title: 'Tasks', sees: 'Summarise the minutes' },
  { path: '/messages', title: 'Messages', sees: 'good morning' },
  { path: '/files', title: 'Files', sees: 'holiday photos from the lake.zip' },
  { path: '/groups', title: 'Groups', sees: 'mira-mac adds and removes' },
  { path: '/documents', title: 'Documents', sees: 'Protocol of the lab' },
  { path: '/memory', title: 'Memory', sees: 'The key of the shed hangs' },
  { path: '/models', title: 'Models', sees: 'Get a model' },
  { path: '/train', title: 'Train', sees: 'Fish of the lake' },
  { path: '/clusters', title: 'Clusters', sees: 'Together by load' },
  { path: '/reputation', title: 'Reputation', sees: '2 answers that did not come in time' },
  { path: '/ledger', title: 'Ledger', sees: 'Signed by others' },
  { path: '/market', title: 'Market', sees: 'owes us 1.25' },
  { path: '/governance', title: 'Governance', sees: 'Lake house' },
  { path: '/doctor', title: 'Health', sees: 'Way in from outside' },
] as const;
const looks: readonly { readonly size: 'wide' | 'phone'; readonly theme: Theme }[] = [
  { size: 'wide', theme: 'light' },
  { size: 'wide', theme: 'dark' },
  { size: 'phone', theme: 'light' },
  { size: 'phone', theme: 'dark' },
];

/** By the rail, the bar, or what the bar has no place for. */
async function goTo(page: Page, path: string): Promise<void> {
  const link = page.locator(`a[href="${path}"]:visible`).last();
  const more = page.getByRole('button', { name: 'More' });
  await link.or(more).first().waitFor();
  if ((await link.count()) === 0) await more.press('Enter');
  await link.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** What is open of a list, with everything in it that can be unfolded. */
const opened = [
  { path: '/groups', name: /^Kitchen table/, sees: '1 of 2 have it', acts: ['Remove study-pc', 'Leave'] },
  {
    path: '/documents',
    name: /^Minutes/,
    sees: 'We met at nine.',
    acts: ['Edit rounds', 'Remove title', 'Delete here'],
  },
  { path: '/memory', name: /^The roof/, sees: 'slates of the north side', acts: ['Forget'] },
  { path: '/clusters', name: /^signs/, sees: 'the nearer to its threshold', acts: ['Remove'] },
  { path: '/ledger', name: /^Entry 3/, sees: 'After', acts: ['Download the proof', 'Check it here'] },
  { path: '/governance', name: /^Lake house/, sees: 'Cheaper nodes', acts: ['Verify here', 'Leave'] },
  { path: '/train', name: /^Fish/, sees: 'pixel, round 10', acts: ['Stop here'] },
] as const;

describe('The owner’s pages', () => {
  let agent: FixtureAgent;
  let browser: Browser;
  beforeAll(async () => {
    [agent, browser] = await Promise.all([builtPages().then(startFixtureAgent), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await agent.stop();
  });

  for (const look of looks) {
    it(`read well and are accessible, ${look.size}, ${look.theme}`, { timeout: 90_000 }, async () => {
      const context = await browser.newContext();
      try {
        const { page, complaints } = await visit(context, withToken(agent.url), look);
        for (const { path, title, sees } of pages) {
          await goTo(page, path);
          await page.getByRole('heading', { level: 1, name: title }).waitFor({ state: 'attached' });
          await page.getByText(sees).first().waitFor();
          expect(await accessibilityViolations(page), title).toEqual([]);
          expect(await overflowPixels(page), title).toBe(0);
          expect(complaints, title).toEqual([]);
        }
        expect(page.url()).not.toContain('token');
      } finally {
        await context.close();
      }
    });
  }

  for (const look of looks.slice(1, 3)) {
    it(`hold what is open of a list to the same rules, ${look.size}, ${look.theme}`, async () => {
      const context = await browser.newContext();
      const { page, complaints } = await visit(context, withToken(agent.url), look);
      for (const { path, name, sees, acts } of opened) {
        await goTo(page, path);
        await page.getByRole('link', { name }).press('Enter');
        await page.getByText(sees).first().waitFor();
        expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H2');
        for (const summary of await page.locator('main summary').all()) await summary.press('Enter');
        for (const button of acts) await page.getByRole('button', { name: button, exact: true }).press('Enter');
        expect(await accessibilityViolations(page), path).toEqual([]);
        expect(await overflowPixels(page), path).toBe(0);
      }
      expect(complaints).toEqual([]);
      await context.close();
    });
  }

  it('hold the sheets to the same rules as the pages', async () => {
    for (const look of looks.slice(1, 3)) {
      const context = await browser.newContext();
      const { page, complaints } = await visit(context, withToken(agent.url), look);
      for (const open of look.size === 'wide'
        ? [/^study-pc/, /^laptop/, /^attic-nas/, /^somebody/]
        : [/^study-pc/, /^attic-nas/, 'Add a device']) {
        await page.getByRole('button', { name: open }).first().click();
        await page.getByRole('dialog').waitFor();
        expect(await accessibilityViolations(page)).toEqual([]);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      expect(complaints).toEqual([]);
      await context.close();
    }
  });

  it('ask for `peerai open` without a key, and after the key was refused', async () => {
    const context = await browser.newContext();
    const { page } = await visit(context, agent.url);
    await page.getByText('peerai open').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.goto('about:blank');
    await page.goto(`${agent.url}/#token=wrong`);
    await page.getByRole('heading', { name: 'Your agent does not know this page any more' }).waitFor();
    await context.close();
  });

  it('take their key for a code that is good once', async () => {
    const context = await browser.newContext();
    const { page, complaints } = await visit(context, `${agent.url}/#code=${freshCode}`);
    await page.getByRole('link', { name: 'Models' }).first().waitFor();
    expect(new URL(page.url()).hash).toBe('');
    await page.reload();
    await page.getByRole('link', { name: 'Models' }).first().waitFor();
    expect(complaints).toEqual([]);
    await context.close();
    const later = await browser.newContext();
    const second = await visit(later, `${agent.url}/#code=${freshCode}`);
    await second.page.getByText('peerai open').waitFor();
    await later.close();
  });

  it('keep the key in the tab across a reload and across pages', async () => {
    const context = await browser.newContext();
    const { page } = await visit(context, withToken(agent.url));
    await page.reload();
    await page.getByRole('link', { name: 'Models' }).first().click();
    await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
    await context.close();
  });

  it('remember the theme that was chosen', async () => {
    const context = await browser.newContext();
    const { page } = await visit(context, withToken(agent.url));
    await page.getByRole('button', { name: 'Theme: system. Change' }).click();
    await page.getByRole('button', { name: 'Theme: light. Change' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Theme: dark. Change' }).waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
    await context.close();
  });

  it('follow the agent live, and come back with the last event id after a break', async () => {
    const context = await browser.newContext();
    const { page } = await visit(context, withToken(agent.url));
    const devices = page.getByRole('region', { name: 'Devices' });
    const pixel = agent.state.peers.find(({ name }) => name === 'pixel');
    if (pixel === undefined) throw new Error('the fixture has a pixel');
    await devices.getByRole('button', { name: /pixel.*relayed/ }).waitFor();
    agent.send({ type: 'peer-updated', peer: { ...pixel, path: 'direct', roundTripMs: 12 } });
    await devices.getByRole('button', { name: /pixel.*direct.*12 ms/ }).waitFor();
    const resumesBefore = agent.resumes.length;
    agent.allowEvents(false);
    await page.getByText('live figures are away').first().waitFor();
    agent.allowEvents(true);
    await page.getByText('live figures are away').first().waitFor({ state: 'detached' });
    expect(Number(agent.resumes[resumesBefore])).toBeGreaterThan(0);
    await context.close();
  });

  it('open the request of a device that wants to pair, and close it with the answer', async () => {
    const context = await browser.newContext();
    const { page, complaints } = await visit(context, withToken(agent.url));
    await page.getByRole('region', { name: 'Devices' }).waitFor();
    const pairing = fixturePairing({}, Date.now());
    agent.state.pending = [pairing];
    agent.send({ type: 'pairing-changed', pairing });
    const dialog = page.getByRole('dialog', { name: 'Pair with mira-mac?' });
    await dialog.getByText('octopus · pear · anchor · dice').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'They match' }).press('Enter');
    await dialog.getByText('mira-mac is paired.').waitFor();
    expect(agent.requests).toContain('POST /pairings/p1/accept');
    await dialog.getByRole('button', { name: 'Done' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
    await context.close();
  });
});
