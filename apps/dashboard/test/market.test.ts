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
    await page.getByRole('button', { name: 'Withdraw nano' }).waitFor();
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

  it('lease storage, store a file, have it proven, fetch and remove it; and offer some', async () => {
    const page = await at('/market');
    await page.getByText('Proofs that failed in a row: 1. The third ends the lease.').waitFor();
    await page.getByText('6.2 MB of 50.0 MB held, 12 proofs, the last 3 min ago').waitFor();
    await page.getByRole('button', { name: 'Have study-pc prove now what it holds' }).press('Enter');
    await page.getByText('study-pc showed that it holds all of it.').waitFor();
    await page.getByText('Proofs that failed in a row').waitFor({ state: 'detached' });
    const file = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('what to keep') };
    await page.getByLabel('Store a file with study-pc').setInputFiles(file);
    await page.getByRole('button', { name: 'Store it' }).press('Enter');
    await page.getByText('notes.txt is stored, and proven once.').waitFor();
    expect(owner.agent.state.market.storage.view.files[0]).toMatchObject({ name: 'notes.txt', bytes: 12 });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download notes.txt' }).press('Enter'),
    ]);
    expect(download.suggestedFilename()).toBe('notes.txt');
    await page.getByRole('button', { name: 'Remove photos.tar' }).press('Enter');
    await page.getByText('Its key is forgotten here too: nobody can open it again.').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove it there' }).press('Enter');
    await page.getByText('photos.tar', { exact: true }).waitFor({ state: 'detached' });
    await page.getByLabel('Megabytes').fill('8001');
    await page.getByRole('button', { name: 'Lease storage of study-pc' }).press('Enter');
    await page.getByLabel('Megabytes').fill('200');
    await page.getByText('This locks 4.577637 credits at most').waitFor();
    await page.getByRole('button', { name: 'Lease storage of study-pc' }).press('Enter');
    await page.getByText('200 MB with study-pc are leased.').waitFor();
    // More than is free was not asked for.
    expect(owner.agent.state.market.storage.view.leases.map(({ bytesMax }) => bytesMax)).toEqual([2e8, 5e7, 5e8]);
    await page.getByRole('button', { name: 'Withdraw the storage offered here' }).press('Enter');
    await page.getByLabel('Gigabytes').fill('2.5');
    await page.getByRole('button', { name: 'Offer storage' }).press('Enter');
    await page.getByText('2.5 GB of 2.5 GB free').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
  });
});
