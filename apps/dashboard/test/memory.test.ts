import { describe, expect, it } from 'vitest';
import { accessibilityViolations } from './browser.ts';
import { capsuleIds, fixtureCapsule } from './fixture-memory.ts';
import { ownerPages } from './owner.ts';

describe('In the memory the owner can, by keyboard alone,', () => {
  const owner = ownerPages();
  const { at } = owner;

  it('remember something, see why it is shared with nobody, and forget it', async () => {
    const page = await at('/memory');
    await page.getByRole('button', { name: 'Remember something' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Remember something' });
    await sheet.getByLabel('Text').fill('The ladder is at the neighbour’s.');
    await sheet.getByLabel('Tags').fill('house, tools, house');
    expect(await sheet.getByLabel(/^Personal/).isChecked()).toBe(true);
    expect(await accessibilityViolations(page)).toEqual([]);
    await sheet.getByRole('button', { name: 'Remember', exact: true }).press('Enter');
    await page.getByRole('heading', { level: 2, name: 'The ladder is at the neighbour’s.' }).waitFor();
    expect(owner.agent.state.memory.capsules[0]).toMatchObject({ level: 'personal', tags: ['house', 'tools'] });
    const share = page.getByRole('button', { name: 'Share', exact: true });
    expect(await share.isDisabled()).toBe(true);
    await page.getByText('It is personal, so it stays on this computer.').waitFor();
    await page.getByRole('button', { name: 'Forget', exact: true }).press('Enter');
    await page.getByText('It cannot be taken back from a program that does not keep to this').waitFor();
    await page.getByRole('button', { name: 'Forget it now' }).press('Enter');
    await page.getByText('This is not here. It was forgotten').waitFor();
    await page.getByRole('link', { name: /^The ladder/ }).waitFor({ state: 'detached' });
  });

  it('see what the other devices of this owner brought, and compare now', async () => {
    const page = await at('/memory');
    await page.getByRole('button', { name: 'Own devices' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Your other devices' });
    await sheet.getByText('Not compared yet.').first().waitFor();
    await sheet.getByText('It does not count this device as its own').waitFor();
    await sheet.getByRole('button', { name: 'Compare now' }).press('Enter');
    await sheet.getByText('It brought 3 memories and 1 cluster').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(owner.agent.requests).toContain('POST /memory/sync');
  });

  it('find by words with other devices, go along a relation, and share', async () => {
    const page = await at('/memory');
    const form = page.getByRole('search');
    await form.getByLabel('What are you looking for?').fill('roof');
    await form.getByRole('checkbox').press('Space');
    await form.getByLabel('What are you looking for?').press('Enter');
    await page.getByText('2 hits, 3 compared here.').waitFor();
    await page.getByRole('link', { name: /^A roof of slate.*at study-pc/ }).press('Enter');
    await page.getByText('A hundred years is nothing to it.').waitFor();
    await page.getByText('It is at study-pc and not kept here.').waitFor();
    await page.getByText('semantic: by meaning').waitFor();
    await page.getByText('lab-nuc did not answer (it is offline).').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await page.getByRole('link', { name: /^The roof.*lexical: by words.*score 0\.82/ }).press('Enter');
    const share = page.getByRole('region', { name: 'Share' });
    await share.getByLabel('Device').selectOption({ label: 'study-pc' });
    await share.getByRole('button', { name: 'Share' }).press('Enter');
    await share.getByText('study-pc has it now.').waitFor();
    expect(owner.agent.requests).toContain(`POST /memory/${capsuleIds.roof}/share`);
    await page.getByRole('button', { name: 'Show everything' }).press('Enter');
    await page.getByRole('region', { name: 'Remembered' }).waitFor();
    expect(await form.getByLabel('What are you looking for?').inputValue()).toBe('');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('search');
    const relations = page.getByRole('region', { name: 'Relations' });
    await relations.getByRole('link', { name: /^The key of the shed/ }).press('Enter');
    await page.getByRole('heading', { level: 2, name: /^The key of the shed/ }).waitFor();
    await form.getByLabel('Level').selectOption('public');
    await form.getByRole('button', { name: 'Find' }).press('Enter');
    await page.getByRole('list', { name: '1 memory' }).getByRole('link', { name: /^Soup/ }).waitFor();
  });

  it('see how it hangs together, in a picture and in words, and go to a point of it', async () => {
    const page = await at('/memory');
    await page.getByRole('button', { name: 'Relations' }).press('Enter');
    const graph = page.getByRole('region', { name: 'How it hangs together' });
    await graph.getByText('The newest 3 of 3.').waitFor();
    expect(await graph.locator('line').count()).toBe(2);
    await graph.getByText('The same as a list: 2 lines').press('Enter');
    await graph.getByText(/^“The key of the shed.*” and “Soup.*” are alike \(0\.61\)$/).waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await graph.getByRole('link', { name: /^The roof/ }).press('Enter');
    await page.getByRole('heading', { level: 2, name: /^The roof/ }).waitFor();
    await graph.getByRole('button', { name: 'Close' }).press('Enter');
    await graph.waitFor({ state: 'detached' });
  });

  it('see what waits for a device that is away, and call it back', async () => {
    owner.agent.state.memory.waiting = [
      { capsuleId: capsuleIds.roof, summary: 'The roof', peerId: 'p', peerName: 'study-pc', sinceMs: Date.now() },
    ];
    const page = await at('/memory');
    const waiting = page.getByRole('region', { name: 'Waiting for devices' });
    await waiting.getByText('It goes there when the device is back.').waitFor();
    expect(await accessibilityViolations(page)).toEqual([]);
    await waiting.getByRole('button', { name: 'Do not send it to study-pc' }).press('Enter');
    await expect.poll(() => owner.agent.requests).toContain(`DELETE /memory/${capsuleIds.roof}/share/p`);
    owner.agent.send({ type: 'memory-changed', capsuleId: capsuleIds.roof, isHere: true });
    await waiting.waitFor({ state: 'detached' });
  });

  it('see more at a time, tidy up and undo, and hear of what comes from elsewhere', async () => {
    const { memory } = owner.agent.state;
    for (let i = 0; i < 30; i += 1)
      memory.capsules.push(fixtureCapsule({ id: `${i + 10}`.repeat(32), text: `Note ${i}` }, Date.now()));
    const page = await at('/memory');
    const list = page.getByRole('region', { name: 'Remembered' });
    await list.getByRole('button', { name: 'Show more' }).press('Enter');
    await list.getByRole('link', { name: /^Note 29/ }).waitFor();
    await list.getByRole('button', { name: 'Show more' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Tidy up' }).press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Tidy up' });
    await sheet.getByRole('button', { name: 'Tidy up now' }).press('Enter');
    await sheet.getByText('1 memory removed, 0 became 0.').waitFor();
    await page.getByText('32 here').waitFor();
    await sheet.getByRole('button', { name: 'Undo the last tidying' }).press('Enter');
    await sheet.getByText('1 back.').waitFor();
    await page.getByText('33 here').waitFor();
    await sheet.press('Escape');
    memory.capsules.unshift(fixtureCapsule({ id: '99'.repeat(32), text: 'From elsewhere' }, Date.now()));
    owner.agent.send({ type: 'memory-changed', capsuleId: '99'.repeat(32), isHere: true });
    await list.getByRole('link', { name: /^From elsewhere/ }).waitFor();
  });
});
