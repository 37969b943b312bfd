import { describe, expect, it } from 'vitest';
import { accessibilityViolations } from './browser.ts';
import { ownerPages } from './owner.ts';

describe('With clusters the owner can, by keyboard alone,', () => {
  const owner = ownerPages();
  const { at } = owner;

  it('make one, teach it, ask it, let it grow, and remove it', async () => {
    const page = await at('/clusters');
    await page.getByRole('button', { name: 'Make a cluster' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Make a cluster' });
    await sheet.getByRole('textbox', { name: 'Name' }).fill('rings');
    await sheet.getByLabel('Nodes').fill('16');
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByRole('button', { name: 'Make', exact: true }).press('Enter');
    await page.getByRole('heading', { level: 2, name: 'rings' }).waitFor();
    const learn = page.getByRole('region', { name: 'Learn' });
    await learn.getByLabel('Examples').fill('1,2,7');
    await learn.getByRole('button', { name: 'Learn', exact: true }).press('Enter');
    await learn.getByText('Line 1: give 2 numbers and the class').waitFor();
    await learn.getByRole('button', { name: 'Fill in a task' }).press('Enter');
    await learn.getByRole('button', { name: 'Learn', exact: true }).press('Enter');
    await learn.getByText('61.0 % the first time, 92.5 % the last').waitFor();
    const ask = page.getByRole('region', { name: 'Ask' });
    await ask.getByLabel('Numbers with commas').fill('0.5,-0.5');
    await ask.getByLabel('Numbers with commas').press('Enter');
    await ask.getByText('Class 1, with 88.1 % of the votes.').waitFor();
    const grow = page.getByRole('region', { name: 'Grow' });
    await grow.getByRole('button', { name: 'Grow' }).press('Enter');
    await grow.getByText('3 nodes came').waitFor();
    await page.getByRole('button', { name: 'Remove', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Remove it' }).press('Enter');
    await page.getByText('Choose a cluster to see its nodes.').waitFor();
    await page.getByRole('link', { name: /^rings/ }).waitFor({ state: 'detached' });
    expect(owner.agent.requests).toContain('DELETE /clusters/rings');
  });

  it('see nodes fire as they do, and how states change', async () => {
    const page = await at('/clusters?id=signs');
    const nodes = page.getByRole('img', { name: /^24 nodes/ });
    await nodes.waitFor();
    await page.getByText('arousal is above 0.9').waitFor();
    const seen = page.getByRole('img', { name: '24 nodes, 3 fired just now' });
    const saw = seen.waitFor();
    const again = setInterval(() => owner.agent.send({ type: 'cluster-fired', name: 'signs', nodes: [1, 2, 9] }), 100);
    await saw;
    clearInterval(again);
    await page.getByRole('img', { name: '24 nodes, 0 fired just now' }).waitFor();
    const run = page.getByRole('region', { name: 'Run' });
    await run.getByRole('button', { name: 'Run' }).press('Enter');
    await run.getByText('80 firings in all.').waitFor();
    const { metrics } = owner.agent.state.clusters;
    const collective = { ...metrics.collective, metrics: { ...metrics.collective.metrics, phi: 0.777 } };
    owner.agent.send({ type: 'metrics_update', metrics: { ...metrics, alerts: [], collective } });
    await page.getByRole('img', { name: 'phi, now 0.777' }).waitFor();
    await page.getByText('arousal is above 0.9').waitFor({ state: 'detached' });
    owner.agent.send({ type: 'cluster-changed', name: 'signs', cluster: null });
    await page.getByText('This cluster is not here any more.').waitFor();
  });
});
