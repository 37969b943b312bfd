import { describe, expect, it } from 'vitest';
import { accessibilityViolations } from './browser.ts';
import { ownerPages } from './owner.ts';

describe('In the market the owner can, by keyboard alone,', () => {
  const owner = ownerPages();
  const { at } = owner;

  it('see what lies on the chain, and take what the contract owes', async () => {
    const page = await at('/market');
    await page.getByText('Paid on the chain: 12.25 of 50 credits were paid there.').waitFor();
    await page.getByText('Not done yet, tried again: the node is away').waitFor();
    await page.getByText('127.0.0.1:8545, chain 31337').waitFor();
    await page.getByRole('button', { name: 'Pay it out' }).press('Enter');
    await page.getByText('0.00125 of the chain’s coin went to our address; gas 92994.').waitFor();
    await page.getByRole('button', { name: 'Pay it out' }).waitFor({ state: 'detached' });
  });

  it('offer, lease, settle, and dispute with evidence', async () => {
    const page = await at('/market');
    await page.getByText('A credit counts what two peers did for each other.').waitFor();
    await page.getByText('We owe study-pc 24.5').waitFor();
    await page.getByText('No word from mira-mac.').waitFor();
    await page.getByRole('button', { name: 'Withdraw nano' }).press('Enter');
    await page.getByText('This peer offers nothing.').waitFor();
    await page.getByLabel('Credits for 1,000 tokens').fill('0.25');
    await page.getByRole('button', { name: 'Offer', exact: true }).press('Enter');
    await page.getByRole('button', { name: /^Withdraw/ }).waitFor();
    await page.getByRole('button', { name: 'Settle the lease of mistral' }).press('Enter');
    await page.getByRole('button', { name: 'Settle the lease of mistral' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Lease mistral of study-pc' }).press('Enter');
    await page.getByRole('button', { name: 'Dispute the lease of mistral' }).press('Enter');
    await page.getByLabel('What is wrong').fill('no answer came');
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Dispute it' }).press('Enter');
    const evidence = page.getByRole('link', { name: 'Save the evidence' });
    expect(await evidence.getAttribute('href')).toContain(encodeURIComponent('no answer came'));
    const { leases } = owner.agent.state.market.view;
    expect(leases.map(({ state }) => state)).toEqual(['disputed', 'settled', 'settled', 'disputed']);
  });
});
