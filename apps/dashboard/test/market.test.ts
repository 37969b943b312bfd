import { describe, expect, it } from 'vitest';
import { accessibilityViolations, overflowPixels } from './browser.ts';
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
    await page.getByRole('link', { name: 'Models' }).and(page.locator('.parts a')).press('Enter');
    await page.getByText('No word from mira-mac.').waitFor();
    await page.getByRole('button', { name: 'Withdraw nano' }).press('Enter');
    await page.getByText('This peer offers nothing.').waitFor();
    await page.getByLabel('Credits for 1,000 tokens').fill('0.25');
    await page.getByRole('button', { name: 'Offer', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Withdraw nano' }).waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByLabel('Tokens, of questions and answers').fill('4001');
    await page.getByText('This locks 2.0005 credits at most').waitFor();
    await page.getByRole('button', { name: 'Lease mistral of study-pc' }).press('Enter');
    await page.getByText('mistral of study-pc is leased.').waitFor();
    await page.getByRole('link', { name: 'Books' }).press('Enter');
    await page.getByRole('button', { name: 'Settle the lease of mistral' }).nth(1).press('Enter');
    await page.getByRole('button', { name: 'Settle the lease of mistral' }).nth(1).waitFor({ state: 'detached' });
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
    const page = await at('/market?part=storage');
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

  it('see leases of nodes with the others, give nodes back, and dispute with evidence', async () => {
    const page = await at('/market');
    await page.getByText('16 nodes to mira-mac').waitFor();
    await page.getByText('4 nodes from study-pc').waitFor();
    await page.getByRole('button', { name: 'Give back 8 nodes to study-pc' }).press('Enter');
    await page.getByRole('button', { name: 'Give back 8 nodes to study-pc' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Dispute the lease of 16 nodes' }).press('Enter');
    await page.getByLabel('What is wrong').fill('it never signed');
    await page.getByRole('button', { name: 'Dispute it' }).press('Enter');
    const evidence = page.getByRole('link', { name: 'Save the evidence' });
    expect(await evidence.getAttribute('href')).toContain(encodeURIComponent('it never signed'));
    const states = owner.agent.state.nodes.leases.map(({ state }) => state);
    expect(states).toEqual(['settled', 'disputed', 'settled']);
  });

  it('borrow nodes of a machine with time, take lent ones back, and lend or stop', async () => {
    const page = await at('/market?part=nodes');
    await page.getByText('load 12 %, processor 31 %, memory 55 %, measured 4 s ago').first().waitFor();
    await page.getByText('Not now: no node is free, it works already.').waitFor();
    expect(await page.getByRole('button', { name: 'Borrow nodes of attic-nas' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Take back 16 nodes from mira-mac' }).press('Enter');
    await page.getByRole('button', { name: 'Take back 16 nodes from mira-mac' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Borrow nodes of study-pc' }).press('Enter');
    await page.getByLabel('Nodes', { exact: true }).fill('12');
    await page.getByText('This locks 0.1 credits at most.').waitFor();
    const borrow = page.locator('form').getByRole('button', { name: 'Borrow nodes of study-pc' });
    await page.getByLabel('Numbers, a vector a line').fill('0.5, 1\n\n1');
    await borrow.press('Enter');
    await page.getByText('Line 3 is not a list of numbers').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByLabel('Numbers, a vector a line').fill('0.5, 1\n1, 0');
    await borrow.press('Enter');
    await page.getByText('2 vectors went through 12 nodes of study-pc, which fired 2 times').waitFor();
    const cluster = page.getByRole('link', { name: 'Save the cluster that came back' });
    expect(await cluster.getAttribute('href')).toMatch(/;base64,AA\+\/$/);
    await page.getByRole('button', { name: 'Lend no more' }).press('Enter');
    await page.getByLabel('Nodes lent at once').fill('40');
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Lend nodes' }).press('Enter');
    await page.getByText('40 of 40 nodes free, 20 to one device at the most').waitFor();
    expect(await overflowPixels(page)).toBe(0);
    expect(owner.agent.requests).toContain('POST /leases');
  });
});
