import { describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { accessibilityViolations, overflowPixels, sizes } from './browser.ts';
import { ownerPages } from './owner.ts';

/** Parts of names in tables that stand on more than one line. */
const brokenParts = (page: Page): Promise<string[]> =>
  page.locator('td:first-child').evaluateAll((cells) =>
    cells
      .flatMap((cell) => [...cell.childNodes])
      .filter((node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return node.nodeType === Node.TEXT_NODE && range.getClientRects().length > 1;
      })
      .map((node) => node.textContent ?? ''),
  );

describe('In governance the owner can, by keyboard alone,', () => {
  const owner = ownerPages();
  const { at } = owner;

  it('vote, propose, check the chain that says it, join, leave, and make a group', async () => {
    const page = await at('/governance');
    await page.getByRole('link', { name: /^Lake house/ }).press('Enter');
    await page.getByText('1 yes, 1 no, 0 abstain, of 4').waitFor();
    await page.getByText('You said yes.').waitFor();
    await page.getByText('lied, proven: decided two blocks in one attempt').waitFor();
    await page.getByText('via study-pc').waitFor();
    await page.getByText('3, attempt 2 led by mira-mac: given up here (view-change)').waitFor();
    await page.getByRole('button', { name: 'No to “Raise the quorum”' }).press('Enter');
    await page.getByText('1 yes, 2 no, 0 abstain, of 4').waitFor();
    await page.getByText('You said no.').waitFor();

    await page.setViewportSize(sizes.phone);
    expect(await page.getByRole('cell', { name: 'incentives.node_hour_micro' }).count()).toBe(1);
    expect(await brokenParts(page)).toEqual([]);
    expect(await overflowPixels(page)).toBe(0);
    await page.setViewportSize(sizes.wide);

    // Somebody else votes.
    const { governance } = owner.agent.state;
    governance.proposals = governance.proposals.map((one) => ({ ...one, abstain: 1 }));
    owner.agent.send({ type: 'governance-changed', groupId: 'ab' });
    await page.getByText('1 yes, 2 no, 1 abstain, of 4').waitFor();

    await page.getByRole('button', { name: 'Propose', exact: true }).press('Enter');
    const form = page.getByRole('dialog');
    await form.getByLabel('What is to be decided').selectOption('policy');
    await form.getByLabel('Which value').selectOption('majority-percent');
    await form.getByLabel('Set it to').fill('60');
    await form.getByLabel('Title').fill('Clearer majorities');
    expect(await accessibilityViolations(page)).toEqual([]);
    await form.getByRole('button', { name: 'Propose it' }).press('Enter');
    await page.getByText('Set majority-percent to 60 percent').waitFor();

    await page.getByRole('button', { name: 'Verify here' }).press('Enter');
    await page.getByText('All 2 blocks hold together').waitFor();
    await page.getByText('4 signatures').waitFor();
    governance.digest = 'ab'.repeat(32);
    await page.getByRole('button', { name: 'Verify here' }).press('Enter');
    await page.getByText('The agent shows another state than its chain leads to').waitFor();
    governance.altered.set(1, Uint8Array.of(8, 1));
    await page.getByRole('button', { name: 'Verify here' }).press('Enter');
    await page.getByText('The chain does not hold after 1 block').waitFor();

    await page.getByRole('link', { name: /^Street relay/ }).press('Enter');
    await page.getByText('mira-mac asks this device to be a member').waitFor();
    await page.getByRole('button', { name: 'Join' }).press('Enter');
    await page.getByText('The members vote on it now.').waitFor();
    await page.getByRole('button', { name: 'Leave' }).press('Enter');
    await page.getByRole('button', { name: 'Leave it' }).press('Enter');
    await page.getByRole('link', { name: /^Street relay/ }).waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'New group' }).press('Enter');
    await page.getByLabel('Name').fill('Attic');
    await page.getByLabel('study-pc').press('Space');
    await page.getByRole('button', { name: 'Make the group' }).press('Enter');
    await page.getByRole('heading', { name: 'Attic' }).waitFor();
    const made = governance.groups.at(-1);
    expect(made?.members.map(({ name }) => name)).toEqual(['laptop', 'study-pc']);
  });

  it.each<readonly [string, Readonly<Record<string, string>>, string]>([
    [
      'policy',
      { policy: 'incentives.node_hour_micro', value: '0.25' },
      'Set incentives.node_hour_micro to 0.25 points',
    ],
    ['points', { peer: 'study-pc', credits: '2.5', reason: 'a start' }, '2.5 points to study-pc, because: a start'],
    ['checkpoint', { name: 'roof', sha256: 'AB'.repeat(32) }, 'roof is abababababab…'],
    ['relays', { addresses: '/dns4/a/tcp/1\n/dns4/b/tcp/2' }, 'Use these relays: /dns4/a/tcp/1, /dns4/b/tcp/2'],
  ])('propose %s', async (kind, fields, said) => {
    const page = await at('/governance');
    await page.getByRole('link', { name: /^Lake house/ }).press('Enter');
    await page.getByRole('button', { name: 'Propose', exact: true }).press('Enter');
    const form = page.getByRole('dialog');
    await form.getByLabel('What is to be decided').selectOption(kind);
    for (const [name, value] of Object.entries(fields)) {
      const field = form.locator(`[name="${name}"]`);
      const isSelect = (await field.evaluate(({ tagName }) => tagName)) === 'SELECT';
      await (isSelect ? field.selectOption(value) : field.fill(value));
    }
    await form.getByLabel('Title').fill('One of each');
    expect(await accessibilityViolations(page)).toEqual([]);
    await form.getByRole('button', { name: 'Propose it' }).press('Enter');
    await page.getByText(said).waitFor();
  });
});
